"""The series of monitors as an evaluator shows them: one that has an alarm, one that is well, one that waits for its baseline."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

GROUPS = ("all", "image/comprehension", "language")


class Monitors(Collector):
    """A page whose numbers a test may change.

    now_s: the time, UNIX seconds. alarms: (monitor, group, kind, signal) of those that are not acknowledged. given_up: deliveries.
    """

    def __init__(self, now_s: float) -> None:
        self.now_s = now_s
        self.states = {"nightly": "watching", "weekly": "watching", "new": "baseline"}
        self.alarms: set[tuple[str, str, str, str]] = set()
        self.missed = 0
        self.spent_usd = 0.5
        self.leader = 1
        self.given_up = 0
        self.next_tick_s = now_s + 3600

    def collect(self) -> Iterable[Metric]:
        yield from self._about()
        yield from self._scores()
        yield from self._ticks()
        yield from self._alarms()

    def _about(self) -> Iterator[Metric]:
        labels = ("monitor", "model", "suite", "suite_hash", "schedule")
        info = GaugeMetricFamily("genlevel_monitor_info", "1.", labels=labels)
        state = GaugeMetricFamily("genlevel_monitor_state", "1 for the one that holds.", labels=("monitor", "state"))
        budget = GaugeMetricFamily("genlevel_monitor_budget_usd", "A day.", labels=("monitor",))
        spent = GaugeMetricFamily("genlevel_monitor_spent_today_usd", "At most.", labels=("monitor",))
        cost = CounterMetricFamily("genlevel_monitor_cost_usd", "At most.", labels=("monitor",))
        for name, now in self.states.items():
            info.add_metric((name, "gpt-5", "starter", "1f3a5b7c", "6h"), 1)
            state.add_metric((name, now), 1)
            budget.add_metric((name,), 2)
            spent.add_metric((name,), self.spent_usd)
            cost.add_metric((name,), 12.5)
        leader = GaugeMetricFamily("genlevel_monitor_leader", "1 at the evaluator that schedules.")
        leader.add_metric((), self.leader)
        yield from (info, state, budget, spent, cost, leader)

    def _scores(self) -> Iterator[Metric]:
        values = {
            "genlevel_monitor_score": 71.5,
            "genlevel_monitor_baseline_score": 78.7,
            "genlevel_monitor_drop_points": 7.2,
            "genlevel_monitor_drop_low_points": 3.1,
            "genlevel_monitor_drop_high_points": 11.4,
            "genlevel_monitor_instances": 200,
        }
        for name, value in values.items():
            family = GaugeMetricFamily(name, "Of the last tick.", labels=("monitor", "group"))
            for monitor, now in self.states.items():
                for group in GROUPS if now == "watching" else ():
                    family.add_metric((monitor, group), value)
            yield family
        labels = ("monitor", "group", "signal", "direction")
        evidence = GaugeMetricFamily("genlevel_monitor_log_evidence", "Natural logarithm.", labels=labels)
        threshold = GaugeMetricFamily("genlevel_monitor_log_threshold", "Natural logarithm.", labels=labels)
        checks = [(group, "score", direction) for group in GROUPS for direction in ("down", "up")]
        checks += [("all", signal, "up") for signal in ("refusals", "unparsable", "errors", "latency", "length", "cost")]
        for monitor, now in self.states.items():
            for check in checks if now == "watching" else ():
                evidence.add_metric((monitor, *check), 2.5)
                threshold.add_metric((monitor, *check), 11.1)
        yield from (evidence, threshold)

    def _ticks(self) -> Iterator[Metric]:
        ticks = CounterMetricFamily("genlevel_monitor_ticks", "Ticks.", labels=("monitor", "outcome"))
        missed = CounterMetricFamily("genlevel_monitor_missed_ticks", "Ticks that did not begin.", labels=("monitor",))
        last = GaugeMetricFamily("genlevel_monitor_last_tick_timestamp_seconds", "UNIX time.", labels=("monitor",))
        following = GaugeMetricFamily("genlevel_monitor_next_tick_timestamp_seconds", "UNIX time.", labels=("monitor",))
        for name, now in self.states.items():
            for outcome in ("complete", "partial", "outage", "failed"):
                ticks.add_metric((name, outcome), 12 if outcome == "complete" else 0)
            missed.add_metric((name,), self.missed)
            if now == "watching":
                last.add_metric((name,), self.now_s - 3600)
                following.add_metric((name,), self.next_tick_s)
        yield from (ticks, missed, last, following)

    def _alarms(self) -> Iterator[Metric]:
        alarm = GaugeMetricFamily("genlevel_monitor_alarm", "1 while not acknowledged.", labels=("monitor", "group", "kind", "signal"))
        raised = CounterMetricFamily("genlevel_monitor_alarms", "Alarms.", labels=("monitor", "kind"))
        events = CounterMetricFamily("genlevel_monitor_events", "Events.", labels=("monitor", "kind"))
        for one in sorted(self.alarms):
            alarm.add_metric(one, 1)
        for name in self.states:
            raised.add_metric((name, "regression"), sum(monitor == name for monitor, *_ in self.alarms))
            events.add_metric((name, "model"), 0)
        sent = CounterMetricFamily("genlevel_alarm_deliveries", "Tries.", labels=("destination", "outcome"))
        for outcome, count in (("delivered", 3), ("retried", 1), ("given_up", self.given_up)):
            sent.add_metric(("chat", outcome), count)
        yield from (alarm, raised, events, sent)


def monitor_page(now_s: float) -> tuple[CollectorRegistry, Monitors]:
    """A registry with such a page."""
    registry, monitors = CollectorRegistry(), Monitors(now_s)
    registry.register(monitors)
    return registry, monitors

"""The dashboards of results: levels of models, and monitors of deployed ones."""

from __future__ import annotations

from panels import Json, Query, bars, choice, dashboard, differences, lines, number, row, table

_RUN = 'model=~"$model", suite=~"$suite", partial=~"$partial"'
_MONITOR = 'monitor=~"$monitor"'
_GROUP = 'monitor=~"$monitor", group=~"$group"'


def _of(series: str) -> str:
    """A series of runs once, though each scorer shows it."""
    return f"max without (instance, pod, container, endpoint, service) ({series}{{{_RUN}}})"


_NAME = "{{model}} on {{suite}}"
_LEVELS = [
    number(
        "Certified verdict",
        Query(_of("genlevel_certified_verdict"), _NAME),
        note="Above the published scores, with an error of alpha in all. 0: none.",
        width=8,
    ),
    number("Certified against specialists", Query(_of("genlevel_certified_verdict_against_specialists"), _NAME), width=8),
    number("The paper's verdict", Query(_of("genlevel_verdict"), _NAME), note="By its point rule, without certainty.", width=8),
    row("Levels"),
    bars("Level scores", Query(_of("genlevel_level_score"), "{{model}} level {{level}}"), note="Over the whole benchmark."),
    bars("Over what was asked", Query(_of("genlevel_asked_level_score"), "{{model}} level {{level}}")),
    lines("Level scores over time", Query(_of("genlevel_level_score"), "{{model}} level {{level}}"), most=100),
    lines(
        "Their intervals",
        Query(_of("genlevel_level_lower"), "{{model}} level {{level}}, lower"),
        Query(_of("genlevel_level_upper"), "{{model}} level {{level}}, upper"),
        most=100,
    ),
    row("Wins"),
    lines(
        "Wins by modality",
        Query(_of("genlevel_wins"), "{{model}} {{modality}}"),
        note="Tasks at least as good as their specialist.",
    ),
    lines("Tasks with a result", Query(_of("genlevel_supported_tasks"), "{{model}} {{modality}}")),
    lines("Certified wins", Query(_of("genlevel_certified_wins"), "{{model}} {{control}}")),
    lines("Certified wins against specialists", Query(_of("genlevel_certified_wins_against_specialists"), "{{model}} {{control}}")),
    row("Tasks"),
    table(
        "Scores",
        Query(_of("genlevel_task_score")),
        columns=("model", "suite", "task", "metric"),
        value="score",
        note="In each metric's own unit.",
        height=12,
    ),
    bars("On 0 to 100", Query(f"sort_desc({_of('genlevel_task_sigma')})", "{{model}} {{task}}"), height=12),
    lines("Standard errors", Query(_of("genlevel_task_standard_error"), "{{model}} {{task}}")),
    lines("Instances by outcome", Query(f"sum by (model, outcome) ({_of('genlevel_instances')})", "{{model}} {{outcome}}"), stacked=True),
    row("What they rest on"),
    table(
        "Runs",
        Query(_of("genlevel_run_info")),
        columns=("model", "suite", "suite_hash", "run", "partial", "route", "limit", "seed", "references", "alpha", "plan", "version"),
        width=18,
    ),
    number("Incomplete runs", Query(f"sum({_of('genlevel_incomplete')})"), note="Their levels are lower bounds.", width=6),
]


def levels() -> Json:
    """Verdicts, their certificates, and what they rest on."""
    choices = [choice("model", "genlevel_run_info"), choice("suite", "genlevel_run_info"), choice("partial", "genlevel_run_info")]
    about = "What models attain, and with what certainty."
    return dashboard("genlevel-levels", "genlevel: levels", about, choices, _LEVELS, since="now-30d")


_OF_GROUP = "{{monitor}} {{group}}"
_SCORE = 'signal="score"'
_MONITORS = [
    number(
        "Alarms",
        Query(f"sum(max by (monitor, group, kind, signal) (genlevel_monitor_alarm{{{_MONITOR}}})) or vector(0)"),
        note="That nobody has acknowledged.",
        warns_at=1,
    ),
    number("Monitors that watch", Query(f'sum(max by (monitor) (genlevel_monitor_state{{{_MONITOR}, state="watching"}})) or vector(0)')),
    number(
        "Monitors that failed",
        Query(f'sum(max by (monitor) (genlevel_monitor_state{{{_MONITOR}, state="failed"}})) or vector(0)'),
        warns_at=1,
    ),
    number("An evaluator schedules", Query("max(genlevel_monitor_leader)"), note="1: yes.", bad=(0,)),
    number("Spent today", Query(f"sum(max by (monitor) (genlevel_monitor_spent_today_usd{{{_MONITOR}}}))"), unit="currencyUSD"),
    number("Longest late", Query(f"clamp_min(max(genlevel:monitor_late:seconds{{{_MONITOR}}}), 0)"), unit="s", warns_at=3600),
    table(
        "Monitors",
        Query(
            f"max by (monitor, model, suite, suite_hash, schedule) (genlevel_monitor_info{{{_MONITOR}}})"
            f" * on (monitor) group_left (state) max by (monitor, state) (genlevel_monitor_state{{{_MONITOR}}} == 1)"
        ),
        columns=("monitor", "state", "model", "suite", "suite_hash", "schedule"),
    ),
    table(
        "Alarms",
        Query(f"max by (monitor, group, kind, signal) (genlevel_monitor_alarm{{{_MONITOR}}} == 1)"),
        columns=("monitor", "kind", "group", "signal"),
        note="Until somebody acknowledges them.",
    ),
    row("Scores"),
    lines(
        "Score beside the baseline",
        Query(f"max by (monitor, group) (genlevel_monitor_score{{{_GROUP}}})", _OF_GROUP),
        Query(f"max by (monitor, group) (genlevel_monitor_baseline_score{{{_GROUP}}})", f"{_OF_GROUP}, baseline"),
        most=100,
    ),
    differences(
        "Points below the baseline",
        Query(f"max by (monitor, group) (genlevel_monitor_drop_points{{{_GROUP}}})", _OF_GROUP),
        Query(f"max by (monitor, group) (genlevel_monitor_drop_low_points{{{_GROUP}}})", f"{_OF_GROUP}, low"),
        Query(f"max by (monitor, group) (genlevel_monitor_drop_high_points{{{_GROUP}}})", f"{_OF_GROUP}, high"),
        note="Of the last tick, with its 95 % interval. Below 0: above the baseline.",
    ),
    row("How near an alarm is"),
    differences(
        "Scores",
        Query(f"genlevel:monitor_evidence:ratio{{{_GROUP}, {_SCORE}}}", f"{_OF_GROUP} {{{{direction}}}}"),
        note="Logarithm of the evidence over that of the threshold: 1 is an alarm.",
    ),
    differences(
        "Refusals, unparsable answers, errors, latency, length, cost",
        Query(f'genlevel:monitor_evidence:ratio{{{_MONITOR}, signal!="score"}}', "{{monitor}} {{signal}} {{direction}}"),
        note="As for scores.",
    ),
    differences(
        "Evidence",
        Query(f"genlevel_monitor_log_evidence{{{_GROUP}, {_SCORE}}}", f"{_OF_GROUP} {{{{direction}}}}"),
        note="Natural logarithm.",
    ),
    lines(
        "Thresholds",
        Query(f"genlevel_monitor_log_threshold{{{_GROUP}, {_SCORE}}}", f"{_OF_GROUP} {{{{direction}}}}"),
        note="Natural logarithm.",
    ),
    row("Ticks"),
    lines(
        "Ticks a day, by outcome",
        Query(f"sum by (monitor, outcome) (increase(genlevel_monitor_ticks_total{{{_MONITOR}}}[1d]))", "{{monitor}} {{outcome}}"),
    ),
    lines(
        "Ticks that were missed, a day",
        Query(f"sum by (monitor) (increase(genlevel_monitor_missed_ticks_total{{{_MONITOR}}}[1d]))", "{{monitor}}"),
    ),
    lines(
        "Since the last tick",
        Query(f"time() - max by (monitor) (genlevel_monitor_last_tick_timestamp_seconds{{{_MONITOR}}})", "{{monitor}}"),
        unit="s",
    ),
    differences(
        "Until the next tick",
        Query(f"max by (monitor) (genlevel_monitor_next_tick_timestamp_seconds{{{_MONITOR}}}) - time()", "{{monitor}}"),
        unit="s",
        note="Below 0: it is late.",
    ),
    lines("Instances compared", Query(f"max by (monitor, group) (genlevel_monitor_instances{{{_GROUP}}})", _OF_GROUP)),
    lines(
        "What happened",
        Query(f"sum by (monitor, kind) (increase(genlevel_monitor_events_total{{{_MONITOR}}}[1d]))", "{{monitor}} {{kind}} a day"),
        Query(f"sum by (monitor, kind) (increase(genlevel_monitor_alarms_total{{{_MONITOR}}}[1d]))", "{{monitor}} alarm: {{kind}} a day"),
    ),
    row("Cost, and who was told"),
    lines("Cost of a day", Query(f"genlevel:monitor_cost_usd:increase1d{{{_MONITOR}}}", "{{monitor}}"), unit="currencyUSD", stacked=True),
    lines(
        "Today, beside the budget",
        Query(f"max by (monitor) (genlevel_monitor_spent_today_usd{{{_MONITOR}}})", "{{monitor}}"),
        Query(f"max by (monitor) (genlevel_monitor_budget_usd{{{_MONITOR}}})", "{{monitor}}, budget"),
        unit="currencyUSD",
    ),
    lines(
        "Deliveries a day",
        Query("sum by (destination, outcome) (increase(genlevel_alarm_deliveries_total[1d]))", "{{destination}} {{outcome}}"),
    ),
    table(
        "Alerts",
        Query('ALERTS{alertname=~"Genlevel.*", monitor=~"$monitor"}'),
        columns=("alertname", "alertstate", "severity", "monitor", "group"),
    ),
]


def monitors() -> Json:
    """Deployed models: whether they are what they were, how near an alarm is, and what watching costs."""
    choices = [choice("monitor", "genlevel_monitor_info"), choice("group", "genlevel_monitor_score")]
    about = "Whether deployed models are what they were."
    return dashboard("genlevel-monitors", "genlevel: monitors", about, choices, _MONITORS, since="now-30d")

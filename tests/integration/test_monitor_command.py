"""``genlevel monitor`` over a port in memory: what each command asks for, says and exits with."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from google.protobuf.timestamp_pb2 import Timestamp
from rich.console import Console

from genlevel.cli import cli, monitor_run
from genlevel.runtime.errors import NotFoundError
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import monitor_pb2 as mo
from tests.integration.test_json_documents import MONITORS, Checker

NOON = Timestamp(seconds=1_800_000_000)  # 2027-01-15T08:00:00Z
ALARM = mo.MonitorAlarm(
    id="a1", kind="regression", signal="score", group="all", what="the score has dropped", raised=NOON, tick=12, tick_run="0123456789ab",
    estimate=9.5, low=6.0, high=13.0, unit="points", since=NOON, since_tick=10,
    tasks=[mo.ChangedTask(task="nlp/Causal-Reasoning", instances=40, before=80.0, now=60.0)],
    instances=[
        mo.ChangedInstance(
            task="nlp/Causal-Reasoning", instance_id="q7", score_before=100.0, score_now=0.0,
            answer_before="B", answer_now="A\x1b[2J\n" * 99,
        )
    ],
    deliveries=["chat: delivered"],
)  # fmt: skip
OLD_ALARM = mo.MonitorAlarm(
    id="a0", kind="drift", signal="latency", group="all", what="slower", raised=NOON, acknowledged=NOON, acknowledged_by="ada", note="known"
)

PLAN = mo.PlanMonitorResponse(
    ticks_a_year=1460, horizon_ticks=1460, sample=200, pool=4000, tick_nano_usd=10_000_000, day_nano_usd=40_000_000,
    year_nano_usd=14_600_000_000, baseline_nano_usd=1_000_000_000, baseline_calls=20_000, false_alarms_a_year=0.05,
    groups=[mo.PlannedGroup(group="language", instances=200)],
    delays=[
        mo.PlannedDelay(group="all", drop=5, ticks=12.0, days=3.0),
        mo.PlannedDelay(group="all", drop=3),
        mo.PlannedDelay(group="language", drop=5, ticks=1234.0, days=308.5),
    ],
    problems=["medians for flips of 5 %"], model=gw.ModelInfo(route="candidate", ready=False, problem="set A_KEY"),
)  # fmt: skip


def watched(**fields: Any) -> mo.GetMonitorResponse:
    given = mo.MonitorSpecification(
        asked=ev.RunSpecification(model="candidate", suite="starter"), every="6h", sample=200, pool=20, tolerance=1.0,
        horizon_s=365 * 86_400, alpha=0.05, baseline_repeats=5, budget_nano_usd=5_000_000_000,
    )  # fmt: skip
    monitor = mo.Monitor(
        name="hourly", specification=given, state=mo.MONITOR_STATE_WATCHING, created=NOON, next_tick=NOON, last_tick=NOON, ticks=12,
        missed=1, cost_nano_usd=3_000_000_000, spent_today_nano_usd=400_000_000, baseline_run="ba5e11111111", suite_hash="c0ffee",
    )  # fmt: skip
    monitor.MergeFrom(mo.Monitor(**fields))
    checks = [
        mo.MonitorCheck(signal="score", direction="down", log_evidence=4.5, log_threshold=9.0),
        mo.MonitorCheck(signal="score", direction="up", log_evidence=-2.0, log_threshold=9.0),
        mo.MonitorCheck(signal="latency", direction="up", log_threshold=9.0),
    ]
    return mo.GetMonitorResponse(
        monitor=monitor,
        groups=[mo.MonitorGroup(group="all", instances=200, score=70.0, baseline=72.5, drop=2.5, low=-1.0, high=6.0, checks=checks)],
        ticks=[
            mo.MonitorTick(
                number=12, outcome=mo.TICK_OUTCOME_COMPLETE, due=NOON, ended=NOON, run_id="0123456789ab", instances=200, failed=2,
                score=70.0, drop=2.5, cost_nano_usd=100_000_000,
            )
        ],
        events=[mo.MonitorEvent(at=NOON, kind="model", what="gpt-4o-2024-08-06 answers, gpt-4o-2024-05-13 did")],
    )  # fmt: skip


class Monitors:
    """A port in memory. asked: what it was asked for. looks: what it says each time that it is looked at, the last one from then on."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.looks: list[mo.GetMonitorResponse] = [watched()]
        self.tick = 13
        self.problem = ""
        self.plan = mo.PlanMonitorResponse()

    async def plan_monitor(self, request):
        self.asked.append(request)
        return self.plan

    async def add_monitor(self, request):
        self.asked.append(request)
        return mo.AddMonitorResponse(monitor=self.looks[0].monitor, problems=["the pool is small"])

    async def list_monitors(self, request):
        return mo.ListMonitorsResponse(monitors=[look.monitor for look in self.looks])

    async def get_monitor(self, request):
        self.asked.append(request)
        if request.name != "hourly":
            raise NotFoundError(f"no monitor {request.name!r} here")
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]

    async def pause_monitor(self, request):
        self.asked.append(request)
        return mo.PauseMonitorResponse(monitor=self.looks[0].monitor)

    async def run_monitor(self, request):
        self.asked.append(request)
        return mo.RunMonitorResponse(tick=self.tick)

    async def acknowledge_alarms(self, request):
        self.asked.append(request)
        return mo.AcknowledgeAlarmsResponse(monitor=self.looks[0].monitor, acknowledged=["a1"])

    async def rebase_monitor(self, request):
        self.asked.append(request)
        return mo.RebaseMonitorResponse(monitor=self.looks[0].monitor)

    async def remove_monitor(self, request):
        self.asked.append(request)
        return mo.RemoveMonitorResponse()

    async def test_alarm(self, request):
        self.asked.append(request)
        return mo.TestAlarmResponse(destinations=[mo.TestedDestination(destination="chat", problem=self.problem)])


@pytest.fixture
def port(monkeypatch, tmp_path) -> Monitors:
    there = Monitors()

    @asynccontextmanager
    async def monitors(settings, folder, *, watches=False):
        yield there

    for module in ("monitor", "monitor_add", "monitor_run"):
        monkeypatch.setattr(f"genlevel.cli.{module}.monitors", monitors)
    monkeypatch.setattr(monitor_run, "LOOK_S", 0.0)
    monkeypatch.chdir(tmp_path)
    Path("genlevel-data").mkdir()
    Path("genlevel-data/genlevel.db").touch()
    return there


def called(*arguments: str, code: int = 0) -> Result:
    done = CliRunner().invoke(cli, ["monitor", *arguments], standalone_mode=True)
    assert done.exit_code == code, (done.output, done.exception)
    return done


def document(*arguments: str, code: int = 0) -> Any:
    return json.loads(called(*arguments, "--json", code=code).stdout)


REQUIRED = ("--model", "candidate", "--suite", "starter", "--every", "6h")


def test_add_asks_for_what_was_given_and_leaves_defaults_to_the_service(port):
    said = called("add", "hourly", *REQUIRED)
    assert port.asked == [
        mo.AddMonitorRequest(
            name="hourly",
            specification=mo.MonitorSpecification(asked=ev.RunSpecification(model="candidate", suite="starter"), every="6h"),
        )
    ]
    assert said.stdout.splitlines() == [
        "monitor hourly is added; its baseline comes first",
        "nothing is asked yet: `genlevel up` watches, or `genlevel monitor run-now hourly --wait` once",
    ]
    assert said.stderr == "note: the pool is small\n"


def test_add_takes_every_option(port):
    called(
        *("add", "hourly", "--model", "candidate", "--suite", "starter", "--tasks", "*Reasoning*", "--every", "0 6 * * mon-fri"),
        *("--time-zone", "Europe/Berlin", "--sample", "400", "--pool", "30x", "--budget-usd", "2.50/day", "--baseline-repeats", "3"),
        *("--tolerance", "0", "--horizon", "90d", "--alpha", "0.01", "--alarm-to", "chat", "--alarm-to", "desk", "--unpriced-ok"),
    )
    assert port.asked[0].specification == mo.MonitorSpecification(
        asked=ev.RunSpecification(model="candidate", suite="starter", tasks="*Reasoning*"),
        every="0 6 * * mon-fri", time_zone="Europe/Berlin", sample=400, pool=30, budget_nano_usd=2_500_000_000, baseline_repeats=3,
        tolerance=0.0, horizon_s=90 * 86_400, alpha=0.01, destinations=["chat", "desk"], unpriced_ok=True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--model", "m", "--suite", "s"), "say what is watched and when: --every missing"),
        ((), "say what is watched and when: --model, --suite, --every missing"),
        ((*REQUIRED, "--panel", "--pool", "5x"), "--panel and --pool exclude each other"),
        ((*REQUIRED, "--baseline", "r", "--baseline-repeats", "5"), "--baseline and --baseline-repeats exclude each other"),
        ((*REQUIRED, "--budget-usd", "5"), "Invalid value for '--budget-usd': '5' is an amount of no time"),
        ((*REQUIRED, "--horizon", "1y"), "Invalid value for '--horizon': '1y' is no length of time"),
        ((*REQUIRED, "--pool", "many"), "Invalid value for '--pool': 'many' is no number of times"),
        ((*REQUIRED, "--every", "1h"), "--every is given twice"),
    ],
)
def test_what_cannot_be_added_is_said_before_anything_is_asked(port, options, said):
    assert said in called("add", "hourly", *options, code=2).output
    assert port.asked == []


def test_a_monitor_of_the_file_is_planned_by_its_name_alone_and_not_added_beside_it(port):
    Path("genlevel.yaml").write_text("monitors:\n  nightly: {model: m, suite: s, every: 6h, sample: 50}\n")
    called("add", "nightly", "--dry-run")
    (request,) = port.asked
    assert (request.name, request.specification.asked.model, request.specification.sample) == ("nightly", "m", 50)
    assert "genlevel.yaml:2: monitors.nightly has this monitor" in called("add", "nightly", code=2).output


def test_a_dry_run_says_the_cost_the_false_alarms_and_the_delays(port):
    port.plan = PLAN
    said = called("add", "hourly", *REQUIRED, "--dry-run").stdout
    for line in (
        "hourly: 1,460 ticks a year, each of 200 instances of a pool of 4,000",
        "cost: at most about $0.01 a tick, $0.04 a day, $14.60 a year; the baseline $1.00 once",
        "baseline: 20,000 calls before the first tick",
        "false alarms: at most 0.050 a year expected",
        "note: medians for flips of 5 %",
        "The model cannot be called yet: set A_KEY",
        "nothing was called, and no monitor was added",
    ):
        assert line in said
    rows = [line.split() for line in said.splitlines()]
    assert ["5", "12", "(3.0", "d)", "1,234", "(308.5", "d)"] in rows
    assert ["3", "-", "-"] in rows
    printed = document("add", "hourly", *REQUIRED, "--dry-run")
    assert printed["usd"] == {"tick": 0.01, "day": 0.04, "year": 14.6, "baseline": 1.0}
    assert printed["delays"][1] == {"group": "all", "drop": 3.0, "ticks": None, "days": None}


def test_a_dry_run_without_a_price_says_that_the_cost_is_unknown(port):
    said = called("add", "hourly", *REQUIRED, "--dry-run").stdout
    assert "The model has no price: its cost is unknown, not zero." in said
    assert "$" not in said


def test_the_list_has_a_row_a_monitor(port):
    port.looks.append(watched(name="other", state=mo.MONITOR_STATE_FAILED, reason="no price\nat all", alarms=2))
    said = called("list").stdout
    assert "0.4000 of 5.00" in said
    assert "next tick, UTC" in said, "a schedule has a time zone of its own"
    assert "no price at all" in said
    listed = document("list")
    assert [(one["monitor"], one["state"], one["open_alarms"]) for one in listed] == [("hourly", "watching", 0), ("other", "failed", 2)]


def test_no_monitors_are_said_to_be_none(port):
    port.looks = []
    assert called("list").stdout == "no monitors yet; add one with `genlevel monitor add`\n"
    assert document("list") == []


def test_show_has_alarms_first_with_answers_before_and_after_and_evidence_as_a_share(port):
    port.looks[0].alarms.extend([ALARM, OLD_ALARM])
    said = called("show", "hourly", "--ticks", "5").stdout
    assert port.asked == [mo.GetMonitorRequest(name="hourly", ticks=5)]
    assert "\x1b" not in said
    flat = " ".join(said.split())
    for words in (
        "hourly: watching",
        "candidate on starter, every 6h (UTC); 200 instances, drawn of 20 times as many",
        "any false alarm within 365d: a chance of at most 0.05",
        "baseline: ba5e11111111, 5 times each",
        "ticks: 12, 1 missed; last 2027-01-15 08:00, next 2027-01-15 08:00 (UTC)",
        "cost: at most $3.00 in all, today $0.4 of $5.00",
        "ALARM a1, regression: the score has dropped",
        "all, raised 2027-01-15 08:00 by tick 12 (run 0123456789ab), since about 2027-01-15 08:00 (tick 10)",
        "about 9.50 points (6.00 to 13.00 with 95 %)",
        "before: 100.00 B",
        "now: 0.00 A\\x1b[2J A",
        "chat: delivered",
        "genlevel compare ba5e11111111 0123456789ab --instances",
        "genlevel monitor acknowledge hourly: seen",
        "genlevel monitor rebase hourly: take the model as it is now",
        "all 200 72.50 70.00 +2.50 -1.00 to 6.00 50 % 0 %",
        "latency - -",
        "12 2027-01-15 08:00 complete 200 70.00 +2.50 0.1000 0123456789ab 2 failed",
        "earlier alarm a0, 2027-01-15 08:00: slower; acknowledged 2027-01-15 08:00 by ada: known",
        "2027-01-15 08:00 model: gpt-4o-2024-08-06 answers",
    ):
        assert words in flat, words
    assert said.index("ALARM") < said.index("down, up: evidence")


def test_a_narrow_window_breaks_no_number_and_no_id(port, monkeypatch):
    monkeypatch.setattr("genlevel.cli.monitor_card.console", lambda: Console(width=80))
    port.looks[0].groups.append(
        mo.MonitorGroup(
            group="Cognitive Question Answering", instances=1200, score=70.0, baseline=100.0, drop=-100.0, low=-100.0, high=100.0
        )
    )
    said = called("show", "hourly").stdout
    assert [line for line in said.splitlines() if "complete" in line and "0123456789ab" in line and "0.1000" in line]
    assert [line for line in said.splitlines() if line.split()[1:6] == ["1,200", "100.00", "70.00", "-100.00", "-100.00"]]
    assert "100.00 to 100.00" not in said
    assert "Answering" in said


def test_show_says_nothing_of_what_to_do_without_an_alarm(port):
    assert "what to do" not in called("show", "hourly").stdout


def test_an_outage_is_looked_at_by_its_failures_and_no_reason_for_a_new_baseline(port):
    outage = mo.MonitorAlarm(
        id="a2", kind="outage", group="all", what="the model cannot be asked", raised=NOON, tick=12, tick_run="0123456789ab"
    )
    port.looks[0].alarms.append(outage)
    said = called("show", "hourly").stdout
    assert "genlevel show 0123456789ab --failures" in said
    assert "genlevel monitor acknowledge hourly" in said
    assert "genlevel compare" not in said
    assert "rebase" not in said


def test_drift_of_the_whole_is_not_that_of_a_group_and_groups_far_from_an_alarm_are_left_out(port):
    def check(signal, evidence):
        return mo.MonitorCheck(signal=signal, direction="up", log_evidence=evidence, log_threshold=10.0)

    port.looks[0].groups[0].checks.append(check("refusals", 9.0))
    port.looks[0].groups.extend(
        [
            mo.MonitorGroup(group="language", checks=[check("refusals", 5.0), check("latency", 0.1)]),
            mo.MonitorGroup(group="nlp/Odd", checks=[check("refusals", 0.1)]),
        ]
    )
    rows = [line.split() for line in called("show", "hourly").stdout.splitlines()]
    drift = rows[next(number for number, row in enumerate(rows) if row[:2] == ["drift", "of"]) :]
    assert ["refusals", "-", "90", "%"] in drift
    assert ["refusals", "in", "language", "-", "50", "%"] in drift
    assert not any(row[:2] == ["latency", "in"] or "nlp/Odd" in row for row in drift)


def test_show_as_json_has_all_of_it(port):
    port.looks[0].alarms.extend([ALARM, OLD_ALARM])
    shown = document("show", "hourly")
    (group,) = shown["groups"]
    assert [check["share"] for check in group["checks"]] == [0.5, 0.0, None]
    assert group["interval"] == [-1.0, 6.0]
    assert (shown["alarms"][0]["interval"], shown["alarms"][0]["acknowledged"]) == ([6.0, 13.0], None)
    assert (shown["alarms"][1]["acknowledged_by"], shown["alarms"][1]["estimate"]) == ("ada", None)
    assert (shown["budget_usd_per_day"], shown["most_usd"], shown["last_ticks"][0]["most_usd"]) == (5.0, 3.0, 0.1)
    assert "-Infinity" not in json.dumps(shown)


def test_a_monitor_of_which_nothing_is_known_yet_is_shown(port):
    port.looks = [
        mo.GetMonitorResponse(monitor=mo.Monitor(name="hourly", state=mo.MONITOR_STATE_BASELINE, reason="its baseline is being asked"))
    ]
    said = called("show", "hourly").stdout
    assert "hourly: baseline (its baseline is being asked)" in said
    assert "baseline: not there yet" in said
    assert "cost: unknown in all, today unknown" in said
    assert document("show", "hourly")["groups"] == []


def test_evidence_of_nothing_at_all_is_shown_as_none(port):
    port.looks[0].groups[0].checks[0].log_evidence = float("-inf")
    assert document("show", "hourly")["groups"][0]["checks"][0]["log_evidence"] is None


@pytest.mark.parametrize(
    ("command", "request_", "said"),
    [
        (("pause", "hourly"), mo.PauseMonitorRequest(name="hourly", paused=True), "monitor hourly: is paused\n"),
        (("resume", "hourly"), mo.PauseMonitorRequest(name="hourly"), "monitor hourly: goes on\n"),
        (
            ("acknowledge", "hourly", "a1", "--note", "a new release"),
            mo.AcknowledgeAlarmsRequest(name="hourly", alarms=["a1"], note="a new release"),
            "monitor hourly: acknowledged: a1\n",
        ),
        (
            ("rebase", "hourly", "--repeats", "9"),
            mo.RebaseMonitorRequest(name="hourly", baseline_repeats=9),
            "compared with a new baseline",
        ),
        (("rebase", "hourly", "--baseline", "r1"), mo.RebaseMonitorRequest(name="hourly", baseline="r1"), "compared with r1 from now on"),
        (("remove", "hourly"), mo.RemoveMonitorRequest(name="hourly"), "monitor hourly: is removed\n"),
        (("test-alarm", "hourly"), mo.TestAlarmRequest(name="hourly"), "chat: took it\n"),
        (("test-alarm", "--destination", "chat"), mo.TestAlarmRequest(destination="chat"), "chat: took it\n"),
        (
            ("run-now", "hourly"),
            mo.RunMonitorRequest(name="hourly"),
            "tick 13 is asked for; `genlevel up` asks it, or this command with --wait",
        ),
    ],
)
def test_each_command_asks_for_one_thing_and_says_what_came_of_it(port, command, request_, said):
    assert said in called(*command).stdout
    assert port.asked[0] == request_
    document(*command)


def test_what_excludes_each_other_or_is_missing_is_refused(port):
    assert "--repeats goes without --baseline" in called("rebase", "hourly", "--baseline", "r", "--repeats", "3", code=2).output
    assert "name a monitor, or a destination with --destination" in called("test-alarm", code=2).output
    assert port.asked == []


def test_a_destination_that_did_not_take_a_test_alarm_is_an_exit_code(port):
    port.problem = "it answered 404"
    assert called("test-alarm", "hourly", code=1).stdout == "chat: it answered 404\n"


def test_a_monitor_that_is_not_there_is_an_error(port):
    assert isinstance(called("show", "none", code=1).exception, NotFoundError)


def test_commands_do_not_make_a_folder_to_look_into(port):
    assert "no monitors in nowhere; add one with `genlevel monitor add`" in str(called("list", "--out", "nowhere", code=1).exception)


def test_every_field_that_is_printed_is_described(port):
    checker = Checker()
    port.looks[0].alarms.extend([ALARM, OLD_ALARM])
    port.plan = PLAN
    for anchor, *command in (
        ("monitor", "list"),
        ("watched-monitor", "show", "hourly"),
        ("monitor", "add", "hourly", *REQUIRED),
        ("monitor-plan", "add", "hourly", *REQUIRED, "--dry-run"),
        ("monitor", "pause", "hourly"),
        ("monitor", "resume", "hourly"),
        ("monitor", "rebase", "hourly"),
        ("acknowledged-monitor", "acknowledge", "hourly"),
        ("removed-monitor", "remove", "hourly"),
        ("tested-destination", "test-alarm", "hourly"),
        ("asked-tick", "run-now", "hourly"),
    ):
        checker.check(document(*command), anchor)
    port.looks = [watched(), ticking(mo.TICK_OUTCOME_COMPLETE)]
    checker.check(document("run-now", "hourly", "--wait"), "asked-tick")
    assert not checker.problems
    assert {place for place in checker.unseen() if place.partition(".")[0] in MONITORS} == set()


# -- waiting for a tick ------------------------------------------------------------------------------------------------


def ticking(outcome: int, **fields: Any) -> mo.GetMonitorResponse:
    found = watched(**fields)
    found.ticks.insert(0, mo.MonitorTick(number=13, outcome=outcome, run_id="13" * 6, score=60.0, drop=12.5))  # type: ignore[arg-type]
    return found


@pytest.mark.parametrize(
    ("last", "code"),
    [
        (ticking(mo.TICK_OUTCOME_COMPLETE), 0),
        (ticking(mo.TICK_OUTCOME_COMPLETE, alarms=1), 3),
        (ticking(mo.TICK_OUTCOME_OUTAGE, alarms=1), 3),
        (ticking(mo.TICK_OUTCOME_OUTAGE), 1),
        (ticking(mo.TICK_OUTCOME_PARTIAL), 1),
        (ticking(mo.TICK_OUTCOME_FAILED), 1),
        (watched(state=mo.MONITOR_STATE_FAILED, reason="the suite is gone"), 1),
    ],
)
def test_a_tick_that_is_waited_for_says_what_came_of_it(port, last, code):
    port.looks = [watched(), watched(), ticking(mo.TICK_OUTCOME_OPEN), last]
    if last.monitor.alarms:
        last.alarms.append(ALARM)
    done = called("run-now", "hourly", "--wait", code=code)
    assert "tick 13 goes on" in done.stderr
    assert ("ALARM a1" in done.stdout) == (code == 3)
    if last.monitor.state == mo.MONITOR_STATE_FAILED:
        assert "monitor hourly has failed: the suite is gone" in done.stdout
    else:
        assert "-12.50 points from the baseline; run 131313131313" in done.stdout


def test_waiting_waits_for_the_baseline_first_and_asks_for_one_tick(port):
    begins = watched(state=mo.MONITOR_STATE_BASELINE, reason="30 of 100")
    begins.monitor.state = mo.MONITOR_STATE_BASELINE
    port.looks = [begins, begins, watched(), ticking(mo.TICK_OUTCOME_COMPLETE)]
    done = called("run-now", "hourly", "--wait")
    assert done.stderr.count("its baseline is asked first: 30 of 100") == 1
    assert [type(one).__name__ for one in port.asked].count("RunMonitorRequest") == 1
    assert [type(one).__name__ for one in port.asked].index("RunMonitorRequest") == 3


def test_a_baseline_that_fails_is_told_and_no_tick_is_asked_for(port):
    begins = watched()
    begins.monitor.state = mo.MONITOR_STATE_BASELINE
    port.looks = [begins, watched(state=mo.MONITOR_STATE_FAILED, reason="no key")]
    assert "monitor hourly has failed: no key" in called("run-now", "hourly", "--wait", code=1).stdout
    assert not any(isinstance(one, mo.RunMonitorRequest) for one in port.asked)
    port.looks = [watched(state=mo.MONITOR_STATE_FAILED, reason="no key")]
    assert document("run-now", "hourly", "--wait", code=1) == {"monitor": "hourly", "number": None, "tick": None, "alarms": []}


async def test_a_service_that_is_away_for_a_moment_is_waited_for(port, monkeypatch):
    from genlevel.client import following
    from genlevel.runtime.errors import Unavailable

    monkeypatch.setattr(following, "_PAUSES_S", (0.0,))
    port.looks = [watched(), ticking(mo.TICK_OUTCOME_COMPLETE)]
    usual, failures = port.get_monitor, iter([True, False, True, False])

    async def get_monitor(request):
        if next(failures):
            raise Unavailable("the evaluator is away")
        return await usual(request)

    port.get_monitor = get_monitor
    found = await monitor_run.ticked(port, "hourly", say=lambda text: None, elsewhere=True, sleep=lambda seconds: asyncio.sleep(0))
    assert found.tick is not None
    assert found.tick.number == 13

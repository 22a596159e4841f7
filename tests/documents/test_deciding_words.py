"""How a run that asks only until something is decided goes, in words: what is left is not known, and is not said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genlevel.cli.runs import _status
from genlevel.documents.progress_line import done_told, progress_line
from genlevel.documents.run_progress import limits_document, progress_document
from genlevel.documents.run_words import Standing, limits_told, progress_facts, standing_of
from genlevel.documents.runs import status_name
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc

UNTIL = ev.UntilDecided(aim=ev.UntilDecided.AIM_VERDICT)


def going(done: int, total: int, settled: int = 12, tasks: int = 690) -> ev.WatchRunResponse:
    run = ev.Run(status=ev.RUN_STATUS_RUNNING, counts=sc.OutcomeCounts(total=total, pending=total - done))
    run.traffic.until_decided.CopyFrom(UNTIL)
    deciding = ev.DecidingProgress(settled=settled, tasks=tasks)
    return ev.WatchRunResponse(run=run, in_flight=8, rate=4.0, remaining_s=9000.0, deciding=deciding)


def test_the_line_says_at_most_how_many_and_no_time_that_is_left() -> None:
    line = progress_line(going(1234, 42_000))
    assert line.startswith("1,234 of at most 42,000 | 12 of 690 tasks settled | 8 in flight | 4.0/s | ")
    assert "left" not in line


def test_what_the_model_does_not_take_is_no_call_of_the_line() -> None:
    said = going(1234, 42_000)
    said.run.counts.unsupported, said.deciding.calls = 234, 30_000
    assert progress_line(said).startswith("1,000 of at most 30,000 | 12 of 690 tasks settled | 234 unsupported | ")
    said.run.counts.unsupported, said.deciding.calls = 1234, 0
    assert progress_line(said).startswith("0 of at most 0 | ")
    said.run.status = ev.RUN_STATUS_DECIDED
    said.run.decision.asked, said.run.decision.total = 1000, 30_000
    assert progress_line(said).startswith("1,000 of 30,000 asked | ")
    said.ClearField("deciding")
    for status, done in ((ev.RUN_STATUS_BUDGET, "1,000 of 30,000 asked"), (ev.RUN_STATUS_FINISHED, "1,234/42,000")):
        said.run.status = status
        assert progress_line(said).startswith(f"{done} | ")
        assert done_told(said.run) == done


@pytest.mark.parametrize("columns", [60, 80])
@given(st.integers(0, 10**6), st.integers(0, 699), st.integers(0, 10**9))
def test_the_line_fits_and_keeps_what_was_asked_and_is_settled(columns: int, done: int, settled: int, cost: int) -> None:
    said = going(done, 10**6, settled, 699)
    said.run.cost_nano_usd, said.run.retries, said.run.counts.failed = cost, 1000, 999
    said.waiting.update({"tokens": 1000})
    line = progress_line(said, columns)
    assert len(line) < columns
    assert line.startswith(f"{done:,} ")
    assert f"{settled:,} of 699" in line


def test_a_page_says_the_same() -> None:
    facts = dict(progress_facts(going(1234, 42_000), None))
    assert (facts["Settled"], facts["Time left"]) == ("12 of 690 tasks", "until it is decided")
    plain = going(1, 2)
    plain.ClearField("deciding")
    plain.run.traffic.ClearField("until_decided")
    facts = dict(progress_facts(plain, None))
    assert (facts.get("Settled"), facts["Time left"]) == (None, "about 2 h 30 min")


def test_its_limits_say_what_it_is_asked_for() -> None:
    said = going(1, 2)
    assert limits_told(said.run)[-1] == (
        "Asked until it is decided",
        "the highest level that the full run would certify (error at most 0.01)",
    )
    document = progress_document(said)
    assert document["deciding"] == {"settled": 12, "tasks": 690, "calls": None}
    assert document["limits"]["until_decided"] == {"aim": "verdict", "epsilon": 0.01, "alpha": 0.05, "with_uncertifiable": False}
    assert limits_document(ev.TrafficSettings())["until_decided"] is None


def test_a_decided_run_stands_well_and_is_not_said_to_be_finished() -> None:
    run = ev.Run(status=ev.RUN_STATUS_DECIDED, wanted=ev.RUN_WANTED_FINISHED)
    assert (status_name(run.status), standing_of(run).word, standing_of(run).kind) == ("decided", "decided", "good")
    assert "not all of its instances were asked" in standing_of(run).line
    stuck = ev.Run(status=ev.RUN_STATUS_DECIDED, reason="it stays undecided")
    assert standing_of(stuck) == Standing("undecided", "warn", "it stays undecided")
    over = ev.Run(status=ev.RUN_STATUS_DECIDED, reason="--budget-usd $1.00 was exceeded by $0.01")
    assert (standing_of(over).word, standing_of(over).kind) == ("decided", "warn")
    run.counts.total, run.counts.pending = 1200, 1136
    assert progress_line(ev.WatchRunResponse(run=run)).startswith("64 of 1,200 asked | ")


def test_lists_of_runs_say_that_a_run_stays_undecided() -> None:
    told = {"wanted": "finished", "reason": "it stays undecided: answers have failed"}
    assert _status({**told, "status": "decided"}) == "undecided"
    assert [_status({**told, "status": status, "reason": None}) for status in ("decided", "finished")] == ["decided", "finished"]

"""``genlevel certify`` of a run that was decided early: the certificate as it stands, and a line that points to the decision."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from genlevel.benchmark.catalogue import general_bench
from genlevel.cli.certify import _print, _run_document
from genlevel.connection.services import verdict_of
from genlevel.v1 import evaluator_pb2 as ev
from tests.views.decided import decision_of
from tests.web.scored import ScoredRuns, choices

TASK = next(task for task in general_bench().tasks if task.metric.id == "accuracy")


def test_the_decision_is_pointed_to_until_the_run_is_complete(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = ScoredRuns(tmp_path)
    asyncio.run(runs.store("run", {TASK.id: choices(9, 10)}, [TASK]))
    run, verdict = runs.evaluator.runs["run"], asyncio.run(verdict_of(runs.services(), "run"))
    plain = _run_document(run, verdict)
    assert "decision" not in plain
    run.decision.CopyFrom(decision_of())
    assert _run_document(run, verdict) == plain, "it is complete"
    run.status = ev.RUN_STATUS_DECIDED
    document = _run_document(run, verdict)
    assert document == {**plain, "decision": document["decision"]}
    _print(document, frozenset())
    _head, certified, early, *_details = capsys.readouterr().out.splitlines()
    assert certified.startswith("certified: ")
    assert early.startswith("decided early: Level 3 (attained by pooled betting, which names no task; asked 175 of 42,000;")

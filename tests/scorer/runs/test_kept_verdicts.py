"""Verdicts that are kept: always what computing them now would say, whatever they rest on has changed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.catalogue import general_bench
from genlevel.benchmark.model import Modality, Paradigm, Task, TaskMetric
from genlevel.benchmark.outcomes import Outcome
from genlevel.runtime.errors import UsageError
from genlevel.runtime.storage import sqlite_url
from genlevel.v1 import scorer_pb2 as sc
from scorer.certify import Ends, Estimate
from scorer.runs.certified import ALPHA
from scorer.runs.code import code_digest
from scorer.runs.verdicts import RunVerdicts
from scorer.scoring.task_scoring import TaskOutcome
from scorer.service import Scorer
from scorer.store import scores as scores_module
from scorer.store.records import StoredRun, StoredScore
from scorer.store.scores import ScoreStore
from scorer.store.tables import runs, verdicts
from scorer.tasks import RunFacts, TaskRecord

TASKS = [task for task in general_bench().tasks if task.metric.id == "accuracy"][:3]
OWN = TaskRecord(key="own", name="Own", sheet="own", modality=Modality.IMAGE, paradigm=Paradigm.COMPREHENSION, metric=TASKS[0].metric)
RUN = StoredRun("r", "m", "s", "general-bench", plan=1)


def record(task: Task) -> TaskRecord:
    return TaskRecord(
        key=task.id,
        name=task.name,
        sheet=task.sheet,
        modality=task.modality,
        paradigm=task.paradigm,
        metric=task.metric,
        fingerprint="ab" * 32,
    )


def score(right: int, total: int = 20, task: Task = TASKS[0], *, failed: int = 0, partial: bool = False) -> StoredScore:
    value = None if failed else 100.0 * right / total
    low, high = (100.0 * count / (total + failed) for count in (right, right + failed))
    ends = Ends(*(Estimate(end, 1.0, total + failed, binary=True) for end in (low, high)))
    counts = {Outcome.ANSWERED: total} | ({Outcome.FAILED: failed} if failed else {})
    statistics: dict[AnswerKey, tuple[Outcome, object]] = {AnswerKey("i"): (Outcome.ANSWERED, 1)}
    outcome = TaskOutcome(value, low, high, None, counts, "", (), statistics)
    return StoredScore(record(task), partial, outcome, evidence=ends, examined=True)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.full)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ScoreStore]:
    url = request.getfixturevalue("postgresql") if request.param == "postgresql" else sqlite_url(tmp_path / "scores.sqlite")
    opened = ScoreStore(url)
    yield opened
    opened.close()


def said(store: ScoreStore, run_id: str = "r", *, code: str = "code", references: str = "workbook", **how: Any) -> sc.GetVerdictResponse:
    return RunVerdicts(store, code=code).verdict(run_id, references, how.pop("alpha", ALPHA), **how)


def computed(store: ScoreStore, run_id: str = "r", references: str = "workbook") -> sc.GetVerdictResponse:
    return said(store, run_id, code="", references=references)


def is_kept(store: ScoreStore, run_id: str = "r", *, code: str = "code", references: str = "workbook") -> bool:
    return store.verdicts.verdict(run_id, references, code) is not None


def change_of(store: ScoreStore, run: StoredRun, *scores: StoredScore) -> None:
    for one in scores:
        store.save(run, one)


CHANGES: dict[str, Callable[[ScoreStore], None]] = {
    "a score": lambda store: store.save(RUN, score(3)),
    "the same score again": lambda store: store.save(RUN, score(19)),
    "a further task": lambda store: store.save(RUN, score(4, task=TASKS[1])),
    "an instance that failed": lambda store: store.save(RUN, score(19, failed=2)),
    "a part": lambda store: store.save(RUN, score(19, partial=True)),
    "the number of its plan": lambda store: store.begin(replace(RUN, plan=2), []),
    "how it was asked": lambda store: store.begin(replace(RUN, facts=RunFacts(chosen="ab", occasion="")), []),
    "the plans of its parts": lambda store: store.begin(replace(RUN, facts=RunFacts(task_plans={TASKS[0].id: 3})), []),
    "a pending task": lambda store: store.begin(RUN, [score(0, task=TASKS[2])]),
    "its benchmark": lambda store: store.begin(replace(RUN, benchmark="mine", benchmark_tasks=(replace(OWN, key=TASKS[0].id),)), []),
    "its model": lambda store: store.begin(replace(RUN, model="another"), []),
    "its suite": lambda store: store.begin(replace(RUN, suite="another", suite_hash="ff", part=True), []),
}


@pytest.mark.parametrize("changed", CHANGES)
def test_whatever_it_rests_on_changes_it_is_computed_again(store: ScoreStore, changed: str) -> None:
    store.save(RUN, score(19))
    before = said(store)
    assert is_kept(store)
    CHANGES[changed](store)
    assert not is_kept(store)
    assert not RunVerdicts(store, code="code").standings(["r"], "workbook")[0]
    assert said(store) == computed(store)
    assert is_kept(store)
    assert (said(store) == before) == (computed(store) == before)


def test_a_clock_that_stands_still_or_goes_back_hides_no_change(store: ScoreStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.save(RUN, score(19))
    said(store)
    for now in (5.0, 5.0, 4.0):
        monkeypatch.setattr(scores_module.time, "time", lambda now=now: now)
        store.save(RUN, score(int(now)))
        assert not is_kept(store)
        assert said(store) == computed(store)


def test_what_is_scored_while_it_is_computed_is_in_no_kept_verdict(store: ScoreStore) -> None:
    store.save(RUN, score(19))
    made = RunVerdicts(store, code="code")
    of = made.of

    def scored_meanwhile(run: StoredRun, references: str = "workbook") -> Any:
        found = of(run, references)
        store.save(RUN, score(3))
        return found

    made.of = scored_meanwhile  # type: ignore[method-assign]
    assert made.verdict("r", "workbook", ALPHA).tasks[0].score == 95.0
    assert not is_kept(store)
    assert said(store).tasks[0].score == 15.0


def test_other_code_other_references_and_what_is_asked_otherwise_are_computed(store: ScoreStore) -> None:
    store.save(RUN, score(19))
    workbook = said(store)
    assert [is_kept(store, code=code) for code in ("code", "newer")] == [True, False]
    assert not is_kept(store, references="appendix")
    assert said(store, references="appendix") == computed(store, references="appendix") != workbook
    with store._engine.begin() as connection:  # so that what is read is seen
        connection.execute(verdicts.update().values(verdict=b"not read"))
    for how in ({"alpha": 0.1}, {"draws": 20}, {"reference_instances": 7}, {"code": "newer"}):
        assert said(store, **how).certificate.tasks  # type: ignore[arg-type]


def test_a_deleted_run_takes_its_verdicts_along_and_a_later_one_of_its_name_has_its_own(store: ScoreStore) -> None:
    store.save(RUN, score(19))
    said(store)
    with store._engine.begin() as connection:
        connection.execute(runs.delete())
        assert connection.execute(sa.select(sa.func.count()).select_from(verdicts)).scalar() == 0
    store.save(RUN, score(3))
    assert said(store).tasks[0].score == 15.0


def test_a_later_plan_or_another_run_of_the_model_changes_nothing(store: ScoreStore) -> None:
    store.save(RUN, score(19))
    before = said(store)
    store.save(replace(RUN, run_id="other", plan=2), score(2))
    assert is_kept(store)
    assert said(store) == computed(store) == before


def test_which_version_says_it_is_that_of_now(store: ScoreStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.save(RUN, score(19))
    said(store)
    from genlevel.runtime.version import Version
    from scorer.runs import stamp
    from scorer.runs import verdicts as module

    for room in (stamp, module):
        monkeypatch.setattr(room, "this_version", lambda: Version("99", "abc"))
    assert is_kept(store)
    assert (said(store).stamp.version, said(store).stamp.commit) == ("99", "abc")
    assert said(store) == computed(store)


def test_a_storage_that_cannot_be_written_is_read_as_before_and_lists_need_not_wait_again(
    store: ScoreStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.save(RUN, score(19))
    with store._engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE scorer_verdicts RENAME TO away"))
        connection.execute(sa.text("CREATE VIEW scorer_verdicts AS SELECT * FROM away"))  # which takes no rows
    made = RunVerdicts(store, code="code")
    assert made.standings(["r"], "workbook") == ({}, ["r"])
    assert made.verdict("r", "workbook", ALPHA) == computed(store)
    known, others = made.standings(["r"], "workbook")
    assert (list(known), others) == (["r"], [])
    store.save(RUN, score(3))
    assert made.standings(["r"], "workbook") == ({}, ["r"])


def test_who_reads_does_not_wait_for_who_writes(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "scores.sqlite")
    store, other = ScoreStore(url), sa.create_engine(url, isolation_level=None)
    store.save(RUN, score(19))
    with other.connect() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        done = threading.Event()
        threading.Thread(target=lambda: (said(store), done.set()), daemon=True).start()
        assert done.wait(5.0)
        assert not is_kept(store)
        connection.exec_driver_sql("ROLLBACK")
    other.dispose()
    store.close()


OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("save"), st.sampled_from(["r", "q"]), st.integers(0, 2), st.integers(0, 20), st.integers(0, 2)),
        st.tuples(st.just("begin"), st.sampled_from(["r", "q"]), st.integers(0, 2), st.integers(0, 3), st.booleans()),
        st.tuples(st.just("ask"), st.sampled_from(["r", "q"]), st.sampled_from(["workbook", "appendix"])),
        st.tuples(st.just("delete"), st.sampled_from(["r", "q"])),
    ),
    max_size=8,
)


@given(operations=OPERATIONS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_is_kept_is_what_is_computed(operations: Sequence[tuple[Any, ...]]) -> None:
    store = ScoreStore("sqlite://")
    for kind, run_id, *rest in operations:
        run = replace(RUN, run_id=run_id)
        if kind == "save":
            store.save(run, score(rest[1], task=TASKS[rest[0]], failed=rest[2]))
        elif kind == "begin":
            store.begin(replace(run, plan=rest[1], part=rest[2]), [score(0, task=TASKS[rest[0]])])
        elif kind == "delete":
            with store._engine.begin() as connection:
                connection.execute(runs.delete().where(runs.c.run_id == run_id))
        elif store.run(run_id) is not None:
            assert said(store, run_id, references=rest[0]) == computed(store, run_id, rest[0])
    for run_id in ("r", "q"):
        if store.run(run_id) is not None:
            assert said(store, run_id) == said(store, run_id) == computed(store, run_id)
    store.close()


async def test_lists_of_many_runs_say_what_their_verdicts_say(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "scores.sqlite")
    store = ScoreStore(url)
    store.save(RUN, score(19))
    store.save(RUN, score(7, task=TASKS[1], failed=1))
    store.save(replace(RUN, run_id="q", model="other", suite_hash="ff" * 32), score(3, partial=True))
    store.close()
    scorer = Scorer(url)
    asked = sc.ListStandingsRequest(run_ids=["q", "none", "r", "q"], kept=True)
    awaited = [one async for one in scorer.list_standings(asked)]
    assert [(one.run_id, one.awaited, one.model) for one in awaited] == [("q", True, ""), ("r", True, "")]
    for _ in range(200):
        listed = [one async for one in scorer.list_standings(asked)]
        if not any(one.awaited for one in listed):
            break
        await asyncio.sleep(0.02)
    assert listed == [one async for one in scorer.list_standings(sc.ListStandingsRequest(run_ids=["q", "r"]))]
    for one in listed:
        verdict = await scorer.get_verdict(sc.GetVerdictRequest(run_id=one.run_id))
        for name in ("run_id", "model", "suite", "suite_hash", "benchmark", "part", "plan", "incomplete", "references", "levels"):
            assert getattr(one, name) == getattr(verdict, name), name
        for brief, whole in (
            (one.certified, verdict.certificate),
            (one.certified_against_specialists, verdict.certificate_against_specialists),
        ):
            assert (brief.verdict, brief.certified_wins, list(brief.levels)) == (whole.verdict, whole.certified_wins, list(whole.levels))
    first, second = listed[1].tasks, listed[0].tasks
    by_id = dict(zip(first.ids, zip(first.values, first.answered, first.incomplete, strict=True), strict=True))
    assert by_id[TASKS[0].id] == (95.0, 20, False)
    assert (by_id[TASKS[1].id][0] != by_id[TASKS[1].id][0], by_id[TASKS[1].id][1:]) == (True, (20, True))
    assert (list(second.partial), list(second.contents), list(second.fingerprints)) == ([True], [0], [0xABABABABABABABAB])
    assert listed[1].referenced
    with pytest.raises(UsageError, match="no references 'mine'"):
        _ = [one async for one in scorer.list_standings(sc.ListStandingsRequest(references="mine"))]
    with pytest.raises(UsageError, match="10001 runs are too many; ask for at most 10000"):
        _ = [one async for one in scorer.list_standings(sc.ListStandingsRequest(run_ids=map(str, range(10001))))]
    scorer.close()


def test_the_code_is_told_by_its_files() -> None:
    assert len(code_digest()) == 64
    assert TaskMetric("accuracy", "ACC") == TASKS[0].metric

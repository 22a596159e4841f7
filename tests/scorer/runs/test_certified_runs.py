"""A run's certificate: drawn from what the store keeps, clusters and failed instances included, on the wire, as JSON and as series."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from prometheus_client import CollectorRegistry
from scipy import stats

from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.catalogue import general_bench
from genlevel.benchmark.model import Task
from genlevel.runtime.errors import UsageError
from genlevel.runtime.schema import Schema
from genlevel.runtime.storage import sqlite_url
from genlevel.v1 import scorer_pb2 as sc
from scorer.certify.intervals import wilson
from scorer.levels.rules import judge_all
from scorer.reports.certificates import certificate_json, certify_values
from scorer.reports.documents import verdict_certified_json
from scorer.scoring.task_scoring import shared_clusters
from scorer.service import Scorer
from scorer.store.encoding import EVIDENCE_VERSION
from scorer.store.scores import ScoreStore
from scorer.store.tables import task_scores, verdicts
from scorer.workbooks.instances import WorkbookInstances

TASKS = general_bench().tasks
IMAGES = [
    task for task in TASKS if task.metric.id == "accuracy" and task.sheet == "Image-Comprehension" and (task.reference_workbook or 0) > 30
]
LANGUAGE = next(task for task in TASKS if task.name == "Causal Reasoning")
COUNTING = next(task for task in TASKS if task.metric.id == "mae")
MICRO = next(task for task in TASKS if task.metric.id == "micro_f1")
PAIR = {"model": "m", "suite": "s", "suite_hash": "", "partial": "false"}


def head(task: Task, run: str = "r") -> sc.ScoreTaskHeader:
    description = sc.TaskDescription(
        key=f"k/{task.id}",
        name=task.name,
        sheet=task.sheet,
        modality=task.modality.value,
        paradigm=task.paradigm.value if task.paradigm else "",
        metric=task.metric.id,
        metric_label=task.metric.label,
        metric_parameters=dict(task.metric.parameters),
    )
    return sc.ScoreTaskHeader(run_id=run, model="m", suite="s", benchmark="general-bench", task=description)


def answers(right: int, wrong: int, failed: int = 0, *, cluster_of: int = 1) -> Iterator[sc.InstanceAnswer]:
    """cluster_of: so many instances in a row share a cluster. Labels alternate, so that the best constant answer is right in half."""
    kinds = [(0, sc.OUTCOME_ANSWERED)] * right + [(1, sc.OUTCOME_ANSWERED)] * wrong + [(0, sc.OUTCOME_FAILED)] * failed
    for index, (off, outcome) in enumerate(kinds):
        yield sc.InstanceAnswer(
            id=f"i{index:04}",
            outcome=outcome,
            raw_answer="AB"[(index + off) % 2] if outcome == sc.OUTCOME_ANSWERED else "",
            answer_type="choice",
            label_json=f'"{"AB"[index % 2]}"',
            options=["x", "y"],
            cluster=f"c{index // cluster_of}" if cluster_of > 1 else "",
        )


async def stream(header: sc.ScoreTaskHeader, instances: Iterable[sc.InstanceAnswer]) -> AsyncIterator[sc.ScoreTaskRequest]:
    yield sc.ScoreTaskRequest(header=header, instances=instances)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return sqlite_url(tmp_path / "scores.sqlite")


async def certificate(scorer: Scorer, **request: float) -> sc.Certificate:
    return (await scorer.get_verdict(sc.GetVerdictRequest(run_id="r", **request))).certificate  # type: ignore[arg-type]


async def test_a_clear_win_is_certified_by_the_exact_test_and_a_lucky_one_is_not(url: str) -> None:
    scorer = Scorer(url)
    clear, lucky = IMAGES[0], next(task for task in IMAGES[1:] if 55 < (task.reference_workbook or 0) < 95)  # above any constant answer
    reference = round(lucky.reference_workbook or 0.0)
    await scorer.score_task(stream(head(clear), answers(400, 0)))
    await scorer.score_task(stream(head(lucky), answers(reference + 1, 99 - reference)))
    found = await certificate(scorer)
    rows = {row.key: row for row in found.tasks}
    row = rows[f"k/{lucky.id}"]
    expected = stats.binomtest(reference + 1, 100, (lucky.reference_workbook or 0.0) / 100, alternative="greater").pvalue
    assert row.p_win == pytest.approx(float(expected), abs=1e-12)
    assert (row.test, row.units, row.win) == ("exact binomial", 100, sc.DECISION_UNDECIDED)
    assert rows[f"k/{clear.id}"].win == sc.DECISION_ATTAINED
    assert (found.alpha, found.verdict, found.certified_wins, found.untested) == (0.05, 3, 1, 0)
    third = found.levels[1]
    assert (third.level, third.decision, third.HasField("needed")) == (3, sc.DECISION_ATTAINED, False)
    assert third.p_value == pytest.approx(2 * rows[f"k/{clear.id}"].p_win)
    assert third.interval.lower <= third.score <= third.interval.upper
    document = verdict_certified_json(await scorer.get_verdict(sc.GetVerdictRequest(run_id="r")))
    assert json.loads(json.dumps(document))["levels"]["3"]["status"] == "attained"
    scorer.close()


async def test_what_a_constant_answer_gets_right_throughout_cannot_be_won(url: str) -> None:
    scorer = Scorer(url)
    alike = [
        sc.InstanceAnswer(
            id=f"i{n:03}", outcome=sc.OUTCOME_ANSWERED, raw_answer="B", answer_type="choice", label_json='"B"', options=["x", "y"]
        )
        for n in range(400)
    ]
    await scorer.score_task(stream(head(IMAGES[0]), alike))
    verdict = await scorer.get_verdict(sc.GetVerdictRequest(run_id="r"))
    assert verdict.tasks[0].win
    for found in (verdict.certificate, verdict.certificate_against_specialists):
        (row,) = found.tasks
        assert (row.best_constant, row.reference, row.p_win) == (100.0, IMAGES[0].reference_workbook, 1.0)
        assert (row.win, found.certified_wins, found.levels[1].decision) == (sc.DECISION_UNDECIDED, 0, sc.DECISION_UNDECIDED)
    scorer.close()


async def test_a_later_plan_has_the_share_of_its_number(url: str) -> None:
    scorer = Scorer(url)
    header = head(IMAGES[0])
    header.plan = 3
    await scorer.score_task(stream(header, answers(400, 0)))
    found = await certificate(scorer)
    assert (found.plan, found.alpha_plan) == (3, pytest.approx(0.00125))
    scorer.close()


async def test_instances_about_the_same_thing_do_not_count_twice(url: str) -> None:
    scorer = Scorer(url)
    task = next(task for task in IMAGES if (task.reference_workbook or 0.0) < 60.0)
    right = round(8 * (task.reference_workbook or 0.0) / 100) + 1
    await scorer.score_task(stream(head(task), answers(50 * right, 400 - 50 * right)))
    alone = (await certificate(scorer)).tasks[0]
    await scorer.score_task(stream(head(task), answers(50 * right, 400 - 50 * right, cluster_of=10)))
    together = await certificate(scorer)
    (row,) = together.tasks
    assert (alone.test, alone.units) == ("exact binomial", 400)
    assert (row.test, row.units) == ("betting on clusters of at most 10 instances", 40)
    (score,) = (await scorer.get_verdict(sc.GetVerdictRequest(run_id="r"))).tasks
    # All ten of a cluster are alike: 40 answers, not 400.
    share = score.score / 100.0
    assert score.standard_error == pytest.approx(100.0 * (share * (1.0 - share) / 39) ** 0.5)
    assert row.interval.upper - row.interval.lower > 2 * (alone.interval.upper - alone.interval.lower)
    # What it would take is said in instances: ten for a cluster.
    assert together.levels[1].needed > 1000
    assert together.levels[1].needed % 10 == 0
    assert any("share their media or text" in note for note in together.notes)
    scorer.close()


async def test_failed_instances_count_by_their_bounds(url: str) -> None:
    scorer = Scorer(url)
    await scorer.score_task(stream(head(IMAGES[0]), answers(300, 0, 300)))
    found = await certificate(scorer)
    (row,) = found.tasks
    assert (row.bounds.lower, row.bounds.upper) == (50.0, 100.0)
    assert row.interval.lower < 50.0
    assert row.interval.upper == pytest.approx(100.0)
    assert found.levels[1].decision == sc.DECISION_UNDECIDED
    assert any("failed and pending" in note for note in found.notes)
    scorer.close()


def begin(*tasks: Task, instances: int = 400) -> sc.BeginRunRequest:
    pending = [sc.PendingTask(task=head(task).task, instances=instances) for task in tasks]
    return sc.BeginRunRequest(header=head(tasks[0]), tasks=pending)


async def test_a_task_without_any_answer_yet_leaves_the_verdict_open(url: str) -> None:
    registry = CollectorRegistry()
    scorer = Scorer(url, registry)
    lost, pending = IMAGES[:2]
    await scorer.begin_run(begin(lost, pending))
    await scorer.score_task(stream(head(lost), answers(0, 400)))
    verdict = await scorer.get_verdict(sc.GetVerdictRequest(run_id="r", bootstrap_draws=100))
    score = next(score for score in verdict.tasks if score.task.key == f"k/{pending.id}")
    assert (score.counts.total, score.counts.pending, score.HasField("score")) == (400, 400, False)
    assert (score.bounds.lower, score.bounds.upper) == (0.0, 100.0)
    assert score.note == "incomplete: 400 pending of 400 instances"
    assert verdict.incomplete
    assert next(entry for entry in verdict.asked_levels.modalities if entry.modality == "image").tasks == 2
    second, third = verdict.certificate.levels[:2]
    assert (second.decision, third.decision) == (sc.DECISION_UNDECIDED, sc.DECISION_UNDECIDED)
    # The one task may still be right throughout, and a win.
    side = sum(task.sheet == pending.sheet for task in TASKS)
    most = 100.0 / side / 2 / 4
    for level in (second, third):
        assert level.interval.lower == 0.0
        assert level.interval.upper >= most - 1e-9
        assert level.bootstrap.upper == pytest.approx(most)
    assert any("the run is incomplete" in note for note in verdict.certificate.notes)
    begun = {**PAIR, "partial": "true"}
    assert registry.get_sample_value("genlevel_incomplete", begun) == 1.0
    assert registry.get_sample_value("genlevel_instances", {**begun, "outcome": "pending"}) == 400.0
    await scorer.score_task(stream(head(pending), answers(0, 400)))
    assert (await certificate(scorer)).levels[1].decision == sc.DECISION_NOT_ATTAINED
    await scorer.begin_run(begin(lost, pending))  # a run that goes on keeps its scores
    assert not (await scorer.get_verdict(sc.GetVerdictRequest(run_id="r"))).incomplete
    scorer.close()


async def test_a_task_without_any_answer_yet_may_win_also_where_its_metric_has_no_bounds(url: str) -> None:
    scorer = Scorer(url)
    await scorer.begin_run(begin(COUNTING, instances=7))
    verdict = await scorer.get_verdict(sc.GetVerdictRequest(run_id="r", bootstrap_draws=10))
    (score,) = verdict.tasks
    assert (score.counts.pending, score.HasField("bounds")) == (7, False)
    found = verdict.certificate
    assert found.untested == 1
    assert [level.decision for level in found.levels[:2]] == [sc.DECISION_UNDECIDED, sc.DECISION_UNDECIDED]
    assert found.levels[1].interval.lower == 0.0 < found.levels[1].interval.upper
    assert found.levels[1].bootstrap.lower == 0.0 < found.levels[1].bootstrap.upper
    (row,) = certificate_json(found)["tasks"]
    assert (row["bounds"], row["interval"], row["test"]) == (None, None, None)
    scorer.close()


async def test_runs_are_compared_on_tasks_that_both_have_answers_of(url: str) -> None:
    scorer = Scorer(url)
    await scorer.begin_run(begin(*IMAGES[:2]))
    for run, tasks in (("r", IMAGES[:1]), ("other", IMAGES[:2])):
        for task in tasks:
            await scorer.score_task(stream(head(task, run), answers(30, 10)))
    found = await scorer.compare(sc.CompareRequest(run_a="r", run_b="other", draws=10))
    assert [task.shared for task in found.tasks] == [40]
    assert list(found.tasks_only_b) == [f"k/{IMAGES[1].id}"]
    scorer.close()


async def test_a_run_that_begins_needs_a_header_and_tasks_with_keys(url: str) -> None:
    scorer = Scorer(url)
    with pytest.raises(UsageError, match="lack run_id, model, suite, benchmark"):
        await scorer.begin_run(sc.BeginRunRequest())
    with pytest.raises(UsageError, match="lack a key"):
        await scorer.begin_run(sc.BeginRunRequest(header=head(COUNTING), tasks=[sc.PendingTask(instances=1)]))
    scorer.close()


async def test_bounds_go_from_the_smaller_number_to_the_larger_also_where_lower_is_better(url: str) -> None:
    scorer = Scorer(url)
    counts = [
        sc.InstanceAnswer(id=str(index), outcome=outcome, raw_answer=raw, answer_type="number", label_json='["40"]')
        for index, (raw, outcome) in enumerate([*[(str(40 + off), sc.OUTCOME_ANSWERED) for off in (1, 2, 3, 4)], ("", sc.OUTCOME_FAILED)])
    ]
    await scorer.score_task(stream(head(COUNTING), counts))
    verdict = await scorer.get_verdict(sc.GetVerdictRequest(run_id="r"))
    (score,), (row,) = verdict.tasks, verdict.certificate.tasks
    # At best the fifth is right, so that ten are wrong over five; without an answer it counts as 0 of 40.
    assert (score.bounds.lower, score.bounds.upper) == (pytest.approx(2.0), pytest.approx(10.0))
    assert row.bounds == score.bounds
    assert not row.HasField("interval")  # five numbers without bounds say too little
    scorer.close()


async def test_the_error_rate_asked_for_is_the_one_used(url: str) -> None:
    scorer = Scorer(url)
    task = LANGUAGE  # the reference is 65
    await scorer.score_task(stream(head(task), answers(155, 45)))
    strict, loose = await certificate(scorer, alpha=0.01), await certificate(scorer, alpha=0.2)
    assert strict.tasks[0].p_win == loose.tasks[0].p_win == pytest.approx(float(stats.binom.sf(154, 200, 0.65)))
    assert strict.tasks[0].p_win_adjusted == pytest.approx(strict.tests * strict.tasks[0].p_win)
    assert 0.81 * 0.01 < strict.tasks[0].p_win_adjusted <= 0.81 * 0.2
    assert [found.tasks[0].win for found in (strict, loose)] == [sc.DECISION_UNDECIDED, sc.DECISION_ATTAINED]
    with pytest.raises(UsageError, match=r"alpha must be at least 1e-09 and below 0\.5, such as 0\.05, not 0\.7"):
        await certificate(scorer, alpha=0.7)
    with pytest.raises(UsageError, match="200000 bootstrap draws are too many; take at most 100000"):
        await certificate(scorer, bootstrap_draws=200_000)
    scorer.close()


async def test_bootstrap_intervals_come_with_the_certificate_when_asked_for(url: str) -> None:
    scorer = Scorer(url)
    for task in IMAGES[:3]:
        await scorer.score_task(stream(head(task), answers(60, 40)))
    assert not (await certificate(scorer)).levels[0].HasField("bootstrap")
    once, again = await certificate(scorer, bootstrap_draws=2000), await certificate(scorer, bootstrap_draws=2000)
    assert once == again
    for level in once.levels:
        assert level.bootstrap.lower <= level.score <= level.bootstrap.upper
    # Level 2 is a mean of independent shares, of which the delta method knows the error just as well.
    second = once.levels[0]
    assert second.bootstrap.upper - second.bootstrap.lower == pytest.approx(second.interval.upper - second.interval.lower, rel=0.1)
    scorer.close()


@pytest.mark.parametrize("older", [None, "[[70.0,4.6,100,true,false,0.0,null]]"])
async def test_scores_of_before_certificates_needed_what_they_need_now_are_looked_at_once(url: str, older: str | None) -> None:
    scorer = Scorer(url)
    await scorer.score_task(stream(head(LANGUAGE), answers(70, 30)))
    before = await certificate(scorer)
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(task_scores.update().values(evidence=older))
        connection.execute(verdicts.delete())  # what older code left had none
    assert await certificate(scorer) == before
    with engine.begin() as connection:
        kept = connection.execute(sa.select(task_scores.c.evidence)).scalar()
    ends = [[70.0, pytest.approx(4.60566), 100, True, False, 0.0, None, None, "", 0]]
    assert json.loads(kept or "") == {"version": EVIDENCE_VERSION, "ends": ends}
    engine.dispose()
    scorer.close()


async def test_a_score_of_one_answer_decides_nothing(url: str) -> None:
    scorer = Scorer(url)
    label = json.dumps(["joy"])
    single = sc.InstanceAnswer(id="1", outcome=sc.OUTCOME_ANSWERED, raw_answer="joy", answer_type="label", label_json=label)
    await scorer.score_task(stream(head(MICRO), [single]))
    found = await certificate(scorer)
    # A single answer is tested, and proves next to nothing.
    assert (found.untested, found.tasks[0].test) == (0, "betting on pooled counts, at most 200 items a unit")
    assert found.tasks[0].p_win > 0.99
    scorer.close()


async def test_series_follow_the_run_and_certify_only_when_they_are_read(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    registry = CollectorRegistry()
    scorer = Scorer(url, registry)
    drawn = []
    plain = scorer._verdicts.certificates
    monkeypatch.setattr(scorer._verdicts, "certificates", lambda *given: drawn.append(1) or plain(*given))
    for task in IMAGES[:3]:
        await scorer.score_task(stream(head(task), answers(399, 1)))
    assert drawn == []
    assert registry.get_sample_value("genlevel_certified_verdict", PAIR) == 3.0
    assert registry.get_sample_value("genlevel_certified_wins", {**PAIR, "control": "family-wise"}) == 3.0
    lower = registry.get_sample_value("genlevel_level_lower", {**PAIR, "level": "2"})
    upper = registry.get_sample_value("genlevel_level_upper", {**PAIR, "level": "2"})
    assert lower is not None
    assert upper is not None
    assert lower < (registry.get_sample_value("genlevel_level_score", {**PAIR, "level": "2"}) or 0.0) < upper
    assert drawn == [1]
    await scorer.score_task(stream(head(IMAGES[0]), answers(0, 400)))
    assert registry.get_sample_value("genlevel_certified_wins", {**PAIR, "control": "family-wise"}) == 2.0
    assert drawn == [1, 1]
    scorer.close()


def test_values_alone_are_certified_by_the_task_lists_n_and_refused_by_name() -> None:
    results = judge_all(general_bench(), {task.id: 99.0 for task in TASKS if task.metric.id in {"accuracy", "fid", "cider"}})
    both = certify_values(results)
    found = both.published
    assert found.verdict >= 3
    assert both.specialists.reading == sc.READING_SPECIALISTS
    for one in (found, both.specialists):
        assert (one.condition, one.plan) == ("if instances are independent", 1)
        assert any(note.startswith("certified if instances are independent") for note in one.notes)
        assert any("the model's first plan" in note for note in one.notes)
        assert "n is the task list's" in one.notes
    assert any(note.startswith("FID: ") and "cannot be certified" in note for note in found.notes)
    assert {row.test for row in found.tasks} == {"exact binomial", "Hoeffding bound"}


def test_values_alone_are_certified_by_the_numbers_kept_with_them_as_far_as_there_are_any() -> None:
    first, second = TASKS[:2]
    results = judge_all(general_bench(), {first.id: 99.0, second.id: 99.0})
    known = certify_values(results, instances=WorkbookInstances({first.id: 1})).published
    assert [row.units for row in known.tasks] == [1, second.instances]
    assert "n is the workbook's own for 1 task(s), the task list's for 1" in known.notes
    assert any(note.startswith("1 task(s) were asked in part: ") for note in known.notes)
    whole = certify_values(results, instances=WorkbookInstances({task.id: task.instances for task in (first, second)})).published
    assert "n is the workbook's own" in whole.notes
    assert not any("asked in part" in note for note in whole.notes)
    other = certify_values(results, instances=WorkbookInstances(other="B")).published
    assert "n is the task list's" in other.notes
    assert any("for its column 'B', not for this one" in note for note in other.notes)


def test_what_all_instances_share_makes_no_cluster() -> None:
    def shared(**clusters: str) -> dict[str, int]:
        return {key.instance: number for key, number in shared_clusters({AnswerKey(name): one for name, one in clusters.items()}).items()}

    assert shared(a="x", b="x", c="y", d="") == {"a": 0, "b": 0}
    assert shared(a="x", b="x") == {}
    assert shared(b="q", a="p", c="q", d="p") == {"a": 0, "d": 0, "b": 1, "c": 1}


def test_databases_of_the_first_release_are_brought_up_to_date(tmp_path: Path) -> None:
    from genlevel.runtime.storage import open_engine

    url = sqlite_url(tmp_path / "old.sqlite")
    migrations = Path(__file__).parents[3] / "scorer" / "store" / "migrations" / "versions"
    engine = open_engine(url, Schema("scorer", "0001", migrations))
    with engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO scorer_runs VALUES ('r', 'm', 's', 'general-bench', x'', 1.0)"))
    engine.dispose()
    kept = ScoreStore(url)
    run = kept.run("r")
    assert run is not None
    assert run.model == "m"
    assert kept.scores("r") == []
    kept.close()


async def test_the_specialists_own_uncertainty_counts_in_the_reading_against_specialists_alone(url: str) -> None:
    scorer = Scorer(url)
    await scorer.score_task(stream(head(LANGUAGE), answers(160, 40)))
    ask = sc.GetVerdictRequest(run_id="r", reference_instances=200)
    listed, stated = await scorer.get_verdict(sc.GetVerdictRequest(run_id="r")), await scorer.get_verdict(ask)
    assert listed.certificate == stated.certificate
    assert (listed.certificate.reading, listed.certificate_against_specialists.reading) == (sc.READING_PUBLISHED, sc.READING_SPECIALISTS)
    published, unsure = stated.certificate.tasks[0], stated.certificate_against_specialists.tasks[0]
    assert published.test == "exact binomial"
    assert not published.HasField("reference_instances")
    assert published.p_win < 1e-5
    # Published as 65: up to 65.5 % of 200, which is 131.
    assert unsure.p_win == pytest.approx(float(stats.fisher_exact([[160, 40], [131, 69]], "greater").pvalue))
    assert unsure.test == "Fisher's exact"
    assert unsure.reference_instances == 200
    assert (unsure.reference_interval.lower, unsure.reference_interval.upper) == pytest.approx(
        [100 * end for end in wilson(130, 200, 0.95)]
    )
    assert any("200 instances each" in note for note in stated.certificate_against_specialists.notes)
    assert any("as the task list says" in note for note in listed.certificate_against_specialists.notes)
    assert listed.certificate_against_specialists.tasks[0].reference_instances == LANGUAGE.instances
    values = judge_all(general_bench(), {LANGUAGE.id: 80.0})
    few, many = (certify_values(values, reference_units=count).specialists.tasks[0].p_win for count in (50, 5000))
    assert few > many >= certify_values(values).published.tasks[0].p_win
    scorer.close()


async def test_a_task_that_cannot_be_scored_here_leaves_nothing_open_when_its_run_begins(url: str) -> None:
    scorer = Scorer(url)
    task = next(task for task in TASKS if task.metric.id == "fid")
    await scorer.begin_run(begin(task, instances=5))
    verdict = await scorer.get_verdict(sc.GetVerdictRequest(run_id="r"))
    assert verdict.tasks[0].note.startswith("not scored: needs ")
    assert len(verdict.certificate.tasks) == 0
    scorer.close()

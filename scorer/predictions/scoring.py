"""Scores a folder of predictions against a folder of annotations: what `genlevel score` does, without a model and without storage."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from genlevel.benchmark.answer_kinds import AnswerType
from genlevel.benchmark.clusters import cluster_of
from genlevel.benchmark.folder_task import FolderTask
from genlevel.benchmark.media import MediaPlace, MediaProblem, media_place
from genlevel.benchmark.metrics import sigma
from genlevel.benchmark.model import Benchmark, Instance, Modality, Suite, SuiteTask, Task, TaskMetric
from genlevel.benchmark.outcomes import Outcome
from genlevel.benchmark.pictures import sizes_of
from genlevel.benchmark.ratings import ByInstance, ResolvedRatings, read_ratings, resolve_ratings
from genlevel.benchmark.selection import matching_tasks, problems_of
from genlevel.benchmark.suites import load_suite
from genlevel.runtime.errors import DatasetError
from genlevel.v1 import scorer_pb2 as sc
from scorer.certify import Ends
from scorer.levels.rules import Levels, check_references, compute_levels, judge, judge_all
from scorer.metrics import MetricUnavailable, create
from scorer.parsers.conventions import Picture, Place
from scorer.predictions.answers import Given, LabelForm, as_answer
from scorer.predictions.files import Joined, PredictionFile, PredictionFolder, join, joined_problems, printable, read_predictions
from scorer.reports.certificates import certificate_json
from scorer.reports.documents import counts_json, level_json, task_json
from scorer.reports.stamps import scores_stamp, stamped
from scorer.runs.certified import (
    MeasuredTask,
    certificate_message,
    certify_tasks,
    evidence_found,
    with_clustered_error,
)
from scorer.runs.stamp import references_hash
from scorer.scoring.answered import AnsweredInstance
from scorer.scoring.task_metric import metric_of
from scorer.scoring.task_scoring import TaskOutcome, TaskScoring
from scorer.tasks import Rater, RatingSource, TaskRecord, with_ratings
from scorer.wire import score_message

_NO_FILE = "no prediction.json for this task: counted as unsupported"
_NAMED = 20
_NONE = Given("")


@dataclass(frozen=True, slots=True)
class ScoredTask:
    """One task of the suite. listed: which of the benchmark's it is. file: its predictions. evidence: of its score's error, if known."""

    key: str
    listed: Task | None
    score: sc.TaskScore
    file: Path | None
    joined: Joined | None
    evidence: Ends | None = None


@dataclass(frozen=True, slots=True)
class ScoredPredictions:
    """values, instances: by ``Task.id``, of listed tasks; instances: how many each has. problems: all that did not fit, a line each.

    unused: prediction files that are of no task of the suite.
    """

    model: str
    suite: str
    benchmark: Benchmark
    references: str
    partial: bool
    tasks: tuple[ScoredTask, ...]
    values: dict[str, float | None]
    instances: dict[str, int]
    levels: Levels
    asked_levels: Levels
    certificate: sc.Certificate
    against_specialists: sc.Certificate
    unused: tuple[Path, ...]
    problems: tuple[str, ...]


def score_predictions(
    annotations: Path | str,
    predictions: Path | str,
    model: str,
    references: str = "workbook",
    *,
    ratings: Sequence[Path] = (),
    variant: str = "default",
    pattern: str = "",
    only_predicted: bool = False,
) -> ScoredPredictions:
    """Scores every task of the suite at ``annotations`` by the prediction file at the same place below ``predictions``.

    An instance without a prediction is wrong; a task without a file is unsupported. ratings: CSV files of ratings by people. variant:
    "official" for the official code's rules, if a task's metric has them; such scores have "(official)" in their metric's label.
    pattern: only tasks that match it (see ``matching_tasks``). only_predicted: instances and tasks without a prediction are left out, as
    if they had not been asked, and the scores are marked as of a part; a prediction of null counts as one.
    Raises DatasetError if a folder or file cannot be read, UsageError for unknown references or a pattern that matches nothing.
    """
    chosen = check_references(references)
    suite = load_suite(annotations)
    folder = PredictionFolder(Path(predictions))
    paths = {task.key: folder.of_task(task.key, task.annotation, suite.root) for task in suite.tasks if isinstance(task, FolderTask)}
    to_score = [task for task in matching_tasks(suite, pattern) if paths[task.key] is not None or not only_predicted]
    which = f" that --tasks {pattern!r} names" if pattern else ""
    nothing = f"{predictions}: none of its predictions belongs to a task of {annotations}{which}; there is nothing to score"
    if not to_score:
        raise DatasetError(nothing)
    problems = list(_suite_problems(suite, to_score))
    rated = _people(suite, ratings)
    problems += rated.notes
    tasks: list[ScoredTask] = []
    for task in to_score:
        assert isinstance(task, FolderTask)
        path = paths[task.key]
        people = rated.tasks.get(task.key, {})
        file, metric = None if path is None else read_predictions(path), _by_rules(task, variant)
        scored = _score_task(task, file, folder.root, chosen, problems, people=people, wanted=metric, only_predicted=only_predicted)
        if only_predicted and not scored.score.counts.total:
            continue
        tasks.append(scored)
    if not tasks:
        raise DatasetError(nothing)
    unused = folder.unused()
    problems += [f"{path}: no task of the suite has its annotation there; not scored" for path in unused]
    return _put_together(model, suite, chosen, tasks, unused=unused, problems=problems)


def _put_together(
    model: str, suite: Suite, references: str, tasks: Sequence[ScoredTask], *, unused: tuple[Path, ...], problems: Sequence[str]
) -> ScoredPredictions:
    """The levels and the certificate over the tasks' scores."""
    listed = [(one.listed, one) for one in tasks if one.listed is not None]
    values = {task.id: one.score.score if one.score.HasField("score") else None for task, one in listed}
    measured = [
        MeasuredTask(
            task=task,
            key=one.key,
            partial=one.score.partial,
            measured=one.score.HasField("bounds"),
            instances=one.score.counts.total,
            evidence=one.evidence,
            constant=one.score.best_constant if one.score.HasField("best_constant") else None,
        )
        for task, one in listed
    ]
    results = judge_all(suite.benchmark, values, references)
    asked = [result for result in results if result.task.id in values]
    incomplete = any(one.score.counts.failed for _task, one in listed)
    certified = certify_tasks(measured, results, incomplete=incomplete)
    return ScoredPredictions(
        model=model,
        suite=suite.name,
        benchmark=suite.benchmark,
        references=references,
        partial=len(values) < len(suite.benchmark.tasks) or any(one.score.partial for one in tasks),
        tasks=tuple(tasks),
        values=values,
        instances={entry.task.id: entry.instances for entry in measured},
        levels=compute_levels(results),
        asked_levels=compute_levels(asked),
        certificate=certificate_message(certified.published),
        against_specialists=certificate_message(certified.specialists),
        unused=unused,
        problems=tuple(problems),
    )


def scored_json(scored: ScoredPredictions) -> dict[str, Any]:
    """The document of `genlevel score --json`: that of `eval`, null if there is no run, with what did not fit under "predictions"."""
    references = scored.references if scored.benchmark.has_references(scored.references) else None
    document = {
        "run": None,
        "model": scored.model,
        "suite": scored.suite,
        "suite_hash": None,
        "benchmark": scored.benchmark.name,
        "partial": scored.partial,
        "status": "finished",
        "reason": "",
        "wanted": None,
        "plan": None,
        "occasion": None,
        "repeats": 1,
        "instances": counts_json(task.score for task in scored.tasks),
        "usage": dict.fromkeys(("input_tokens", "output_tokens", "images", "seconds", "usd", "most_usd", "unknown_costs", "unknown_calls")),
        "judging": None,
        "tasks": [task_json(task.score) for task in scored.tasks],
        "level": level_json(scored.levels, model=scored.model, references=references),
        "certified": certificate_json(scored.certificate),
        "certified_against_specialists": certificate_json(scored.against_specialists),
        "level_asked": level_json(scored.asked_levels, model=scored.model, references=references),
        "stamp": scores_stamp(references, references_hash(judge_all(scored.benchmark, {}, scored.references)), scored.certificate.alpha),
        "predictions": {
            "tasks": [_joined_json(task) for task in scored.tasks],
            "unused_files": [printable(str(path)) for path in scored.unused],
            "problems": [printable(problem) for problem in scored.problems],
        },
    }
    return stamped(document)


def _joined_json(task: ScoredTask) -> dict[str, Any]:
    joined = task.joined
    return {
        "key": task.key,
        "file": None if task.file is None else printable(str(task.file)),
        "missing": [printable(one) for one in joined.missing] if joined else None,
        "unknown": [printable(one) for one in joined.unknown] if joined else [],
        "duplicates": [printable(one) for one in joined.duplicates] if joined else [],
    }


def _suite_problems(suite: Suite, asked: Sequence[SuiteTask]) -> Iterator[str]:
    """What the reader found of these tasks, but for items that cannot be asked: nothing is asked here, and media need not be there."""
    about_items = tuple(
        start
        for task in suite.tasks
        if isinstance(task, FolderTask)
        for start in (f"{task.key}: {task.annotation}: item ", f"{task.key}: and ")
    )
    for problem in problems_of(suite, asked):
        if not problem.startswith(about_items):
            yield problem


def _people(suite: Suite, files: Sequence[Path]) -> ResolvedRatings:
    """People's ratings of the suite's tasks; those for a judge's metric are left out: only a judge's ratings make its score."""
    rows = [row for file in files for row in read_ratings(file)]

    def ids_of(task: SuiteTask) -> frozenset[str]:
        assert isinstance(task, FolderTask)
        return frozenset(instance.id for instance in task.labelled())

    found = resolve_ratings(rows, suite.tasks, ids_of)
    judged = [task.key for task in suite.tasks if task.metric is not None and task.metric.id == "gpt_score" and task.key in found.tasks]
    notes = [f"{key}: ratings by people left out: GPT-Score is a judge model's; `genlevel eval --judge ROUTE` makes them" for key in judged]
    return ResolvedRatings({key: rated for key, rated in found.tasks.items() if key not in judged}, (*found.notes, *notes))


def _score_task(
    task: FolderTask,
    file: PredictionFile | None,
    root: Path,
    references: str,
    problems: list[str],
    *,
    people: ByInstance,
    wanted: TaskMetric | None,
    only_predicted: bool,
) -> ScoredTask:
    """Scores one task; what does not fit is added to ``problems``. people: their ratings of it. wanted: the metric, in its variant."""
    left_out: frozenset[str] = frozenset()
    metric, no_metric = metric_of(wanted)
    scoring = TaskScoring(metric, no_metric)
    joined = None
    if file is None:
        scoring.add(_given(task, instance, Outcome.UNSUPPORTED) for instance in task.labelled())
        outcome = replace(scoring.finish(), note=_NO_FILE)
        problems.append(f"{task.key}: {_NO_FILE}")
    else:
        joined = join(file, [(instance.id, instance.position) for instance in task.labelled()])
        problems += file.problems
        if only_predicted:
            left_out = frozenset(instance.id for instance in task.labelled() if instance.id not in joined.predictions)
            joined = replace(joined, missing=tuple(one for one in joined.missing if one not in left_out))
        if left_out:
            problems.append(f"{task.key}: {len(left_out):,} of {task.count():,} instances without a prediction: left out")
        problems += joined_problems(task.key, joined)
        envelope = task.survey.envelope
        form = LabelForm(task.survey.kinds, envelope.bbox_format, task.modality, _place(file.path, root))
        answered = _answered(task, joined, form, problems, left_out, parsed=metric is not None)
        scoring.add(one._replace(ratings=tuple(people.get(one.id, {}).values())) for one in answered)
        outcome = scoring.finish()
    rated = with_ratings(RatingSource(kind=Rater.PEOPLE), scoring.ratings()) if people else None
    message, evidence = _message(task, wanted, outcome, references, provenance=scoring.provenance(), rated=rated, partial=bool(left_out))
    return ScoredTask(
        key=task.key, listed=task.task, score=message, file=None if file is None else file.path, joined=joined, evidence=evidence
    )


def _place(file: Path, root: Path) -> MediaPlace:
    """Where predicted files may lie: in the folder of prediction.json (or above json/), in media folders there, never outside of root."""
    folder = file.parent.parent if file.parent.name == "json" and file.parent != root else file.parent
    return media_place(folder, root, file)


def _answered(
    task: FolderTask, joined: Joined, form: LabelForm, problems: list[str], left_out: frozenset[str], *, parsed: bool
) -> Iterator[AnsweredInstance]:
    """The instances with their predictions, but those left out. parsed: whether a metric will read the answers."""
    lost: list[str] = []
    broken: list[str] = []
    for instance in task.labelled():
        if instance.id in left_out:
            continue
        if instance.problem:
            broken.append(f"{task.key}: {instance.problem}")
            yield _given(task, instance, Outcome.FAILED)
            continue
        try:
            answer = as_answer(joined.predictions.get(instance.id), instance, form)
        except MediaProblem as problem:
            lost.append(f"id {printable(instance.id)!r}: {printable(str(problem))}")
            answer = Given("")
        given = _given(task, instance, Outcome.ANSWERED, answer)
        if isinstance(joined.predictions.get(instance.id), str):  # what a model wrote; a structure has the labels' own coordinates
            given = given._replace(place=Place(_picture(instance)))
        # If nothing is measured, whatever is there is an answer.
        yield given if parsed or answer.files else given._replace(answer_type=AnswerType.LONG_TEXT)
    problems += broken[:_NAMED]
    if len(broken) > _NAMED:
        problems.append(f"{task.key}: and {len(broken) - _NAMED} more items with problems of this kind")
    if lost:
        problems.append(f"{task.key}: {len(lost)} predictions name files that cannot be used: counted as wrong; first {lost[0]}")


def _picture(instance: Instance) -> Picture | None:
    """The size of the picture that coordinates lie in; None if it is not there or not known."""
    sizes = sizes_of(instance, 0)
    return None if sizes is None else Picture(sizes.label.width, sizes.label.height, sizes.label.width, sizes.label.height)


def _given(task: FolderTask, instance: Instance, outcome: Outcome, answer: Given = _NONE) -> AnsweredInstance:
    """An instance as the evaluator would hand it over, with the media that are there."""
    return AnsweredInstance(
        id=instance.id,
        outcome=outcome,
        raw_answer=answer.text,
        answer_type=instance.answer_type,
        label=instance.label,
        options=instance.options,
        cluster=cluster_of(instance, task.key),
        files=answer.files,
        prompt="\n\n".join(text for text in (instance.context, instance.prompt) if text),
        inputs=tuple(str(media.path) for media in instance.media if media.path.exists()),
        details=instance.details,
    )


def _by_rules(task: FolderTask, variant: str) -> TaskMetric | None:
    """The task's metric by the rules asked for, if it has such; else as it is."""
    metric = task.metric
    if metric is None or variant == "default":
        return metric
    parameters = {**dict(metric.parameters), "variant": variant}
    if metric.id == "accuracy" and task.modality is Modality.VIDEO:
        parameters["match"] = "contained"
    try:
        known = create(metric.id, parameters, measuring=False) is not None
    except (MetricUnavailable, ValueError):
        known = False
    return TaskMetric(metric.id, f"{metric.label} ({variant})", tuple(sorted(parameters.items()))) if known else metric


def _message(
    task: FolderTask,
    metric: TaskMetric | None,
    outcome: TaskOutcome,
    references: str,
    *,
    provenance: str,
    rated: RatingSource | None,
    partial: bool,
) -> tuple[sc.TaskScore, Ends | None]:
    """The task's score, and what its instances say of its error."""
    listed: Task | None = task.task
    record = TaskRecord(
        key=task.key,
        name=task.name,
        sheet=listed.sheet if listed else "",
        modality=task.modality,
        paradigm=task.paradigm,
        metric=metric,
        unlisted=listed is None,
        rating_source=rated,
        provenance=provenance,
    )
    evidence = evidence_found(metric, outcome.statistics, outcome.clusters)
    outcome = with_clustered_error(outcome, evidence)
    result = None if listed is None else judge(listed, outcome.score, references)
    if result is not None:
        mapped = result.sigma
    else:
        mapped = sigma(task.metric.id, outcome.score) if task.metric is not None and outcome.score is not None else None
    return score_message(record, outcome, sigma=mapped, result=result, partial=partial), evidence

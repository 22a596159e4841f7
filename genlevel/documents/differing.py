"""Where one run is right, or better, and another is not: the instances of both, beside the label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.suite_hash import short_hash
from genlevel.connection.services import verdict_of
from genlevel.documents.answers import Scored, asked_answers, instances_of, key_of, scored_document
from genlevel.documents.meant_tasks import NO_SCORES, meant_tasks
from genlevel.runtime.errors import UsageError
from genlevel.runtime.shown import quoted
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc

if TYPE_CHECKING:
    from genlevel.connection.services import Services, Stored
    from genlevel.runtime.documents import Document

_COMPARED = (sc.OUTCOME_ANSWERED, sc.OUTCOME_REFUSED, sc.OUTCOME_UNPARSABLE)
_ALIKE = 1e-9
"""Scores that differ by less are alike: they are sums of floats."""
COUNTS = ("both_right", "only_a", "only_b", "both_wrong")
_SIDE = ("outcome", "error", "answer", "parsed", "parsed_cut", "score", "why")
QUESTION = ("task", "id", "variant", "repeat", "shuffle", "prompt", "media", "label", "options")


class _Pair(NamedTuple):
    """One instance in both runs. gap: by how much A is better, in the metric's unit; negative if B is."""

    key: AnswerKey
    gap: float
    one: sc.ListInstancesResponse
    other: sc.ListInstancesResponse


@dataclass(frozen=True, slots=True)
class Part:
    """Which of the instances that differ are shown: so many, those in front passed over, only where one side is better ("a", "b")."""

    limit: int
    after: int = 0
    better: str = ""

    def of(self, differ: Sequence[_Pair]) -> list[_Pair]:
        found = [pair for pair in differ if not self.better or (pair.gap > 0) == (self.better == "a")]
        return found[self.after : self.after + self.limit]


async def differing(found: Services | Stored, run_a: str, run_b: str, pattern: str, limit: int) -> Document:
    """The document: counts of each task, and its first ``limit`` instances on which the runs differ, the largest differences first.

    Raises UsageError for runs of different suites, or a glob that means no task.
    """
    runs, ours, theirs = await _of_both(found, run_a, run_b)
    return await _document(found, runs, meant_tasks(ours, pattern), theirs, Part(limit))


async def differing_on(found: Services | Stored, run_a: str, run_b: str, task: str, part: Part) -> Document:
    """The same of one task, by its key. Raises UsageError if it is not a scored task of both runs."""
    runs, ours, theirs = await _of_both(found, run_a, run_b)
    for run, verdict in zip(runs, (ours, theirs), strict=True):
        if not any(score.task.key == task for score in verdict.tasks):
            raise UsageError(f"task {quoted(task)} is no scored task of run {run.run_id}")
    return await _document(found, runs, [score for score in ours.tasks if score.task.key == task], theirs, part)


async def _of_both(found: Services | Stored, run_a: str, run_b: str) -> tuple[list[ev.Run], sc.GetVerdictResponse, sc.GetVerdictResponse]:
    runs = [(await found.evaluator.get_run(ev.GetRunRequest(run_id=run))).run for run in (run_a, run_b)]
    if (runs[0].suite, runs[0].benchmark) != (runs[1].suite, runs[1].benchmark):
        said = " and ".join(f"run {run.run_id} is on {run.suite!r} ({run.benchmark})" for run in runs)
        raise UsageError(f"{said}: only runs of one suite have instances in common")
    ours, theirs = [await verdict_of(found, run.run_id) for run in runs]
    return runs, ours, theirs


async def _document(
    found: Services | Stored, runs: list[ev.Run], scores: Sequence[sc.TaskScore], theirs: sc.GetVerdictResponse, part: Part
) -> Document:
    others = {score.task.key: score.task for score in theirs.tasks}
    tasks, pairs = [], []
    for score in scores:
        if score.task.key in others:
            entry, shown = await _task(found, runs, score.task, others[score.task.key], part)
            tasks.append(entry)
            pairs += shown
    return {
        **{side: {"run": run.run_id, "model": run.specification.model} for side, run in zip("ab", runs, strict=True)},
        "suite": runs[0].suite,
        "tasks": tasks,
        "instances": await _entries(found, runs, pairs),
    }


async def _task(
    found: Services | Stored, runs: list[ev.Run], task: sc.TaskDescription, other: sc.TaskDescription, part: Part
) -> tuple[Document, list[_Pair]]:
    entry: Document = {"task": task.name, "key": task.key, "metric": task.metric or None}
    nothing = {**dict.fromkeys(COUNTS), "shown": 0}
    if _other_data(task, other):
        said = f"its data differ ({_named(runs[0])}, {_named(runs[1])})" if runs[0].suite_hash != runs[1].suite_hash else "its data differ"
        return {**entry, **nothing, "note": said}, []
    one, two = [await _scored(found, run.run_id, task.key) for run in runs]
    if not any(scored.HasField("best") for scored in (*one.values(), *two.values())):
        return {**entry, **nothing, "note": NO_SCORES}, []
    pairs = [_pair(key, one[key], two[key]) for key in sorted(one) if key in two and _comparable(one[key]) and _comparable(two[key])]
    differ = sorted((pair for pair in pairs if pair.gap), key=lambda pair: (-abs(pair.gap), pair.key))
    right = sum(not pair.gap and abs(pair.one.score - pair.one.best) <= _ALIKE for pair in pairs)
    better = sum(pair.gap > 0 for pair in differ)
    counts = dict(zip(COUNTS, (right, better, len(differ) - better, len(pairs) - right - len(differ)), strict=True))
    shown = part.of(differ)
    return {**entry, **counts, "shown": len(shown), "note": None}, shown


async def _entries(found: Services | Stored, runs: list[ev.Run], pairs: list[_Pair]) -> list[Document]:
    """The instances with both answers. What was read is asked for these alone."""
    sides = []
    for run, scored in zip(runs, ([pair.one for pair in pairs], [pair.other for pair in pairs]), strict=True):
        ids: dict[str, list[str]] = {}
        for one in scored:
            ids.setdefault(one.task, []).append(one.instance_id)
        read = {(task, key): one for task, wanted in ids.items() for key, one in (await _scored(found, run.run_id, task, wanted)).items()}
        answers = await asked_answers(found.evaluator, run.run_id, scored)
        sides.append({place: scored_document(answer, read.get(place)) for place, answer in answers.items()})
    entries = []
    for pair in pairs:
        place = (pair.one.task, pair.key)
        if all(place in side for side in sides):
            ours, theirs = (side[place] for side in sides)
            question = ours if ours["prompt"] is not None else theirs
            both = {side: {name: entry[name] for name in _SIDE} for side, entry in (("a", ours), ("b", theirs))}
            entries.append({**{name: question[name] for name in QUESTION}, "better": "a" if pair.gap > 0 else "b", **both})
    return entries


async def _scored(found: Services | Stored, run_id: str, task: str, instances: list[str] | None = None) -> Scored:
    request = sc.ListInstancesRequest(run_id=run_id, task=task, instances=instances or (), readings=instances is not None)
    return {key_of(one): one async for one in instances_of(found.scorer, request)}


def _comparable(one: sc.ListInstancesResponse) -> bool:
    return one.outcome in _COMPARED and one.HasField("score")


def _pair(key: AnswerKey, one: sc.ListInstancesResponse, other: sc.ListInstancesResponse) -> _Pair:
    gap = one.score - other.score if one.best else other.score - one.score  # 0 is the best of an error
    return _Pair(key, gap if abs(gap) > _ALIKE else 0.0, one, other)


def _other_data(task: sc.TaskDescription, other: sc.TaskDescription) -> bool:
    from scorer.tasks import other_data

    return other_data(task, other)


def _named(run: ev.Run) -> str:
    return f"{run.suite}@{short_hash(run.suite_hash)}" if run.suite_hash else run.suite

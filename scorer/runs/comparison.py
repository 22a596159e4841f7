"""A comparison of two runs on the wire and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genlevel.v1 import scorer_pb2 as sc
from scorer.wire import task_message

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scorer.certify.compare import ComparedScore, RunComparison
    from scorer.certify.paired import Difference


def comparison_message(found: RunComparison) -> sc.CompareResponse:
    """The comparison without what it is of (runs, models, suite)."""
    message = sc.CompareResponse(alpha=found.alpha, draws=found.draws)
    for task in found.tasks:
        message.tasks.add(
            task=task_message(task.task),
            difference=None if task.difference is None else _difference(task.difference),
            shared=task.shared,
            only_a=task.only_a,
            only_b=task.only_b,
            open=task.open,
            p_adjusted=task.p_adjusted,
            note=task.note,
        )
    message.modalities.extend(_scores(found.modalities))
    message.levels.extend(_scores(found.levels))
    return message


def comparison_json(message: sc.CompareResponse) -> dict[str, object]:
    """As `genlevel compare --json` prints it: differences are a minus b; modalities and levels are over the compared tasks alone."""
    return {
        "a": {"run": message.run_a, "model": message.model_a, "suite_hash": message.suite_hash_a or None},
        "b": {"run": message.run_b, "model": message.model_b, "suite_hash": message.suite_hash_b or None},
        "suite": message.suite,
        "references": message.references,
        "alpha": message.alpha,
        "draws": message.draws,
        "levels": {score.name.removeprefix("level_"): _difference_json(score.difference) for score in message.levels},
        "modalities": {score.name: {**_difference_json(score.difference), "tasks": score.tasks} for score in message.modalities},
        "tasks": [
            {
                "task": task.task.name,
                "key": task.task.key,
                "sheet": task.task.sheet or None,
                "metric": task.task.metric or None,
                **(_difference_json(task.difference) if task.HasField("difference") else dict.fromkeys(_FIELDS)),
                "p_adjusted": task.p_adjusted if task.HasField("p_adjusted") else None,
                "instances": {"shared": task.shared, "only_a": task.only_a, "only_b": task.only_b, "open": task.open},
                "note": task.note or None,
            }
            for task in message.tasks
        ],
        "not_shared": {"a": list(message.tasks_only_a), "b": list(message.tasks_only_b)},
    }


_FIELDS = ("score_a", "score_b", "difference", "interval", "p_value", "smallest_detectable", "test")


def _scores(scores: Iterable[ComparedScore]) -> list[sc.ComparedScore]:
    return [sc.ComparedScore(name=score.name, difference=_difference(score.difference), tasks=score.tasks) for score in scores]


def _difference(found: Difference) -> sc.Difference:
    message = sc.Difference(
        score_a=found.score_a,
        score_b=found.score_b,
        difference=found.difference,
        p_value=found.p_value,
        smallest_detectable=found.smallest_detectable,
        test=found.test,
    )
    if found.interval is not None:
        message.interval.CopyFrom(sc.Bounds(lower=found.interval[0], upper=found.interval[1]))
    return message


def _difference_json(message: sc.Difference) -> dict[str, object]:
    return {
        "score_a": message.score_a,
        "score_b": message.score_b,
        "difference": message.difference,
        "interval": [message.interval.lower, message.interval.upper] if message.HasField("interval") else None,
        "p_value": message.p_value if message.HasField("p_value") else None,
        "smallest_detectable": message.smallest_detectable if message.HasField("smallest_detectable") else None,
        "test": message.test or None,
    }

"""The JSON forms of levels and scores, the same for workbooks and runs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from genlevel.benchmark.model import GENERAL_BENCH
from genlevel.benchmark.outcomes import Outcome
from genlevel.benchmark.suites import load_benchmark
from genlevel.runtime.documents import Document
from genlevel.v1 import scorer_pb2 as sc
from scorer.levels.rules import Levels
from scorer.reports.certificates import certificate_json
from scorer.wire import levels_of

OUTCOMES = tuple(outcome.value for outcome in Outcome)


def level_json(levels: Levels, *, model: str, rules: str = "paper", references: str | None = "workbook") -> Document:
    """Levels as `genlevel level --json` prints them. references: None if there are none, so that nothing can be won."""
    return {
        "model": model,
        "rules": rules,
        "references": references,
        "levels": {str(level): score for level, score in levels.scores.items()},
        "verdict": levels.verdict,
        "modalities": {
            entry.modality.value: {
                "2": entry.level_2,
                "3": entry.level_3,
                "4": entry.level_4,
                "supported": entry.supported,
                "wins": entry.wins,
                "tasks": entry.tasks,
            }
            for entry in levels.modalities
        },
        "language": {
            "w_L": levels.language.weight,
            "supported": levels.language.supported,
            "wins": levels.language.wins,
            "tasks": levels.language.tasks,
        },
    }


def references_of(verdict: sc.GetVerdictResponse) -> str | None:
    """The references that a run is held against; None if its benchmark has none, so that nothing can be won.

    Of a suite of a user's own only the asked tasks are known here: these decide. It has no appendix, whatever was asked for.
    """
    name = verdict.references if verdict.benchmark == GENERAL_BENCH else "workbook"
    if any(score.HasField("reference") for score in verdict.tasks):
        return name
    benchmark = load_benchmark(verdict.benchmark)
    return name if benchmark is not None and benchmark.has_references(name) else None


def verdict_certified_json(verdict: sc.GetVerdictResponse) -> Document:
    """The "certified" of a run: over its whole benchmark, beside "level"."""
    return certificate_json(verdict.certificate)


def verdict_certified_against_specialists_json(verdict: sc.GetVerdictResponse) -> Document:
    """The same against the specialists' own true scores."""
    return certificate_json(verdict.certificate_against_specialists)


def verdict_level_json(verdict: sc.GetVerdictResponse, *, asked: bool = False) -> Document:
    """The "level" of a run: over its whole benchmark, or over the asked tasks alone."""
    levels = levels_of(verdict.asked_levels if asked else verdict.levels)
    return level_json(levels, model=verdict.model, references=references_of(verdict))


def tasks_json(scores: Iterable[sc.TaskScore]) -> list[Document]:
    """The "tasks" of `eval --json` and `show --json`. bounds: [lower, upper], null if nothing can be said."""
    return [task_json(score) for score in scores]


def task_json(score: sc.TaskScore) -> Document:
    """One task's score; absent fields are null."""
    unlisted = score.task.unlisted
    return {
        "task": score.task.name,
        "key": score.task.key,
        "sheet": None if unlisted else score.task.sheet or None,
        "metric": score.task.metric or None,
        "variant": dict(score.task.metric_parameters).get("variant"),
        "score": _optional(score, "score"),
        "bounds": [score.bounds.lower, score.bounds.upper] if score.HasField("bounds") else None,
        "sigma": _optional(score, "sigma"),
        "n": score.counts.total,
        "stderr": _optional(score, "standard_error"),
        "reference": _optional(score, "reference"),
        "chance": _optional(score, "chance"),
        "best_constant": _optional(score, "best_constant"),
        "variation": {"differing": score.variation.differing, "deviation": _optional(score.variation, "deviation")}
        if score.HasField("variation")
        else None,
        "win": _optional(score, "win"),
        "instances": counts_json([score]),
        "note": score.note or None,
        "provenance": score.task.provenance or None,
        "remarks": list(score.remarks),
        "partial": score.partial,
        "ratings": ratings_json(score.task.rating_source) if score.task.HasField("rating_source") else None,
    }


def ratings_json(source: sc.RatingSource) -> Document:
    """Who rated a task's answers ("by": judge or people), and what became of it. agreement: of the judge with people, if both rated."""
    found = source.agreement
    return {
        "by": source.kind,
        "judge": source.judge or None,
        "prompt_version": source.prompt_version or None,
        "prompt_hash": source.prompt_hash or None,
        "rated": source.rated,
        "failed": source.failed,
        "pending": source.pending,
        "agreement": {
            "n": found.instances,
            "pearson": found.pearson if found.HasField("pearson") else None,
            "kendall": found.kendall if found.HasField("kendall") else None,
            "mean_difference": found.mean_difference,
            "stderr": found.standard_error if found.HasField("standard_error") else None,
        }
        if source.HasField("agreement")
        else None,
    }


def counts_json(scores: Iterable[sc.TaskScore]) -> dict[str, int]:
    """The "instances" of these scores, disjoint by outcome; they add up to total."""
    counts = dict.fromkeys(("total", *OUTCOMES), 0)
    for score in scores:
        for name in counts:
            counts[name] += getattr(score.counts, name)
    return counts


def _optional(score: sc.TaskScore | sc.Variation, field: str) -> Any:
    return getattr(score, field) if score.HasField(field) else None

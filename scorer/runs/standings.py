"""How a run stands, as lists of runs need it: a verdict without what only a single run's page shows."""

from __future__ import annotations

import math

from genlevel.v1 import scorer_pb2 as sc
from scorer.tasks import TaskIndex
from scorer.wire import task_of


def standing_of_verdict(verdict: sc.GetVerdictResponse, index: TaskIndex, *, referenced: bool) -> sc.ListStandingsResponse:
    """index: of the run's benchmark. referenced: whether there is anything to win against."""
    return sc.ListStandingsResponse(
        run_id=verdict.run_id,
        model=verdict.model,
        suite=verdict.suite,
        benchmark=verdict.benchmark,
        suite_hash=verdict.suite_hash,
        part=verdict.part,
        plan=verdict.plan,
        incomplete=verdict.incomplete,
        references=verdict.references,
        levels=verdict.levels,
        referenced=referenced,
        certified=_certified(verdict.certificate),
        certified_against_specialists=_certified(verdict.certificate_against_specialists),
        tasks=_tasks(verdict, index),
        scored_s=verdict.stamp.scored_s,
    )


def _certified(certificate: sc.Certificate) -> sc.CertifiedStanding:
    return sc.CertifiedStanding(
        alpha=certificate.alpha,
        verdict=certificate.verdict,
        levels=certificate.levels,
        certified_wins=certificate.certified_wins,
        discovered_wins=certificate.discovered_wins,
        plan=certificate.plan,
    )


def _tasks(verdict: sc.GetVerdictResponse, index: TaskIndex) -> sc.StandingTasks:
    columns = sc.StandingTasks()
    for score in verdict.tasks:
        task = index.find(task_of(score.task))
        if task is None:
            continue
        columns.ids.append(task.id)
        columns.keys.append(score.task.key)
        columns.values.append(score.score if score.HasField("score") else math.nan)
        columns.answered.append(score.counts.total - score.counts.failed - score.counts.pending)
        columns.partial.append(score.partial)
        columns.incomplete.append(bool(score.counts.failed or score.counts.pending))
        columns.fingerprints.append(_first_bytes(score.task.fingerprint))
        columns.contents.append(_first_bytes(score.task.content))
    return columns


def _first_bytes(digest: str) -> int:
    """The first 8 bytes of a sha256; 0 if it is not known."""
    try:
        return int(digest[:16], 16) or 1 if digest else 0
    except ValueError:  # told by another evaluator, in a form of its own
        import hashlib

        return int(hashlib.sha256(digest.encode("utf-8", "replace")).hexdigest()[:16], 16)

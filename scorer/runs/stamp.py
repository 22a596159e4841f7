"""How the scores of a run came about, for its stamp: which genlevel, parsers and references, and when."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from genlevel.benchmark.outcomes import Outcome
from genlevel.runtime.version import this_version
from genlevel.v1 import scorer_pb2 as sc

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scorer.levels.rules import TaskResult
    from scorer.runs.verdict import Verdict
    from scorer.store.records import StoredRun


def scoring_stamp(verdict: Verdict) -> sc.ScoringStamp:
    """Tasks without any answer yet have not been scored."""
    made = this_version()
    scores = [standing.score for standing in verdict.tasks]
    scored = [score for score in scores if score.outcome.counts.get(Outcome.PENDING, 0) < score.outcome.total]
    return sc.ScoringStamp(
        version=made.version,
        commit=made.commit,
        parser_versions={score.task.key: score.parser_version for score in scored},
        scored_s=max((score.scored_s for score in scored), default=0.0),
        references_hash=references_hash(verdict.results),
    )


def info_of(run: StoredRun, verdict: sc.GetVerdictResponse) -> dict[str, str]:
    """The same and how the run was asked, as labels of a series; what is not known is left out."""
    stamp, facts = verdict.stamp, run.facts
    said = {
        "run": run.run_id,
        "version": stamp.version,
        "commit": stamp.commit,
        "parsers": ",".join(sorted(set(stamp.parser_versions.values()))),
        "references": verdict.references if stamp.references_hash else "",
        "alpha": f"{verdict.certificate.alpha:g}",
    }
    if run.plan:
        said["plan"] = str(run.plan)
    if facts is not None:
        said |= {"prompts": facts.prompt_version, "route": facts.route_fingerprint, "limit": str(facts.limit), "seed": str(facts.seed)}
    return said


def references_hash(results: Iterable[TaskResult]) -> str:
    """The sha256 of a benchmark's references; "" if it has none. results: all of its tasks, held against the set that is meant."""
    known = sorted((result.task.id, result.reference) for result in results if result.reference is not None)
    return hashlib.sha256(json.dumps(known, separators=(",", ":")).encode()).hexdigest() if known else ""

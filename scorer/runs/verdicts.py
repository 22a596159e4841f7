"""Verdicts of stored runs: computed from their scores, and kept until a score, the run or the code changes.

What a verdict rests on, and how each is told apart: the run and its scores by the mark that changes with each of them
(``scorer.store.verdicts``), the rules and the shipped benchmarks by their files (``scorer.runs.code``), the references by their name. What
is asked with another alpha, with draws or with another count of the specialists' instances is computed each time. A verdict rests on no
other run: which try of its model a run is, was told with it. Which version says a verdict is said anew.
"""

from __future__ import annotations

import threading
import zlib
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from genlevel.benchmark.model import Benchmark
from genlevel.runtime.errors import NotFoundError
from genlevel.runtime.shown import quoted
from genlevel.runtime.version import this_version
from genlevel.v1 import scorer_pb2 as sc
from scorer.certify import TaskStatistics, bootstrap_intervals
from scorer.certify.pending import is_pending, pending_evidence
from scorer.runs.certified import ALPHA, RunCertificates, certificate_message, certify_run, evidence_found
from scorer.runs.code import code_digest
from scorer.runs.headers import benchmark_of_run
from scorer.runs.standings import standing_of_verdict
from scorer.runs.verdict import Verdict, compute_verdict, is_referenced, verdict_message
from scorer.store.records import StoredRun, StoredScore
from scorer.store.scores import ScoreStore
from scorer.tasks import TaskIndex

_QUICKLY = 1
"""How closely a verdict is packed: it is written while somebody waits, and read more often."""

_MOST_HELD = 500


@dataclass(frozen=True, slots=True)
class RunStanding:
    """A run as its scores stand."""

    run: StoredRun
    benchmark: Benchmark
    scores: Sequence[StoredScore]
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class _Held:
    """A standing that could not be stored, and of what."""

    mark: float
    standing: bytes


class RunVerdicts:
    """What is said of the runs of a store. Blocking, thread-safe.

    code: what computes verdicts; "" keeps none.
    """

    def __init__(self, store: ScoreStore, *, code: str | None = None) -> None:
        self._store = store
        self._code = code_digest() if code is None else code
        self._held: OrderedDict[tuple[str, str], _Held] = OrderedDict()
        self._lock = threading.Lock()

    def known(self, run_id: str) -> StoredRun:
        """Raises NotFoundError if nothing of the run has been scored."""
        run = self._store.run(run_id)
        if run is None:
            raise NotFoundError(f"no task of run {quoted(run_id)} has been scored; `genlevel runs` lists the runs")
        return run

    def verdict(self, run_id: str, references: str, alpha: float, *, draws: int = 0, reference_instances: int = 0) -> sc.GetVerdictResponse:
        """As ``Scorer.get_verdict`` says it. Raises NotFoundError."""
        if alpha != ALPHA or draws or reference_instances:
            return self._computed(self.known(run_id), references, alpha, draws, reference_instances)[0]
        return self.kept(run_id, references) or self._now(run_id, references)[0]

    def kept(self, run_id: str, references: str) -> sc.GetVerdictResponse | None:
        """The verdict with the usual alpha that is kept of a run as it is now; None if none is."""
        kept = self._store.verdicts.verdict(run_id, references, self._code) if self._code else None
        return None if kept is None else _said_now(sc.GetVerdictResponse.FromString(zlib.decompress(kept)))

    def standings(self, run_ids: Sequence[str], references: str) -> tuple[dict[str, sc.ListStandingsResponse], list[str]]:
        """Those that are kept, by id, and which runs have scores and none that is kept."""
        kept = self._store.verdicts.standings(run_ids, references, self._code) if self._code else {}
        marks = self._store.verdicts.marks([run_id for run_id in run_ids if run_id not in kept])
        with self._lock:
            held = {run_id: self._held.get((run_id, references)) for run_id in marks}
        kept |= {run_id: entry.standing for run_id, entry in held.items() if entry is not None and entry.mark == marks[run_id]}
        found = {run_id: sc.ListStandingsResponse.FromString(standing) for run_id, standing in kept.items()}
        return found, [run_id for run_id in run_ids if run_id in marks and run_id not in kept]

    def standing(self, run_id: str, references: str) -> sc.ListStandingsResponse | None:
        """One that is computed now, and kept; None if nothing of the run has been scored."""
        try:
            return self._now(run_id, references)[1]
        except NotFoundError:
            return None

    def of(self, run: StoredRun, references: str = "workbook") -> RunStanding:
        """The paper's verdict."""
        benchmark, scores = benchmark_of_run(run), self._store.scores(run.run_id)
        return RunStanding(run, benchmark, scores, compute_verdict(benchmark, scores, references))

    def certificates(self, standing: RunStanding, alpha: float = ALPHA, reference_instances: int = 0) -> RunCertificates:
        scores = [score if score.examined else self._examined(standing.run, score) for score in standing.scores]
        return certify_run(
            standing.benchmark,
            scores,
            standing.verdict.results,
            incomplete=standing.verdict.incomplete,
            alpha=alpha,
            reference_units=reference_instances or None,
            is_try=standing.run.is_try,
            plan=standing.run.plan,
            task_plans=standing.run.facts.task_plans if standing.run.facts else None,
        )

    def _now(self, run_id: str, references: str) -> tuple[sc.GetVerdictResponse, sc.ListStandingsResponse]:
        """Both as they are computed now, and kept if the storage takes them."""
        mark = self._store.verdicts.marks([run_id]).get(run_id)  # before anything else is read
        verdict, standing = self._computed(self.known(run_id), references, ALPHA)
        told = standing_of_verdict(verdict, TaskIndex(standing.benchmark), referenced=is_referenced(verdict))
        if mark is not None:
            self._keep(verdict, told, mark)
        return verdict, told

    def _keep(self, verdict: sc.GetVerdictResponse, told: sc.ListStandingsResponse, mark: float) -> None:
        """Beside the scores; what cannot be stored is held here as far as lists need it."""
        run_id, references, standing = verdict.run_id, verdict.references, told.SerializeToString()
        if self._code:
            packed = zlib.compress(verdict.SerializeToString(), _QUICKLY)
            if self._store.verdicts.keep(run_id, references, self._code, mark, standing=standing, verdict=packed):
                return
        with self._lock:
            self._held[run_id, references] = _Held(mark, standing)
            self._held.move_to_end((run_id, references))
            while len(self._held) > _MOST_HELD:
                self._held.popitem(last=False)

    def _computed(
        self, run: StoredRun, references: str, alpha: float, draws: int = 0, reference_instances: int = 0
    ) -> tuple[sc.GetVerdictResponse, RunStanding]:
        standing = self.of(run, references)
        found = self.certificates(standing, alpha, reference_instances)
        intervals = None
        if draws and run.is_try:
            intervals = bootstrap_intervals(self._answers(standing), standing.verdict.results, draws, alpha)
        messages = [certificate_message(one, intervals) for one in (found.published, found.specialists)]
        return verdict_message(run, standing.verdict, *messages), standing

    def _examined(self, run: StoredRun, score: StoredScore) -> StoredScore:
        """A score kept before there were certificates, or before they needed what they need now, looked at once."""
        kept = self._store.answers(run.run_id, score.task.key)
        if kept is None:
            return score
        evidence = evidence_found(kept.task.metric, kept.statistics, kept.clusters)
        if not kept.statistics and kept.task.metric is not None and is_pending(score.outcome):
            evidence = pending_evidence(kept.task.metric, score.outcome.total)
        self._store.set_evidence(run.run_id, score.task.key, evidence)
        return replace(score, evidence=evidence, examined=True)

    def _answers(self, standing: RunStanding) -> Iterator[TaskStatistics]:
        """The statistics of the run's tasks within the benchmark, one task at a time."""
        index = TaskIndex(standing.benchmark)
        for score in standing.scores:
            task = index.find(score.task)
            kept = None if task is None else self._store.answers(standing.run.run_id, score.task.key)
            # Scored anew meanwhile by another metric, its statistics are not those of this score.
            if task is not None and kept is not None and kept.task == score.task:
                yield TaskStatistics(task, kept.statistics, kept.clusters, None if kept.statistics else score.evidence)


def _said_now(verdict: sc.GetVerdictResponse) -> sc.GetVerdictResponse:
    """The verdict as this version says it."""
    made = this_version()
    verdict.stamp.version, verdict.stamp.commit = made.version, made.commit
    return verdict

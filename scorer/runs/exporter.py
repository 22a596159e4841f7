"""Scores, levels and verdicts as Prometheus series, by model, suite and the suite's content.

Of each the newest run that has asked all of the suite is shown, and beside it, told apart by a label, the newest one if that has not (yet):
a run in progress, or of a part, takes nobody's place. Series are computed when they are read, as a whole if a task was scored since. What a
level card shows as a dash has no series. Labels are bounded: kept are the suites scored last, and of each name the contents scored last.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from genlevel.benchmark.model import Modality
from genlevel.benchmark.outcomes import Outcome
from genlevel.benchmark.suite_hash import short_hash
from genlevel.runtime.errors import NotFoundError, StorageError
from genlevel.runtime.logs import Seldom
from scorer.wire import levels_of

if TYPE_CHECKING:
    from prometheus_client import Metric

    from genlevel.v1 import scorer_pb2 as sc
    from scorer.levels.rules import LanguageLevel, ModalityLevels

MOST_SUITES = 64
"""(model, suite, content) that are shown."""
MOST_CONTENTS = 3
"""Contents of a suite of one name that are shown of a model: one that is edited every day leaves few behind."""
INFO = ("run", "version", "commit", "prompts", "parsers", "route", "limit", "seed", "references", "alpha", "plan")
"""Labels of the series that tells a run's stamp."""
_AWAY_S = 10.0
_SLOW_S = 1.0

logger = logging.getLogger(__name__)
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Shown:
    """What the series of one run show. referenced: there are specialists to win against. info: what its stamp says, by label."""

    verdict: sc.GetVerdictResponse
    referenced: bool = True
    info: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Current:
    """A run that is shown. part: it has not asked all of the suite. draw: computes what is shown, when that is read.

    version: of its scores. shown: what was drawn; None until then.
    """

    run_id: str
    part: bool
    draw: Callable[[], Shown]
    version: float = 0.0
    shown: Shown | None = None


@dataclass(slots=True)
class _Suite:
    """The runs that are shown of a suite. look: reads which they are; None: they are as they were read last.

    changed: those that were scored since.
    """

    look: Callable[[], Sequence[Current]] | None = None
    runs: Sequence[Current] = ()
    changed: set[str] = field(default_factory=set)


class ScoreExporter(Collector):
    """Register it with a CollectorRegistry; ``update`` says that what it shows of a model, a suite and its content has changed.

    Args:
        catch_up: called when the series are read: says by ``update`` what has changed that others have stored. Raises StorageError.
    """

    def __init__(self, most_suites: int = MOST_SUITES, catch_up: Callable[[], None] = lambda: None) -> None:
        self._most_suites = most_suites
        self._catch_up = catch_up
        self._suites: OrderedDict[tuple[str, str, str], _Suite] = OrderedDict()
        self._lock = threading.Lock()
        self._looking = threading.Lock()  # else what was read first could be shown last
        self._seldom = Seldom()
        self._away_until = 0.0  # by the monotonic clock: the store could not be read

    def update(self, suite: tuple[str, str, str], look: Callable[[], Sequence[Current]], *, changed: str) -> None:
        """Shows what ``look`` finds of a model, a suite and its content, and drops what was scored longest ago if there is too much.

        changed: the run whose scores have changed. Those of others that are shown already are not computed again; what is new is read and
        computed when the series are next read: a run changes with each of its tasks, and nobody looks as often.
        """
        with self._lock:
            known = self._suites.setdefault(suite, _Suite())
            known.look = look
            known.changed.add(changed)
            self._suites.move_to_end(suite)
            alike = [other for other in self._suites if other[:2] == suite[:2]]
            for other in alike[:-MOST_CONTENTS]:
                del self._suites[other]
            while len(self._suites) > self._most_suites:
                self._suites.popitem(last=False)

    def describe(self) -> Iterable[Metric]:
        """Nothing: series come and go with the runs."""
        return ()

    def collect(self) -> Iterable[Metric]:
        families = _Families()
        self._read(self._catch_up, "runs that other scorers score")
        with self._lock:
            suites = list(self._suites.items())
        for (model, suite, suite_hash), known in suites:
            named = f"{model} on {suite}"
            with self._looking:
                runs = self._runs(known, named)
            for run in runs:
                if run.shown is None:
                    run.shown = self._read(run.draw, named)
                if run.shown is not None:
                    families.add([model, suite, short_hash(suite_hash), "true" if run.part else "false"], run.shown)
        return families.all

    def _runs(self, known: _Suite, named: str) -> Sequence[Current]:
        """The runs that are shown of a suite; if they cannot be read now, those that were before and have not changed."""
        with self._lock:
            look, changed = known.look, known.changed
            known.look, known.changed = None, set()
        if look is None:
            return known.runs
        found = self._read(look, named)
        with self._lock:
            if found is None:
                known.look, known.changed = known.look or look, known.changed | changed
                return [run for run in known.runs if run.run_id not in known.changed]
            before = {(run.run_id, run.version): run.shown for run in known.runs if run.run_id not in changed}
            for run in found:
                run.shown = before.get((run.run_id, run.version))
            known.runs = found
        return found

    def _read(self, read: Callable[[], Found], named: str) -> Found | None:
        """What is read from the store; None if it cannot be read now: all else can still be watched.

        A store that hangs is left alone for a while: each look would take as long as its timeouts.
        """
        began = time.monotonic()
        if began < self._away_until:
            return None
        try:
            return read()
        except NotFoundError:  # a run that was deleted meanwhile
            return None
        except StorageError as error:
            if (now := time.monotonic()) - began > _SLOW_S:
                self._away_until = now + _AWAY_S
            if (more := self._seldom.more()) is not None:
                logger.warning("the series of %s are not shown: %s%s", named, error, more)
            return None


class _Families:
    """The series, by what they are of."""

    def __init__(self) -> None:
        self.all: list[GaugeMetricFamily] = []
        by_task = ("task", "metric")
        self._score = self._family("task_score", "A task's score in its metric's own unit; absent while incomplete.", *by_task)
        self._error = self._family("task_standard_error", "Standard error of a task's score, in the same unit.", *by_task)
        self._sigma = self._family("task_sigma", "A task's score on the scale 0-100, higher is better.", *by_task)
        self._instances = self._family("instances", "Instances by outcome, over all tasks.", "outcome")
        self._levels = self._family("level_score", "General-Level score 0-100 over the whole benchmark.", "level")
        self._asked = self._family("asked_level_score", "The same over the asked tasks alone.", "level")
        self._verdict = self._family("verdict", "Highest level with a non-zero score by the paper's point rule, 2-5; 0 = none.")
        self._wins = self._family("wins", "Tasks whose score is at least the published one of their specialist.", "modality")
        self._supported = self._family("supported_tasks", "Tasks with a result above the worst.", "modality")
        self._info = self._family("run_info", "1; the labels are what the run's stamp says, empty if it is not known.", *INFO)
        self._incomplete = self._family("incomplete", "1 while some task is incomplete: levels are lower bounds.")
        self._certified = self._family(
            "certified_verdict", "Highest level certified above published scores, with error at most 0.05, 2-5; 0 = none."
        )
        self._beaten = self._family(
            "certified_verdict_against_specialists", "Highest level certified above the specialists themselves, 2-5; 0 = none."
        )
        self._lower = self._family("level_lower", "Lower end of a level score's interval.", "level")
        self._upper = self._family("level_upper", "Upper end of a level score's interval.", "level")
        self._certified_wins = self._family(
            "certified_wins", "Wins certified together, and found at a bounded false discovery rate.", "control"
        )
        self._beaten_wins = self._family(
            "certified_wins_against_specialists", "The same of wins above the specialists themselves.", "control"
        )

    def add(self, run: list[str], shown: Shown) -> None:
        """run: what it is told apart by, the first labels of all its series."""
        verdict = shown.verdict
        self._add_tasks(run, verdict.tasks)
        _put(self._info, [*run, *(shown.info.get(name, "") for name in INFO)], 1.0)
        _put(self._incomplete, run, float(verdict.incomplete))
        if all(score.counts.pending == score.counts.total for score in verdict.tasks):
            return  # nothing is known yet, and the levels would say that all is 0
        self._add_levels(run, shown)
        _put(self._verdict, run, verdict.levels.verdict)
        self._add_certificate(run, shown)

    def _add_tasks(self, run: list[str], scores: Sequence[sc.TaskScore]) -> None:
        for score in scores:
            labels = [*run, score.task.key, score.task.metric]
            for family, name in ((self._score, "score"), (self._error, "standard_error"), (self._sigma, "sigma")):
                if score.HasField(name):
                    _put(family, labels, getattr(score, name))
        for kind in Outcome:
            _put(self._instances, [*run, kind.value], sum(getattr(score.counts, kind.value) for score in scores))

    def _add_levels(self, run: list[str], shown: Shown) -> None:
        """As the card has them (genlevel.cli.card.print_levels): what has to be won is absent if there is nothing to win against."""
        verdict = shown.verdict

        def won(value: float) -> float | None:
            return value if shown.referenced or value else None

        whole = levels_of(verdict.levels)
        for family, levels in ((self._levels, whole), (self._asked, levels_of(verdict.asked_levels))):
            for level, score in levels.scores.items():
                _put(family, [*run, str(level)], score if level == 2 else won(score))
        by_modality: dict[Modality, ModalityLevels | LanguageLevel] = {entry.modality: entry for entry in whole.modalities}
        by_modality[Modality.LANGUAGE] = whole.language
        for modality, entry in by_modality.items():
            if entry.tasks:
                _put(self._wins, [*run, modality.value], won(entry.wins))
                _put(self._supported, [*run, modality.value], entry.supported)

    def _add_certificate(self, run: list[str], shown: Shown) -> None:
        for certificate, verdict, wins in (
            (shown.verdict.certificate, self._certified, self._certified_wins),
            (shown.verdict.certificate_against_specialists, self._beaten, self._beaten_wins),
        ):
            _put(verdict, run, certificate.verdict)
            if shown.referenced:
                _put(wins, [*run, "family-wise"], certificate.certified_wins)
                _put(wins, [*run, "false-discovery-rate"], certificate.discovered_wins)
        for entry in shown.verdict.certificate.levels:
            if shown.referenced or entry.level == 2:
                for family, end in ((self._lower, entry.interval.lower), (self._upper, entry.interval.upper)):
                    _put(family, [*run, str(entry.level)], end)

    def _family(self, name: str, documentation: str, *labels: str) -> GaugeMetricFamily:
        family = GaugeMetricFamily(f"genlevel_{name}", documentation, labels=["model", "suite", "suite_hash", "partial", *labels])
        self.all.append(family)
        return family


def _put(family: GaugeMetricFamily, labels: list[str], value: float | None) -> None:
    """Adds a series, if there is anything that it could say."""
    if value is not None and math.isfinite(value):
        family.add_metric(labels, value)

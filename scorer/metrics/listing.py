"""What each of the 58 metrics needs, and whether it can be computed here now, sense by sense."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from genlevel.benchmark.catalogue import general_bench
from genlevel.benchmark.metrics import METRICS, MetricInfo
from scorer.metrics.base import MetricUnavailable
from scorer.metrics.registry import create
from scorer.models import NETWORKS


@dataclass(frozen=True, slots=True)
class Sense:
    """A metric as tasks of General-Bench mean it. networks: what measures. problem: why it cannot be computed here; empty if it can.

    needs: what has to come with the answers: ratings, a judge; empty if nothing has to.
    """

    parameters: tuple[tuple[str, str], ...]
    tasks: int
    networks: tuple[str, ...]
    problem: str
    needs: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A metric and its senses, the one that most tasks mean first."""

    info: MetricInfo
    senses: tuple[Sense, ...]

    @property
    def extras(self) -> tuple[str, ...]:
        """The project's extras that bring what its networks need."""
        return tuple(sorted({NETWORKS[name].extra for sense in self.senses for name in sense.networks if name in NETWORKS}))

    @property
    def problem(self) -> str:
        """Why not every sense can be computed here, in one line; empty if all can."""
        problems = [(sense, sense.problem) for sense in self.senses if sense.problem]
        if not problems:
            return ""
        sense, line = problems[0]
        if len(problems) == len(self.senses) or not sense.parameters:
            return line
        return f"{' '.join(f'{key}={value}' for key, value in sense.parameters)}: {line}"

    @property
    def runs(self) -> str:
        """yes, no, or in part: some senses can be computed."""
        missing = sum(bool(sense.problem) for sense in self.senses)
        return "yes" if not missing else "no" if missing == len(self.senses) else "in part"


def listing() -> list[Listed]:
    """All metrics of the registry in its order. Loads no network and opens no weights."""
    senses = Counter((task.metric.id, task.metric.parameters) for task in general_bench().tasks)
    return [
        Listed(
            info,
            tuple(
                _sense(info.id, parameters, count)
                for (metric_id, parameters), count in sorted(senses.items(), key=lambda entry: (-entry[1], entry[0]))
                if metric_id == info.id
            )
            or (_sense(info.id, (), 0),),
        )
        for info in METRICS.values()
    ]


def _sense(metric_id: str, parameters: tuple[tuple[str, str], ...], tasks: int) -> Sense:
    networks: tuple[str, ...] = ()
    needs = problem = ""
    try:
        metric = create(metric_id, dict(parameters), measuring=False)
        if metric is None:
            problem = "cannot be computed in this version"
        else:
            networks = getattr(metric, "names", ())
            needs = getattr(metric, "missing", "")
            metric.check()
    except MetricUnavailable as missing:
        problem = str(missing)
    return Sense(parameters, tasks, networks, problem, needs)

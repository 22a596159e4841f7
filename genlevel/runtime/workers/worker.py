"""What is known of a worker: what it is, what it may be given, what it does, and when it was last heard of."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

LOST_S = 30.0
"""After which a worker that was not seen counts as lost."""
FORGOTTEN_S = 3600.0
"""After which it is no longer shown."""
MOST_SHOWN = 100
"""Runs, and tasks that are scored, of one worker."""


@dataclass(frozen=True, slots=True)
class RunPart:
    """What a worker does of one run.

    leads: whether it is the one that shares out the run, or has it alone. in_flight: calls. rate: calls that end, a second. shards: pieces
    of the run in its hands.
    """

    run: str
    leads: bool
    in_flight: int
    rate: float
    shards: int = 0


@dataclass(frozen=True, slots=True)
class ScoredTask:
    """A task that a worker has scored now."""

    run: str
    task: str


@dataclass(frozen=True, slots=True)
class Doing:
    """What a worker does now. more_runs, more_scoring: how many there are beyond those that are told."""

    runs: tuple[RunPart, ...] = ()
    scoring: tuple[ScoredTask, ...] = ()
    more_runs: int = 0
    more_scoring: int = 0

    def shown(self) -> Doing:
        """The first hundred of each, and how many more there are."""
        return replace(
            self,
            runs=self.runs[:MOST_SHOWN],
            scoring=self.scoring[:MOST_SHOWN],
            more_runs=self.more_runs + max(0, len(self.runs) - MOST_SHOWN),
            more_scoring=self.more_scoring + max(0, len(self.scoring) - MOST_SHOWN),
        )

    def written(self) -> str:
        """As JSON, of at most a hundred of each."""
        return json.dumps(asdict(self.shown()))

    @classmethod
    def read(cls, text: str) -> Doing:
        """What was ``written``, by this version or another one: what is unknown there is left out, what is missing is 0."""
        known = json.loads(text)
        return cls(
            runs=tuple(
                RunPart(
                    str(one.get("run", "")),
                    bool(one.get("leads")),
                    int(one.get("in_flight", 0)),
                    float(one.get("rate", 0.0)),
                    int(one.get("shards", 0)),
                )
                for one in known.get("runs", ())
            ),
            scoring=tuple(ScoredTask(str(one.get("run", "")), str(one.get("task", ""))) for one in known.get("scoring", ())),
            more_runs=int(known.get("more_runs", 0)),
            more_scoring=int(known.get("more_scoring", 0)),
        )


@dataclass(frozen=True, slots=True)
class Worker:
    """A process that works.

    Attributes:
        name: genlevel.runtime.process.process_name.
        service: evaluator or scorer.
        version: of genlevel.
        host: where it runs.
        asks: whether it asks models.
        scores: what it may be given to score, by need: any, vision, video, audio; of a scorer, what it can compute.
        device: what networks run on; "" = a GPU if there is one.
        problem: why it can do less than it is told to, in one line; "" = it can do all.
    """

    name: str
    service: str
    version: str
    host: str
    asks: bool
    scores: tuple[str, ...]
    device: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """A worker as it was last heard of. started_s, seen_s: Unix time by the database's clock. age_s: since then, by the same clock.

    spared: it may not have been able to say that it is there.
    """

    worker: Worker
    doing: Doing
    started_s: float
    seen_s: float
    age_s: float = 0.0
    spared: bool = False

    @property
    def is_lost(self) -> bool:
        """Whether it was not heard of for so long that it is taken to be gone."""
        return self.age_s > LOST_S and not self.spared


def who_scores(seen: Iterable[Seen], need: str) -> list[Seen]:
    """Evaluators that can be given what has this need, and are not lost."""
    return [one for one in seen if one.worker.service == "evaluator" and need in one.worker.scores and not one.is_lost]


def nobody_scores(tasks: Sequence[str], need: str) -> str:
    """What to tell of tasks that nobody can score.

    >>> nobody_scores(["Style Transfer"], "vision")
    'task Style Transfer needs vision: no worker declares it; start one with worker.scores: [vision]'
    >>> nobody_scores(["a", "b", "c", "d"], "audio")
    '4 tasks (a, b, c, ...) need audio: no worker declares it; start one with worker.scores: [audio]'
    """
    if len(tasks) == 1:
        what = f"task {tasks[0]} needs"
    else:
        what = f"{len(tasks)} tasks ({', '.join(tasks[:3])}{', ...' if len(tasks) > 3 else ''}) need"
    return f"{what} {need}: no worker declares it; start one with worker.scores: [{need}]"


def scores_of(text: str) -> tuple[str, ...]:
    """A list of needs that is kept as JSON."""
    return tuple(str(one) for one in json.loads(text))


def as_told(worker: Worker) -> Mapping[str, object]:
    """The columns of its row, but those of time and what it does."""
    return {**asdict(worker), "scores": json.dumps(worker.scores)}

"""What a run decides before all of it is asked, and how much that may take, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from genlevel.documents.decision_words import earlier_lines, early_head, early_told, expected_told
from genlevel.documents.decisions import decision_document, is_decided_early

if TYPE_CHECKING:
    from genlevel.runtime.documents import Document
    from genlevel.v1 import evaluator_pb2 as ev


@dataclass(frozen=True, slots=True)
class DecidedTask:
    """What is decided of one task.

    Attributes:
        key: its folder in the suite.
        state: ``won`` (the full run would certify a win), ``not won`` (it would not, which is less than no win), ``undecided``,
            ``not needed`` (nothing that was to be decided depends on it) or ``not certifiable``.
        asked: its answers that there are, with or without a call.
        total: those of the full run.
        decided_at: answers that the decision rests on. None: it is not decided.
        test: the full run's test that is predicted. None: there is none.
        note: why nothing can be certified, why all was asked, or why it is not won without an answer; empty else.
    """

    key: str
    state: str
    asked: int
    total: int
    decided_at: int | None
    test: str | None
    note: str


@dataclass(frozen=True, slots=True)
class DecidedLevel:
    """What is decided of one level.

    Attributes:
        state: ``attained``, ``not attained`` (the full run would not certify it) or ``undecided``.
        by: by which test, in one line.
        decided_at: answers that had come when it was decided. None: it is not.
    """

    state: str
    by: str
    decided_at: int | None


@dataclass(frozen=True, slots=True)
class Decision:
    """What is decided of a run that asks only until something is: a prediction of its full run, and not its result. As a text: in a line.

    Attributes:
        aim: ``wins`` or ``verdict``.
        epsilon: the most that the chance is, in all, that anything is decided otherwise than the full run would.
        alpha: error of the certificate that is predicted.
        complete: all that was to be decided is.
        completed: all of the run has been asked since: its verdict is what counts.
        level: the highest level that is certified as attained. None: none.
        asked: answers for which the model was called: those that it rests on, or that were asked beside it.
        total: those of the full run: not what the model does not take or make.
        saved_usd: what the rest would have cost, in US dollars, at what each task's answers did on average. None: not known.
        levels: 3 to 5.
        tasks: in the run's order.
        earlier: what was decided before by another aim or other errors, a line each, the oldest first.
        text: all of it in a line.
    """

    aim: str
    epsilon: float
    alpha: float
    complete: bool
    completed: bool
    level: int | None
    asked: int
    total: int
    saved_usd: float | None
    levels: Mapping[int, DecidedLevel]
    tasks: tuple[DecidedTask, ...]
    earlier: tuple[str, ...]
    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Expected:
    """How many calls a run until something is decided may take, by simulation with published models. As a text: in a line.

    Attributes:
        median: calls, the median of all simulations. None: nothing can be said, and ``note`` says why.
        worst: the most of them. None: the same.
        total: calls of the full run.
        models: published models that were simulated.
        runs: how often each.
        median_usd: what the median costs, in US dollars, if each answer is as long as it may be. None: no price.
        worst_usd: the same of the most.
        usual_median_usd: what the median costs at what calls of this model have cost so far. None: not known.
        usual_worst_usd: the same of the most.
        note: why nothing can be said; empty if something can.
    """

    median: int | None
    worst: int | None
    total: int
    models: int
    runs: int
    median_usd: float | None
    worst_usd: float | None
    usual_median_usd: float | None
    usual_worst_usd: float | None
    note: str

    def __str__(self) -> str:
        return expected_told(_known(self), None)


def decision_of(run: ev.Run) -> Decision | None:
    """A run's message as a value; None: it asks all, or nothing is decided yet."""
    if not run.HasField("decision"):
        return None
    told = decision_document(run.decision)
    plain = ("aim", "epsilon", "alpha", "complete", "asked", "total", "saved_usd")
    return Decision(
        **{name: told[name] for name in plain},
        completed=not is_decided_early(run),
        level=told["verdict"],
        levels={int(level): DecidedLevel(**entry) for level, entry in told["levels"].items()},
        tasks=tuple(DecidedTask(**{**task, "note": task["note"] or ""}) for task in told["tasks"]),
        earlier=tuple(earlier_lines(told, can_be_seen=is_decided_early(run))),
        text=f"{early_head(told)} ({early_told(told)})",
    )


def expected_of(document: Document | None) -> Expected | None:
    """A plan's part as a value."""
    return None if document is None else Expected(**{**document, "note": document["note"] or ""})


def _known(expected: Expected) -> Document:
    return {name: getattr(expected, name) for name in Expected.__slots__}

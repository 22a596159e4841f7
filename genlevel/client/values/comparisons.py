"""Two runs compared, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from genlevel.client.values.verdicts import Interval, interval_of

if TYPE_CHECKING:
    from genlevel.runtime.documents import Document


@dataclass(frozen=True, slots=True)
class Difference:
    """A minus B, on the instances that both have.

    Attributes:
        score_a: of A, in the metric's unit; of levels and modalities 0-100.
        score_b: of B.
        difference: A minus B.
        interval: of the difference, at confidence 1 - alpha. None: it cannot be said.
        p_value: two-sided, of "no difference". None: no test.
        smallest_detectable: the true difference that would be found with a power of 0.8. None: not known.
        test: ``exact McNemar`` or ``sign-flip permutation``. None: no test.
    """

    score_a: float
    score_b: float
    difference: float
    interval: Interval | None
    p_value: float | None
    smallest_detectable: float | None
    test: str | None


@dataclass(frozen=True, slots=True)
class ComparedTask:
    """One task of both runs.

    Attributes:
        task: the workbook's name, or the folder's.
        key: its folder in the suite.
        metric: its id. None: none is known.
        difference: None: nothing can be compared (``note`` says why).
        p_adjusted: its p-value after Holm's correction over all compared tasks. None: no test.
        shared: instances compared.
        only_a: instances that only A has.
        only_b: instances that only B has.
        open: instances that failed or are pending in one of them.
        note: why nothing can be compared; empty if something can.
    """

    task: str
    key: str
    metric: str | None
    difference: Difference | None
    p_adjusted: float | None
    shared: int
    only_a: int
    only_b: int
    open: int
    note: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs of one suite, paired on the instances that both have answered or refused.

    Attributes:
        run_a: id of A.
        model_a: its model.
        run_b: id of B.
        model_b: its model.
        suite: of both.
        alpha: error of each interval.
        levels: by level, 2 to 5, over the compared tasks alone.
        modalities: by name, Level 2 of each; of language the mean sigma.
        tasks: in the suite's order.
        only_a: keys of tasks that only A has.
        only_b: keys of tasks that only B has.
    """

    run_a: str
    model_a: str
    run_b: str
    model_b: str
    suite: str
    alpha: float
    levels: Mapping[int, Difference]
    modalities: Mapping[str, Difference]
    tasks: tuple[ComparedTask, ...]
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]


def comparison_of(document: Document) -> Comparison:
    """A comparison's document (docs/json.md) as a value."""
    one, other = document["a"], document["b"]
    return Comparison(
        run_a=one["run"],
        model_a=one["model"],
        run_b=other["run"],
        model_b=other["model"],
        suite=document["suite"],
        alpha=document["alpha"],
        levels={int(level): _difference(entry) for level, entry in document["levels"].items()},
        modalities={name: _difference(entry) for name, entry in document["modalities"].items()},
        tasks=tuple(_task(task) for task in document["tasks"]),
        only_a=tuple(document["not_shared"]["a"]),
        only_b=tuple(document["not_shared"]["b"]),
    )


def _task(document: Document) -> ComparedTask:
    return ComparedTask(
        task=document["task"],
        key=document["key"],
        metric=document["metric"],
        difference=None if document["difference"] is None else _difference(document),
        p_adjusted=document["p_adjusted"],
        note=document["note"] or "",
        **document["instances"],
    )


def _difference(document: Document) -> Difference:
    plain = ("score_a", "score_b", "difference", "p_value", "smallest_detectable", "test")
    return Difference(**{name: document[name] for name in plain}, interval=interval_of(document["interval"]))

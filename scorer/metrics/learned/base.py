"""What metrics of published networks share: which networks they need, and measuring many answers at once."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from scorer.metrics.base import MeanMetric, Metric, MetricUnavailable, NotComparable, Question, S, UnreadableAnswer
from scorer.metrics.nature import MEASURED_MEAN
from scorer.models import Networks, NetworkUnavailable, networks
from scorer.models.ports import Floats
from scorer.parsers import Parsed

G = TypeVar("G")
T = TypeVar("T")

AT_ONCE = 16
"""Answers that networks are shown together."""
MOST_BYTES = 256 << 20
"""Decoded media of several answers that are in memory together; one answer alone may have more."""


class LearnedMetric(Metric[S], Generic[S, G]):
    """A metric whose statistics are made by networks.

    names: the networks it needs, as scorer.models.catalogue has them. using: where they are; None: this process's.
    Statistics are made in two steps: ``gathered`` decodes an answer's media, ``measured`` shows those of several answers to the networks.
    """

    def __init__(self, metric_id: str, *names: str, using: Networks | None = None) -> None:
        super().__init__(metric_id)
        self.names = names
        self._networks = using if using is not None else networks()

    def check(self) -> None:
        try:
            self._networks.check(*self.names)
        except NetworkUnavailable as problem:
            raise MetricUnavailable(str(problem)) from None

    def provenance(self) -> str:
        try:
            return "; ".join(self._networks.provenance(name) for name in self.names)
        except NetworkUnavailable as problem:
            raise MetricUnavailable(str(problem)) from None

    def network(self, name: str) -> Any:
        """A loaded network. Raises MetricUnavailable; so does every call of it that fails, with the reason."""
        try:
            return _Guarded(self._networks.load(name), name)
        except NetworkUnavailable as problem:
            raise MetricUnavailable(str(problem)) from None

    @abstractmethod
    def gathered(self, answer: Parsed, question: Question) -> G:
        """What the networks are shown of one answer. Raises NotComparable or UnreadableAnswer."""

    @abstractmethod
    def measured(self, entries: Sequence[G]) -> list[S]:
        """The statistic of each."""

    def statistic(self, answer: Parsed, question: Question) -> S:
        return self.measured([self.gathered(answer, question)])[0]

    def statistics_many(self, pairs: Sequence[tuple[Parsed, Question]]) -> list[S | NotComparable | UnreadableAnswer]:
        found: dict[int, S | NotComparable | UnreadableAnswer] = {}
        held: list[tuple[int, G]] = []
        size = 0
        for index, pair in enumerate(pairs):
            try:
                entry = self.gathered(*pair)
            except (NotComparable, UnreadableAnswer) as problem:
                found[index] = problem
                continue
            held.append((index, entry))
            size += bytes_of(entry)
            if len(held) >= AT_ONCE or size >= MOST_BYTES:
                self._fill(found, held)
                held, size = [], 0
        self._fill(found, held)
        return [found[index] for index in range(len(pairs))]

    def _fill(self, found: dict[int, S | NotComparable | UnreadableAnswer], held: Sequence[tuple[int, G]]) -> None:
        for (index, _entry), statistic in zip(held, self._measured_or_why([entry for _index, entry in held]), strict=True):
            found[index] = statistic

    def _measured_or_why(self, entries: Sequence[G]) -> Sequence[S | NotComparable | UnreadableAnswer]:
        """If a network cannot take one answer, the others are measured all the same; if it takes none, the network is broken."""
        if not entries:
            return []
        try:
            return self.measured(entries)
        except NotComparable as problem:
            return [problem] * len(entries)
        except MetricUnavailable:
            if len(entries) == 1:
                raise
        found: list[S | NotComparable | UnreadableAnswer] = []
        failures: list[MetricUnavailable] = []
        for entry in entries:
            try:
                found += self.measured([entry])
            except NotComparable as problem:
                found.append(problem)
            except MetricUnavailable as problem:
                failures.append(problem)
                found.append(UnreadableAnswer(str(problem)))
        if len(failures) == len(entries):
            raise failures[0]
        return found


class _Guarded:
    """A network whose failures name it."""

    def __init__(self, network: object, name: str) -> None:
        self._network, self._name = network, name

    def __getattr__(self, attribute: str) -> Any:
        found = getattr(self._network, attribute)
        if not callable(found):
            return found

        def call(*arguments: object, **named: object) -> object:
            try:
                return found(*arguments, **named)
            except Exception as error:  # whatever a library raises, out of memory included
                reason = (str(error).strip().splitlines() or [type(error).__name__])[-1]
                raise MetricUnavailable(f"the {self._name} network fails on what it is shown: {reason[:200]}") from error

        return call


class LearnedMean(LearnedMetric[float, G], MeanMetric, Generic[G]):
    """100 times the mean of one number 0..1 per instance. What is refused or unparsable counts 0; a failed instance at best 1."""

    nature = MEASURED_MEAN
    needs_label = False

    def worst(self, question: Question) -> float:
        return 0.0

    def best(self, question: Question) -> float:
        return 1.0


def bytes_of(value: object) -> int:
    """How much memory the arrays in lists and tuples take."""
    if isinstance(value, list | tuple):
        return sum(map(bytes_of, value))
    return int(getattr(value, "nbytes", 0))


def together(network_call: Callable[[list[T]], Floats], groups: Sequence[Sequence[T]]) -> list[Floats]:
    """One call of a network for the pictures of several answers: the rows of each group."""
    import numpy as np

    rows = network_call([entry for group in groups for entry in group])
    ends = np.cumsum([len(group) for group in groups])[:-1]
    return np.split(rows, ends)

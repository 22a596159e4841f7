"""A task's answers as the store keeps them, as the rows that metrics compute from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Mapping
from typing import cast

from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.outcomes import OPEN, Outcome

Statistics = Mapping[AnswerKey, tuple[Outcome, object]]
"""(outcome, statistic) by answer; of an open answer the statistic is [worst, best], of one that could not be measured None."""
Clusters = Mapping[AnswerKey, Hashable]
"""Which answers belong together (by medium, by text); those left out stand alone."""
WORST, BEST = 0, 1
"""What open answers are taken as."""


def is_measured(statistics: Statistics) -> bool:
    """Whether a score follows from these answers."""
    return (
        bool(statistics)
        and all(statistic is not None for _outcome, statistic in statistics.values())
        and any(outcome is not Outcome.UNSUPPORTED for outcome, _statistic in statistics.values())
    )


def is_complete(statistics: Statistics) -> bool:
    """Whether no answer is open."""
    return all(outcome not in OPEN for outcome, _statistic in statistics.values())


def rows_at(statistics: Statistics, end: int) -> list[tuple[str, object]]:
    """(name, statistic) of each answer in the order of keys, open ones taken as ``end``."""
    return [(str(key), cast("list[object]", row)[end] if outcome in OPEN else row) for key, (outcome, row) in sorted(statistics.items())]


def named(clusters: Clusters, keys: Collection[AnswerKey]) -> dict[str, Hashable]:
    """Which of these answers belong together, by the names of rows: those of a cluster, and those to one instance that has several."""
    asked = Counter(key.instance for key in keys)
    return {str(key): clusters.get(key, (key.instance,)) for key in keys if key in clusters or asked[key.instance] > 1}

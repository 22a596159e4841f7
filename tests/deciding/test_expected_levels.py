"""How many answers simulated runs take until their verdict is decided."""

from __future__ import annotations

import numpy as np
import pytest

from genlevel.benchmark.model import Modality, Paradigm
from genlevel.deciding import expected_levels
from genlevel.deciding.expected_levels import answers_of_verdict
from genlevel.deciding.values import Criterion, Shares, TaskToDecide

SHARES = Shares(tests=4, wins=0.04, pooled=0.002, epsilon=0.04)
UNITS = 200
CRITICAL = 130
SIDES = [
    (Modality.IMAGE, Paradigm.COMPREHENSION),
    (Modality.IMAGE, Paradigm.GENERATION),
    (Modality.VIDEO, Paradigm.COMPREHENSION),
    (Modality.LANGUAGE, None),
]
TASKS = [
    TaskToDecide(f"{place}", modality, paradigm, [1] * UNITS, Criterion(bar=0.5, critical=CRITICAL))
    for place, (modality, paradigm) in enumerate(SIDES)
]


def answers(*shares: float) -> list[int]:
    return answers_of_verdict(TASKS, np.array([shares]), SHARES, 3)[0].tolist()


def test_what_decides_the_highest_level_is_asked() -> None:
    fifth = answers(0.95, 0.95, 0.1, 0.95)
    assert all(fifth[place] for place in (0, 1, 3))
    assert sum(fifth) < 2 * UNITS
    third = answers(0.95, 0.1, 0.1, 0.95)
    assert third[3] == 0
    assert 0 < sum(third) < UNITS
    assert sum(answers(0.1, 0.1, 0.1, 0.1)) < UNITS


@pytest.mark.parametrize(
    ("shares", "needed", "spared"),
    [
        ((0.95, 0.95, 0.1, 0.95), [0, 1, 3], [2]),
        ((0.95, 0.1, 0.1, 0.95), [1], [0, 2, 3]),
        ((0.1, 0.1, 0.1, 0.95), [0, 1, 2], [3]),
    ],
)
def test_what_is_undecided_at_the_last_draw_is_what_its_tasks_take(
    monkeypatch: pytest.MonkeyPatch, shares: tuple[float, ...], needed: list[int], spared: list[int]
) -> None:
    monkeypatch.setattr(expected_levels, "MOST_DRAWS", 0)
    found = answers(*shares)
    assert all(found[place] > 5 for place in needed)
    assert not any(found[place] for place in spared)

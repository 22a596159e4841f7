"""Levels 3 to 5 by what is decided of tasks: what is attained, what is out of reach, and on which tasks anything still depends.

Level 3 is a win of any modality but language; Level 4 are wins of both paradigms of one modality; Level 5 is that and a win of language. A
win whose criterion rewards nothing attains none.

That a task is not won holds of the steps of Holm's procedure that its mark allows for. So a level is only told as not attained by such
tasks once it is known that these are all (``genlevel.deciding.holm``): as many tasks are not won that no further step can be come to.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from genlevel.benchmark.model import Modality, Paradigm
from genlevel.deciding.holm import Holm
from genlevel.deciding.standing import Standing
from genlevel.deciding.values import LevelDecision, LevelState, TaskState

LEVELS = (3, 4, 5)
_SHOWN = 3
_NAMES = {Modality.THREE_D: "3D"}


@dataclass(slots=True, eq=False)
class Side:
    """Tasks that are alike to the levels: of one modality and paradigm, or of language. open: how many of them may still be won.
    needed: whether the highest level may depend on them. possible: how many are won or may be, also such as reward nothing. predicted:
    some are told as not won."""

    name: str
    tasks: list[Standing] = field(default_factory=list)
    winner: str = ""
    open: int = 0
    needed: bool = True
    possible: int = 0
    predicted: bool = False

    def __post_init__(self) -> None:
        self.count()

    def count(self) -> None:
        rewarding = [one for one in self.tasks if one.criterion.rewards]
        self.open = sum(one.is_open for one in rewarding)
        self.possible = sum(one.is_open or one.state is TaskState.WON for one in self.tasks)
        self.predicted = any(one.state is TaskState.NOT_WON for one in rewarding)
        self.winner = self.winner or next((one.key for one in rewarding if one.state is TaskState.WON), "")

    @property
    def is_won(self) -> bool:
        return bool(self.winner)

    @property
    def is_out(self) -> bool:
        return not self.winner and not self.open

    @property
    def is_alive(self) -> bool:
        """Neither won nor out."""
        return not self.winner and self.open > 0


class Ladder:
    """The levels of a benchmark's tasks. is_known: whether the highest level is. hangs: a level would be told as not attained, if it were
    known that no more tasks are won than the steps of ``holm`` allow for."""

    def __init__(self, standings: Iterable[Standing], holm: Holm) -> None:
        self._sides: dict[tuple[Modality, Paradigm | None], Side] = {}
        self._places: dict[str, Side] = {}
        self.language = Side("language")
        self.is_known = self.hangs = False
        self._holm = holm
        for one in standings:
            outside = one.task.modality is not Modality.LANGUAGE
            side = self._places[one.key] = self._side(one.task.modality, one.task.paradigm) if outside else self.language
            side.tasks.append(one)
        modalities = [modality for modality in Modality if modality is not Modality.LANGUAGE]
        self.pairs: Sequence[tuple[Side, Side]] = tuple(
            (self._side(modality, Paradigm.COMPREHENSION), self._side(modality, Paradigm.GENERATION)) for modality in modalities
        )
        self.sides: Sequence[Side] = tuple(side for pair in self.pairs for side in pair)
        self._found = {level: LevelDecision(level, LevelState.UNDECIDED, "", 0) for level in LEVELS}
        self._states = dict.fromkeys(LEVELS, LevelState.UNDECIDED)
        self._pooled = ""
        for side in (*self.sides, self.language):
            side.count()
        self._look(0)

    def changed(self, standing: Standing, answers: int) -> None:
        """Something is decided of a task. answers: how many had counted by then."""
        self._places[standing.key].count()
        self._look(answers)

    def allow(self, holm: Holm, answers: int) -> None:
        """What was told as not won holds of these steps now, or is open again."""
        self._holm = holm
        for side in (*self.sides, self.language):
            side.count()
        self._look(answers)

    def attain_third(self, by: str, answers: int) -> None:
        """Level 3 is attained by a test of its own, in one line."""
        self._pooled = by
        self._look(answers)

    def state(self, level: int) -> LevelState:
        return self._states[level]

    @property
    def highest(self) -> int | None:
        return max((level for level in LEVELS if self._states[level] is LevelState.ATTAINED), default=None)

    def decisions(self) -> tuple[LevelDecision, ...]:
        return tuple(self._found.values())

    def needs(self, standing: Standing) -> bool:
        """Whether the highest level may still depend on this task."""
        return standing.criterion.rewards and self._places[standing.key].needed

    def _look_at_needs(self) -> None:
        third, fourth = self._states[3], self._states[4]
        self.is_known = all(state is not LevelState.UNDECIDED for state in self._states.values())
        self.language.needed = not self.is_known and fourth is not LevelState.NOT_ATTAINED and self.language.is_alive
        for pair in self.pairs:
            may_be = fourth is LevelState.UNDECIDED and not any(side.is_out for side in pair)
            for side in pair:
                side.needed = not self.is_known and (third is LevelState.UNDECIDED or (may_be and side.is_alive))

    def _look(self, answers: int) -> None:
        third = next((side for side in self.sides if side.is_won), None)
        both = next((pair for pair in self.pairs if all(side.is_won for side in pair)), None)
        attained = {
            3: f"win of {_win(third)}" if third else self._pooled,
            4: f"wins of {_win(both[0])} and {_win(both[1])}" if both else "",
            5: f"wins of {_win(both[0])}, {_win(both[1])} and {_win(self.language)}" if both and self.language.is_won else "",
        }
        out = self._out()
        lost = self._lost({side for side in out if not side.predicted} if self._is_short_of_losses() else out)
        for level in LEVELS:
            if self._states[level] is not LevelState.UNDECIDED:
                continue
            state = LevelState.ATTAINED if attained[level] else LevelState.NOT_ATTAINED if lost[level] else LevelState.UNDECIDED
            if state is not LevelState.UNDECIDED:
                self._states[level] = state
                self._found[level] = LevelDecision(level, state, attained[level] or lost[level], answers)
        if_sure = self._lost(out)
        self.hangs = any(if_sure[level] and self._states[level] is LevelState.UNDECIDED for level in LEVELS)
        self._look_at_needs()

    def _out(self) -> set[Side]:
        return {side for side in (*self.sides, self.language) if side.is_out}

    def _is_short_of_losses(self) -> bool:
        """Whether more tasks may be won than allow for what is told as not won."""
        return not self._holm.suffices(sum(side.possible for side in (*self.sides, self.language)))

    def _lost(self, out: set[Side]) -> dict[int, str]:
        """Why each level is not attained if these sides are out; empty if it may be."""
        third = self._no_third(out)
        fourth = self._no_fourth(out) or third
        return {3: third, 4: fourth, 5: fourth or (_none(self.language) if self.language in out else "")}

    def _no_third(self, out: set[Side]) -> str:
        if self._pooled or not out.issuperset(self.sides):
            return ""
        return (
            "no task outside language would be certified as won" if any(side.tasks for side in self.sides) else "no task outside language"
        )

    def _no_fourth(self, out: set[Side]) -> str:
        if not all(out.intersection(pair) for pair in self.pairs):
            return ""
        told = [next(side for side in pair if side in out) for pair in self.pairs if any(side.tasks for side in pair)]
        return "; ".join(_none(side) for side in told) or "no task outside language"

    def _side(self, modality: Modality, paradigm: Paradigm | None) -> Side:
        found = self._sides.get((modality, paradigm))
        if found is None:
            name = f"{_NAMES.get(modality, modality.value)} {paradigm.value if paradigm else ''}".strip()
            found = self._sides[modality, paradigm] = Side(name)
        return found


def _win(side: Side) -> str:
    return f"{side.winner} ({side.name})"


def _none(side: Side) -> str:
    return f"no task of {side.name} would be certified as won" if side.tasks else f"no task of {side.name}"

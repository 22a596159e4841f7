from __future__ import annotations

from genlevel.benchmark.model import Modality, Paradigm
from genlevel.deciding.holm import Holm
from genlevel.deciding.levels import Ladder
from genlevel.deciding.standing import Standing
from genlevel.deciding.values import Criterion, LevelState, Shares, TaskState, TaskToDecide

HOLM = Holm.of(Shares(7, 0.05, 0.05, 0.01), 7)
COMPREHENSION, GENERATION = Paradigm.COMPREHENSION, Paradigm.GENERATION


def standing(key: str, modality: Modality, paradigm: Paradigm | None = None, *, rewards: bool = True) -> Standing:
    criterion = Criterion(bar=0.5, critical=70, rewards=rewards)
    return Standing(TaskToDecide(key, modality, paradigm, [1] * 100, criterion), criterion, 1e-4, HOLM)


class Board:
    """A ladder, and its tasks by name."""

    def __init__(self, holm: Holm = HOLM) -> None:
        self.tasks = {
            one.key: one
            for one in (
                standing("see", Modality.IMAGE, COMPREHENSION),
                standing("look", Modality.IMAGE, COMPREHENSION),
                standing("paint", Modality.IMAGE, GENERATION),
                standing("hear", Modality.AUDIO, COMPREHENSION),
                standing("sing", Modality.AUDIO, GENERATION),
                standing("worst", Modality.AUDIO, GENERATION, rewards=False),
                standing("read", Modality.LANGUAGE),
            )
        }
        self.ladder = Ladder(self.tasks.values(), holm)
        self.answers = 0

    def decide(self, state: TaskState, *keys: str) -> None:
        for key in keys:
            self.answers += 10
            self.tasks[key].state = state
            self.ladder.changed(self.tasks[key], self.answers)

    def win(self, *keys: str) -> None:
        self.decide(TaskState.WON, *keys)

    def lose(self, *keys: str) -> None:
        self.decide(TaskState.NOT_WON, *keys)

    @property
    def states(self) -> str:
        """Of Levels 3 to 5: + attained, - not, ? undecided."""
        signs = {LevelState.ATTAINED: "+", LevelState.NOT_ATTAINED: "-", LevelState.UNDECIDED: "?"}
        return "".join(signs[level.state] for level in self.ladder.decisions())

    @property
    def needed(self) -> set[str]:
        return {key for key, one in self.tasks.items() if one.is_open and self.ladder.needs(one)}


def test_all_is_open_at_first_but_what_rewards_nothing() -> None:
    board = Board()
    assert board.states == "???"
    assert board.needed == board.tasks.keys() - {"worst"}


def test_a_win_attains_level_3_and_its_side_is_done() -> None:
    board = Board()
    board.win("see")
    assert board.states == "+??"
    assert board.needed == {"paint", "hear", "sing", "read"}
    assert board.ladder.decisions()[0].by == "win of see (image comprehension)"
    assert [level.decided_at for level in board.ladder.decisions()] == [10, 0, 0]


def test_what_rewards_nothing_attains_nothing() -> None:
    board = Board()
    board.win("worst", "hear")
    assert board.states == "+??"
    board.lose("sing")
    assert board.ladder.decisions()[1].state is LevelState.UNDECIDED
    assert board.needed == {"see", "look", "paint", "read"}


def test_a_pair_without_one_side_is_not_needed() -> None:
    board = Board()
    board.win("see")
    board.lose("paint")
    assert board.needed == {"hear", "sing", "read"}
    board.lose("hear")
    assert board.states == "+--"
    assert board.needed == set()
    assert board.ladder.is_known
    assert board.ladder.highest == 3
    assert board.ladder.decisions()[1].by == (
        "no task of image generation would be certified as won; no task of audio comprehension would be certified as won"
    )


def test_of_a_pair_that_is_out_neither_side_is_needed() -> None:
    board = Board()
    board.win("hear")
    board.lose("paint")
    assert board.needed == {"sing", "read"}


def test_levels_4_and_5() -> None:
    board = Board()
    board.win("see", "paint")
    assert board.states == "++?"
    assert board.needed == {"read"}
    board.lose("read")
    assert board.states == "++-"
    assert board.ladder.decisions()[2].by == "no task of language would be certified as won"
    assert [level.decided_at for level in board.ladder.decisions()] == [10, 20, 30], "and what is decided stays"
    other = Board()
    other.win("read", "hear", "sing")
    assert other.states == "+++"
    assert other.ladder.decisions()[2].by == "wins of hear (audio comprehension), sing (audio generation) and read (language)"


def test_without_any_win_no_level_is_attained() -> None:
    board = Board()
    board.lose("see", "look", "paint", "hear")
    assert board.states == "?--"
    assert board.needed == {"sing"}
    board.lose("sing")
    assert board.states == "---"
    assert board.ladder.highest is None
    assert board.ladder.decisions()[0].by == "no task outside language would be certified as won"


def test_level_3_may_be_attained_without_a_named_win() -> None:
    board = Board()
    board.ladder.attain_third("pooled betting", 50)
    assert board.states == "+??"
    assert board.ladder.decisions()[0].by == "pooled betting"
    board.lose("see", "look", "hear", "sing")
    assert board.states == "+--"


def test_a_benchmark_of_language_alone_has_no_levels() -> None:
    ladder = Ladder([standing("read", Modality.LANGUAGE)], HOLM)
    assert ladder.is_known
    assert {level.by for level in ladder.decisions()} == {"no task outside language"}


def test_what_is_not_won_rules_a_level_out_once_no_more_can_be_won_than_its_marks_allow_for() -> None:
    board = Board(Holm(7, 0.05, 4))
    board.win("see", "paint")
    assert (board.states, board.ladder.hangs) == ("++?", False)
    board.lose("read")
    assert (board.states, board.ladder.hangs) == ("++?", True)
    board.lose("worst", "hear")
    assert board.states == "++?"
    board.lose("sing")
    assert (board.states, board.ladder.hangs) == ("++-", False)


def test_of_all_steps_what_is_not_won_rules_out_and_what_is_open_again_does_not() -> None:
    board = Board(Holm(7, 0.05, 4))
    board.win("see", "look", "paint", "hear", "sing")
    board.lose("worst", "read")
    assert board.states == "++?"
    board.tasks["read"].state = TaskState.UNDECIDED
    board.ladder.allow(Holm(7, 0.05, 1), 100)
    assert (board.states, board.needed) == ("++?", {"read"})
    board.win("read")
    assert board.states == "+++"


def test_sides_without_tasks_that_could_be_won_need_no_marks() -> None:
    board = Board(Holm(7, 0.05, 4))
    board.decide(TaskState.UNCERTIFIABLE, "paint", "sing")
    assert board.states == "?--"

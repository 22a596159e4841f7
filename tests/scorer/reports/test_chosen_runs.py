"""Which run of a model and suite a leaderboard shows, and what it says of the others."""

from __future__ import annotations

from genlevel.benchmark.catalogue import general_bench
from genlevel.benchmark.model import Modality
from genlevel.v1 import scorer_pb2 as sc
from scorer.reports.leaderboard import make_board
from scorer.reports.leaderboard_report import choose_runs, tasks_of_other_data

BOARD = make_board(general_bench(), modalities=[Modality.LANGUAGE])
FIRST, SECOND = (task for task in general_bench().tasks if task.name in ("Causal Reasoning", "Commonsense Reasoning"))


def standing(
    run: str, *, part: bool = False, suite_hash: str = "", contents: tuple[int, ...] = (0,), answered: int = 0, failed: int = 0
) -> sc.ListStandingsResponse:
    tasks = [FIRST, SECOND][: len(contents)]
    columns = sc.StandingTasks(
        ids=[task.id for task in tasks],
        keys=[f"key of {task.id}" for task in tasks],
        values=[1.0 for _ in tasks],
        answered=[answered for _ in tasks],
        partial=[False for _ in tasks],
        incomplete=[failed > 0 for _ in tasks],
        contents=contents,
        fingerprints=[0 for _ in tasks],
    )
    return sc.ListStandingsResponse(run_id=run, model="m", suite="s", suite_hash=suite_hash, part=part, tasks=columns)


def shown(*standings: sc.ListStandingsResponse) -> list[str]:
    return [found.run_id for found in choose_runs(standings, BOARD)[0]]


def test_a_run_of_the_whole_goes_before_a_part_with_more_answers() -> None:
    assert shown(standing("part", part=True, answered=50), standing("whole", answered=10, failed=90)) == ["whole"]
    assert shown(standing("newer part", part=True, answered=50), standing("part", part=True, answered=60)) == ["part"]
    assert shown(standing("newer", answered=100), standing("older", answered=100)) == ["newer"]


def test_contents_that_are_known_to_differ_are_shown_apart() -> None:
    one, grown = standing("one", suite_hash="a" * 64, contents=(7,), answered=5), standing("grown", suite_hash="b" * 64, answered=5)
    grown.tasks.contents[0] = 7
    chosen, notes = choose_runs([grown, one], BOARD)
    assert [found.run_id for found in chosen] == ["grown", "one"]
    assert notes == [
        "runs grown and one of m have different data, though both suites are named 's' (s@bbbbbbbb and s@aaaaaaaa): shown apart"
    ]


def test_a_run_whose_content_is_not_known_is_one_with_those_that_have_the_same_data() -> None:
    known, older = standing("known", suite_hash="a" * 64, contents=(7,), answered=5), standing("older", answered=5)
    assert shown(known, older) == ["known"]
    known.tasks.fingerprints[0], older.tasks.fingerprints[0] = 1, 2
    assert shown(known, older) == ["known", "older"]


def test_the_content_decides_if_both_are_known_and_the_others_are_named() -> None:
    one, other = standing("one", contents=(7, 7), answered=5), standing("other", contents=(7, 8), answered=4)
    one.tasks.fingerprints[:], other.tasks.fingerprints[:] = [1, 1], [2, 1]
    assert tasks_of_other_data(one, other) == [f"key of {SECOND.id}"]
    notes = choose_runs([standing(f"r{number}", answered=number) for number in range(1, 9)], BOARD)[1]
    assert notes == [
        "m on s: shown is the run with most instances answered on this board, run r8 (8);"
        " not shown: run r7 (7), run r6 (6), run r5 (5), run r4 (4), run r3 (3) and 2 more"
    ]

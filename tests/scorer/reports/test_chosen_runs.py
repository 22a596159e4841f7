"""Which run of a model and suite a leaderboard shows, and what it says of the others."""

from __future__ import annotations

from genlevel.benchmark.catalogue import general_bench
from genlevel.benchmark.model import Modality
from genlevel.v1 import scorer_pb2 as sc
from scorer.reports.leaderboard import make_board
from scorer.reports.leaderboard_report import choose_runs

BOARD = make_board(general_bench(), modalities=[Modality.LANGUAGE])
FIRST, SECOND = (task for task in general_bench().tasks if task.name in ("Causal Reasoning", "Commonsense Reasoning"))


def verdict(
    run: str, *, part: bool = False, suite_hash: str = "", contents: tuple[str, ...] = ("",), **counts: int
) -> sc.GetVerdictResponse:
    tasks = [
        sc.TaskScore(
            task=sc.TaskDescription(key=task.id, name=task.name, sheet=task.sheet, modality="language", content=content),
            counts=sc.OutcomeCounts(total=sum(counts.values()), **counts),
        )
        for task, content in zip((FIRST, SECOND), contents, strict=False)
    ]
    return sc.GetVerdictResponse(run_id=run, model="m", suite="s", suite_hash=suite_hash, part=part, tasks=tasks)


def shown(*verdicts: sc.GetVerdictResponse) -> list[str]:
    return [found.run_id for found in choose_runs(verdicts, BOARD, general_bench())[0]]


def test_a_run_of_the_whole_goes_before_a_part_with_more_answers() -> None:
    assert shown(verdict("part", part=True, answered=50), verdict("whole", answered=10, failed=90)) == ["whole"]
    assert shown(verdict("newer part", part=True, answered=50), verdict("part", part=True, answered=60)) == ["part"]
    assert shown(verdict("newer", answered=100), verdict("older", answered=100)) == ["newer"]


def test_contents_that_are_known_to_differ_are_shown_apart() -> None:
    one, grown = verdict("one", suite_hash="a" * 64, contents=("x",), answered=5), verdict("grown", suite_hash="b" * 64, answered=5)
    grown.tasks[0].task.content = "x"
    chosen, notes = choose_runs([grown, one], BOARD, general_bench())
    assert [found.run_id for found in chosen] == ["grown", "one"]
    assert notes == [
        "runs grown and one of m have different data, though both suites are named 's' (s@bbbbbbbb and s@aaaaaaaa): shown apart"
    ]


def test_a_run_whose_content_is_not_known_is_one_with_those_that_have_the_same_data() -> None:
    known, older = verdict("known", suite_hash="a" * 64, contents=("x",), answered=5), verdict("older", answered=5)
    assert shown(known, older) == ["known"]
    known.tasks[0].task.fingerprint, older.tasks[0].task.fingerprint = "f", "g"
    assert shown(known, older) == ["known", "older"]

"""What results say of a decision: never that a full run was made, always by what, with which error, and what stays unknown."""

from __future__ import annotations

from typing import Any

import pytest

from genlevel.deciding.pooled import PooledWealth
from genlevel.documents.decision_words import (
    POOLED,
    carried,
    early_head,
    early_lines,
    early_title,
    early_told,
    level_told,
    pointed_to,
    tasks_told,
)
from genlevel.documents.decisions import decision_document
from genlevel.v1 import evaluator_pb2 as ev
from tests.views.decided import ATTAINED, NOT_ATTAINED, NOT_NEEDED, NOT_WON, OPEN, UNCERTIFIABLE, UNDECIDED, WON, decision_of

WINS = ev.UntilDecided.AIM_WINS
TASKS = (("a", WON), ("b", WON), ("c", NOT_WON), ("d", UNDECIDED), ("e", UNCERTIFIABLE), ("f", NOT_NEEDED))


def result(decision: ev.EarlyDecision | None, status: str = "decided", certified: object = None) -> dict[str, Any]:
    document: dict[str, Any] = {"status": status, "certified": certified}
    return document if decision is None else {**document, "decision": decision_document(decision)}


@pytest.mark.parametrize(
    ("levels", "said"),
    [
        ((ATTAINED, NOT_ATTAINED, NOT_ATTAINED), "Level 3"),
        ((ATTAINED, OPEN, OPEN), "at least Level 3"),
        ((ATTAINED, ATTAINED, OPEN), "at least Level 4"),
        ((ATTAINED, ATTAINED, ATTAINED), "Level 5"),
        ((NOT_ATTAINED, NOT_ATTAINED, NOT_ATTAINED), "no Level 3"),
        ((OPEN, OPEN, OPEN), "undecided"),
        ((OPEN, NOT_ATTAINED, NOT_ATTAINED), "undecided"),
    ],
)
def test_a_verdict_is_no_higher_than_what_is_attained_and_open_levels_leave_it_open(levels: Any, said: str) -> None:
    assert early_head(decision_document(decision_of(TASKS, levels))) == said


@pytest.mark.parametrize(
    ("states", "said"),
    [
        ((WON, WON, NOT_WON), "2 wins"),
        ((WON, NOT_WON), "1 win"),
        ((NOT_WON,), "no win"),
        ((), "no win"),
        ((WON, UNDECIDED, UNDECIDED), "1 win, 2 undecided"),
        ((NOT_WON, UNDECIDED), "no win yet, 1 undecided"),
    ],
)
def test_wins_are_counted_with_those_that_are_undecided(states: Any, said: str) -> None:
    tasks = [(str(number), state) for number, state in enumerate(states)]
    assert early_head(decision_document(decision_of(tasks, (), aim=WINS))) == said


def test_every_line_of_a_run_that_was_decided_early() -> None:
    document = result(decision_of(TASKS))
    assert early_title(document) == "Decided early"
    assert list(early_lines(document)) == [
        "sought: the highest level that the full run would certify, above published scores",
        "Level 3: attained, after 175 answers; pooled betting over 5 tasks: wealth 712, needed 444",
        "Level 4: the full run would not certify it, after 175 answers; no task of one side can be won",
        "Level 5: the full run would not certify it, after 175 answers; no task of one side can be won",
        "tasks: 2 won, 1 not won, 1 undecided, 1 not needed, 1 not certifiable",
        "error: Level 3 by pooled betting is a statement of its own, within the certificate's error of at most 0.05: the full run's"
        " certificate, which tests tasks one by one, may leave it undecided; all else differs from the full run's with a chance of at"
        " most 0.01",
        "not known, as it was not asked: a task stops once it is decided, so the share of right answers so far is biased; it has bounds"
        " instead of a score, and scores of levels are bounds",
        "saved: 41,825 of the full run's 42,000 calls, about $12.30 at what those of the same tasks cost",
        "`genlevel eval` of the same model and suite without --until-decided asks the rest: it is the same run, and nothing is asked twice",
    ]


@pytest.mark.parametrize(
    ("decision", "said"),
    [
        (
            decision_of((), (ATTAINED, OPEN, OPEN)),
            "attained by pooled betting, which names no task; asked 175 of 42,000; error at most 5 %, and 1 % more",
        ),
        (
            decision_of((), (ATTAINED, ATTAINED, OPEN)),
            "the full run would certify it; asked 175 of 42,000; error at most 5 %, and 1 % more",
        ),
        (decision_of((), (OPEN, OPEN, OPEN)), "Level 3 is neither certified, nor known that the full run would not; asked"),
        (decision_of((), (NOT_ATTAINED,) * 3), "the full run would certify no task outside language above the published score; asked"),
        (decision_of(TASKS, (), aim=WINS), "tasks of which the full run would certify a win above the published score; asked"),
    ],
)
def test_a_head_is_told_with_how_much_was_asked_and_its_error(decision: ev.EarlyDecision, said: str) -> None:
    told = early_told(decision_document(decision))
    assert told.startswith(said)
    assert told.endswith("; error at most 5 %, and 1 % more for what is predicted of the full run")


@pytest.mark.parametrize(
    ("third", "head", "meant"),
    [
        (OPEN, "at least Level 2", "Level 3 is neither certified, nor known that the full run would not; asked"),
        (NOT_ATTAINED, "Level 2", "the full run would certify no task outside language above the published score; asked"),
    ],
)
def test_level_2_takes_one_right_answer_and_so_it_is_said_what_is_known_of_level_3(third: Any, head: str, meant: str) -> None:
    decision = decision_of((), (third, NOT_ATTAINED, NOT_ATTAINED))
    decision.verdict = 2
    document = decision_document(decision)
    assert early_head(document) == head
    assert early_told(document).startswith(meant)


def test_what_pooled_betting_says_is_known_by_how_it_begins() -> None:
    assert PooledWealth(0.00225).told().startswith(POOLED)


def test_of_wins_alone_levels_are_said_only_if_they_are_known_and_names_of_tasks_are_one_line() -> None:
    document = result(decision_of(TASKS, (ATTAINED, OPEN, OPEN), aim=WINS))
    document["decision"]["levels"]["3"]["by"] = "win of a/\x1b[2J\nb (image comprehension)"
    levels = [line for line in early_lines(document) if line.startswith("Level")]
    assert levels == [r"Level 3: the full run would certify it, after 175 answers; win of a/\x1b[2J b (image comprehension)"]


def test_once_the_run_is_complete_its_own_figures_count_and_what_was_said_is_held_against_them() -> None:
    wins = [("a", "attained"), ("b", "undecided"), ("c", "attained"), ("d", "attained")]
    statuses = {"3": "undecided", "4": "attained", "5": "not attained"}
    levels = {level: {"status": status} for level, status in statuses.items()}
    certified = {"alpha": 0.05, "verdict": 4, "tasks": [{"key": key, "win": win} for key, win in wins], "levels": levels}
    document = result(decision_of(TASKS), "finished", certified)
    lines = list(early_lines(document))
    assert early_title(document) == "Decided early, and completed since"
    assert lines[0] == "it was decided after 175 of the full run's 42,000 calls; the verdict, levels and scores are the full run's"
    assert lines[1] == "decided then: Level 3; the full run certifies Level 4"
    assert "said to be won: 2 tasks, of which the full run certifies 1" in lines
    assert "said to be not won: 1 task, of which the full run certifies 1" in lines
    assert "levels that were predicted: 2, of which 1 as the full run certifies them" in lines  # the third was bet on
    assert not [line for line in lines if "saved" in line or "--until-decided" in line or "biased" in line]
    document["certified"]["alpha"] = 0.01  # a certificate of another error was not predicted
    assert not [line for line in early_lines(document) if "full run certifies" in line]


@pytest.mark.parametrize(
    ("levels", "reached", "said"),
    [
        ((ATTAINED, NOT_ATTAINED, NOT_ATTAINED), 3, "Level 3; the full run certifies the same"),
        ((NOT_ATTAINED,) * 3, None, "no Level 3; the full run certifies the same"),
        ((NOT_ATTAINED,) * 3, 3, "no Level 3; the full run certifies Level 3"),
        ((OPEN, OPEN, OPEN), None, "undecided; the full run certifies none"),
        (
            (ATTAINED, NOT_ATTAINED, NOT_ATTAINED),
            None,
            f"Level 3; by {POOLED}, and so it stays: the full run's certificate, which tests tasks one by one, leaves it undecided",
        ),
    ],
)
def test_the_verdict_that_was_decided_is_held_against_the_full_run_in_one_line(levels: Any, reached: int | None, said: str) -> None:
    certified = {"alpha": 0.05, "verdict": reached, "tasks": [], "levels": {}}
    assert list(early_lines(result(decision_of((), levels), "finished", certified)))[1] == f"decided then: {said}"


@pytest.mark.parametrize(
    ("attained", "said"),
    [
        ("ab", "2 wins; the full run certifies the same"),
        ("ac", "2 wins; the full run certifies 2"),
        ("abc", "2 wins; the full run certifies 3"),
    ],
)
def test_so_are_the_wins_that_were_decided(attained: str, said: str) -> None:
    tasks = [task for task in TASKS if task[1] is not UNDECIDED]
    certified = {"alpha": 0.05, "verdict": None, "tasks": [{"key": key, "win": "attained"} for key in attained], "levels": {}}
    lines = list(early_lines(result(decision_of(tasks, (), aim=WINS), "finished", certified)))
    assert lines[1] == f"decided then: {said}"
    assert any(line.startswith("said to be") for line in lines) is ("same" not in said)


def test_what_was_decided_before_by_another_aim_is_said_with_its_own_error() -> None:
    decision, before = decision_of(TASKS, (), aim=WINS), decision_of()
    decision.earlier.add(until=before.until, complete=True, verdict=3, asked=93, levels=before.levels)
    decision.earlier.add(until=ev.UntilDecided(aim=WINS, epsilon=0.1, alpha=0.05), asked=400, won=2, not_won=7, undecided=1)
    lines = [line for line in early_lines(result(decision)) if line.startswith("decided before")]
    assert lines == [
        "decided before, with an error of its own: Level 3 by pooled betting (the highest level that the full run would certify; 93 calls;"
        " error at most 5 %, and 1 % more); if it is asked for again, its tasks are shown, and no call is made",
        "decided before, with an error of its own: 2 wins, 1 undecided (of each task, whether the full run would certify a win; 400 calls;"
        " error at most 5 %, and 10 % more)",
    ]


def test_what_is_known_from_the_start_rests_on_no_answer() -> None:
    assert level_told("4", {"state": "not attained", "by": "no task outside language", "decided_at": 0}) == (
        "Level 4: no run of these tasks can certify it; no task outside language"
    )


def test_a_run_that_had_to_ask_all_of_it_was_not_decided_early() -> None:
    document = result(decision_of(TASKS, asked=42_000), "finished")
    assert early_title(document) == "Decided only with all of it asked"
    assert list(early_lines(document))[:2] == [
        "all of it was asked; the verdict, levels and scores are the full run's",
        "decided: Level 3",
    ]


def test_of_a_run_that_was_stopped_before_what_was_sought_is_decided_it_is_said_that_more_may_be() -> None:
    assert early_title(result(decision_of(TASKS, (OPEN,) * 3, complete=False), "budget")) == "Decided so far"
    assert early_title(result(decision_of(TASKS), "running")) == "Decided early"  # it is being completed


def test_a_run_that_stopped_before_says_that_it_can_go_on() -> None:
    *_, last = early_lines(result(decision_of(TASKS, (OPEN,) * 3, complete=False), "budget"))
    assert last.startswith(
        "asked for again, it goes on where it stopped; `genlevel eval` of the same model and suite without --until-decided"
    )


def test_what_nothing_is_known_of_is_left_out() -> None:
    lines = list(early_lines(result(decision_of((), (), saved=None))))
    assert not [line for line in lines if line.startswith(("tasks", "Level"))]
    assert "saved: 41,825 of the full run's 42,000 calls" in lines
    assert "not asked: 41,825 of the full run's 42,000 calls" in list(
        early_lines(result(decision_of((), (), saved=None, complete=False), "budget"))
    )
    assert not [line for line in early_lines(result(decision_of((), (), asked=5, total=5))) if line.startswith("saved")]
    assert tasks_told(decision_document(decision_of())) == ""


def test_a_certificate_points_to_the_decision() -> None:
    said = pointed_to(decision_document(decision_of(TASKS)))
    assert said.startswith("decided early: Level 3 (attained by pooled betting, which names no task; asked 175 of 42,000;")
    assert said.endswith("takes what was not asked as wrong against a win and as right against a loss")


def test_a_verified_result_says_whether_its_decision_was_made_again() -> None:
    said = "decided early: Level 3 (asked 175 of 42,000)"
    assert carried(result(decision_of(TASKS)), "") == f"{said}; decided again from the answers"
    assert carried(result(decision_of(TASKS)), "3 answers are missing") == f"{said}; taken as it was made: 3 answers are missing"


def test_without_a_decision_nothing_is_said() -> None:
    document = result(None, "interrupted")
    assert (list(early_lines(document)), carried(document, "")) == ([], "")

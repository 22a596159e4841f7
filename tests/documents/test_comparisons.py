"""What is said of a comparison beside its figures."""

from __future__ import annotations

import pytest

from genlevel.cli.compare import _print
from genlevel.documents.comparisons import biased, compared_document
from genlevel.documents.decision_words import early_mark, early_note
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc

SAID = "asked only until something was decided: a task stops where its answers decide"
UNTIL = ev.TrafficSettings(until_decided=ev.UntilDecided(aim=ev.UntilDecided.AIM_WINS))


def test_a_comparison_says_which_of_the_two_stopped_where_its_answers_decided() -> None:
    assert biased(None, None) is None
    assert (biased("decided early", None) or "").startswith(f"A was {SAID}")
    assert (biased(None, "decided early") or "").startswith(f"B was {SAID}")
    assert (biased("decided early", "decided early") or "").startswith(f"A and B were {SAID}")


def test_the_command_says_it_above_the_figures(capsys: pytest.CaptureFixture[str]) -> None:
    found = sc.CompareResponse(run_a="a", run_b="b", model_a="x", model_b="y", suite="s")
    for early, times in (("decided early", 1), ("", 0)):
        document = compared_document(found, "", early)
        assert (document["a"]["early"], document["b"]["early"]) == (None, early or None)
        _print(document)
        assert capsys.readouterr().out.count(f"B was {SAID}") == times


@pytest.mark.parametrize(
    ("run", "mark"),
    [
        (ev.Run(status=ev.RUN_STATUS_DECIDED), "decided early"),
        (ev.Run(status=ev.RUN_STATUS_RUNNING, traffic=UNTIL), "asks only what decides"),
        (ev.Run(status=ev.RUN_STATUS_BUDGET, traffic=UNTIL), "asks only what decides"),
        (ev.Run(status=ev.RUN_STATUS_FINISHED, traffic=UNTIL), ""),
        (ev.Run(status=ev.RUN_STATUS_RUNNING), ""),
    ],
)
def test_lists_mark_a_run_until_all_of_it_is_asked(run: ev.Run, mark: str) -> None:
    assert early_mark(run) == mark
    run.run_id = "r"
    assert early_note(run) == (
        f"run r ({mark}): `genlevel show r` says what is decided; tasks not asked in full count as 0" if mark else ""
    )

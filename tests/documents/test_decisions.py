"""What a run decides early: its document, its stamp, and its words."""

from __future__ import annotations

from genlevel.documents.decision_words import asked_of, error_told, states_counted
from genlevel.documents.decisions import decision_document, is_decided_early
from genlevel.documents.runs import result_document
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc
from scorer.reports.stamps import content_hash

WON, NOT_WON, OPEN = ev.DecidedTask.STATE_WON, ev.DecidedTask.STATE_NOT_WON, ev.DecidedTask.STATE_UNDECIDED
ATTAINED = ev.DecidedLevel.STATE_ATTAINED


def decision(**fields: object) -> ev.EarlyDecision:
    made = ev.EarlyDecision(
        until=ev.UntilDecided(aim=ev.UntilDecided.AIM_VERDICT, epsilon=0.02),
        complete=True,
        verdict=3,
        asked=1234,
        total=42_000,
        tests=690,
        win_threshold=1e-5,
        pooled_threshold=0.01,
        rules=1,
        tasks=[
            ev.DecidedTask(task="a", state=WON, asked=40, total=500, decided_at=30, test="exact"),
            ev.DecidedTask(task="b", state=NOT_WON, asked=0, total=5, decided_at=0, test="exact"),
            ev.DecidedTask(task="c", state=OPEN, asked=8, total=500, decided_at=8),
            ev.DecidedTask(task="d", state=ev.DecidedTask.STATE_UNCERTIFIABLE, total=500, note="it has no reference"),
        ],
        levels=[ev.DecidedLevel(level=3, state=ATTAINED, by="the pooled test", decided_at=1234)],
    )
    made.MergeFrom(ev.EarlyDecision(**fields))  # type: ignore[arg-type]
    return made


def test_zero_of_a_message_is_what_it_stands_for_and_what_is_not_decided_rests_on_nothing() -> None:
    document = decision_document(decision())
    assert (document["aim"], document["epsilon"], document["alpha"], document["saved_usd"]) == ("verdict", 0.02, 0.05, None)
    assert [(task["key"], task["state"], task["decided_at"]) for task in document["tasks"]] == [
        ("a", "won", 30),
        ("b", "not won", 0),
        ("c", "undecided", None),
        ("d", "not certifiable", None),
    ]
    assert document["levels"] == {"3": {"state": "attained", "by": "the pooled test", "decided_at": 1234}}
    assert decision_document(ev.EarlyDecision())["verdict"] is None
    assert decision_document(decision(saved_nano_usd=2_500_000_000))["saved_usd"] == 2.5


def test_what_a_newer_service_decides_has_no_name_and_is_shown_all_the_same() -> None:
    newer = ev.EarlyDecision.FromString(ev.EarlyDecision(tasks=[ev.DecidedTask(task="a", state=77)]).SerializeToString())  # type: ignore[arg-type]
    assert states_counted(decision_document(newer)) == {"unknown 77": 1}


def test_a_decision_in_words_says_how_much_was_asked_and_with_which_errors() -> None:
    document = decision_document(decision())
    assert asked_of(document) == "asked 1,234 of 42,000"
    assert error_told(document) == "differs from the full run's with a chance of at most 0.02; the certificate's own error is at most 0.05"
    document["levels"]["3"]["by"] = "pooled betting on 12 tasks"
    assert error_told(document) == (
        "Level 3 by pooled betting is a statement of its own, within the certificate's error of at most 0.05: the full run's certificate,"
        " which tests tasks one by one, may leave it undecided; all else differs from the full run's with a chance of at most 0.02"
    )


def test_only_the_stamp_of_a_run_that_is_not_complete_says_that_it_was_decided_early() -> None:
    verdict = sc.GetVerdictResponse(run_id="r")
    early = ev.Run(run_id="r", status=ev.RUN_STATUS_DECIDED, decision=decision())
    document = result_document(early, verdict)
    assert document["stamp"]["decided_early"] == {
        "aim": "verdict",
        "epsilon": 0.02,
        "alpha": 0.05,
        "with_uncertifiable": False,
        "complete": True,
        "verdict": 3,
        "asked": 1234,
        "total": 42_000,
        "earlier": 0,
    }
    assert document["status"] == "decided"
    assert is_decided_early(early)
    other = {**document, "decision": {**document["decision"], "verdict": 4}}
    assert content_hash(other) != document["stamp"]["sha256"]

    completed = result_document(ev.Run(run_id="r", status=ev.RUN_STATUS_FINISHED, decision=decision()), verdict)
    assert "decided_early" not in completed["stamp"]
    assert completed["decision"]["asked"] == 1234
    plain = result_document(ev.Run(run_id="r", status=ev.RUN_STATUS_FINISHED), verdict)
    assert "decision" not in plain
    assert "decided_early" not in plain["stamp"]

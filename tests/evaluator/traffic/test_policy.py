"""What a failed call leads to: by its class, never by its message."""

import pytest

from evaluator.traffic.policy import Action, Decision, decide, outcome_of
from genlevel.benchmark.outcomes import Outcome
from genlevel.runtime.errors import CallFailed
from genlevel.v1 import gateway_pb2 as gw

CLASSES = {value: name for name, value in gw.ErrorClass.items() if value}


def decision(error_class, **facts):
    defaults = {"attempts": 1, "waits": 1, "max_attempts": 6, "elapsed_s": 0.0, "deadline_s": 600.0, "chance": 1.0}
    failure = CallFailed(error_class, "rate limit 429 please retry", retry_after_s=facts.pop("retry_after_s", None))
    return decide(failure, **{**defaults, **facts})


@pytest.mark.parametrize("error_class", CLASSES, ids=CLASSES.get)
def test_every_class_has_one_policy(error_class):
    assert isinstance(decision(error_class).action, Action)


@pytest.mark.parametrize("name", ["CREDENTIAL", "MODEL_ACCESS", "QUOTA", "MODEL_GONE", "REGION_BLOCKED"])
def test_what_no_repetition_cures_stops_the_run(name):
    assert decision(gw.ErrorClass.Value(f"ERROR_CLASS_{name}")).action is Action.STOP_RUN


@pytest.mark.parametrize("name", ["CALLER_FAULT", "CONTENT_REFUSED", "CONTEXT_TOO_LONG", "UNSUPPORTED", "DENIED"])
def test_what_is_the_instances_own_is_not_repeated(name):
    assert decision(gw.ErrorClass.Value(f"ERROR_CLASS_{name}")).action is Action.GIVE_UP


def test_refusals_and_failures_are_different_outcomes():
    assert outcome_of(CallFailed(gw.ERROR_CLASS_CONTENT_REFUSED, "")) == Outcome.REFUSED
    assert outcome_of(CallFailed(gw.ERROR_CLASS_CONTEXT_TOO_LONG, "")) == Outcome.REFUSED
    assert outcome_of(CallFailed(gw.ERROR_CLASS_UNSUPPORTED, "")) == Outcome.UNSUPPORTED
    assert outcome_of(CallFailed(gw.ERROR_CLASS_TIMEOUT, "")) == Outcome.FAILED
    assert outcome_of(CallFailed(gw.ERROR_CLASS_DENIED, "")) == Outcome.FAILED


def test_a_limit_uses_up_no_attempt():
    assert decision(gw.ERROR_CLASS_RATE_LIMIT, attempts=6, waits=500).action is Action.WAIT
    assert decision(gw.ERROR_CLASS_TRANSIENT, attempts=6).action is Action.GIVE_UP


def test_what_was_not_sent_is_sent_again_and_uses_up_no_attempt():
    assert decision(gw.ERROR_CLASS_NOT_SENT, attempts=6, waits=500).action is Action.WAIT


def test_a_retry_waits_at_least_as_long_as_the_provider_asks():
    for chance in (0.0, 0.5, 1.0):
        assert decision(gw.ERROR_CLASS_TRANSIENT, retry_after_s=7.0, chance=chance).delay_s >= 7.0
        assert decision(gw.ERROR_CLASS_RATE_LIMIT, waits=4, retry_after_s=7.0, chance=chance).delay_s >= 7.0


def test_what_met_a_limit_goes_back_into_its_accounts_queue_which_knows_when_it_may_go():
    for asked in (None, 0.02, 30.0):
        assert decision(gw.ERROR_CLASS_RATE_LIMIT, waits=3, retry_after_s=asked) == Decision(Action.WAIT)


def test_what_a_limit_asks_to_wait_is_not_believed_while_the_account_takes_calls():
    again = decision(gw.ERROR_CLASS_RATE_LIMIT, waits=4, retry_after_s=3600.0, closed=False)
    assert again == Decision(Action.WAIT, 0.5)
    assert decision(gw.ERROR_CLASS_RATE_LIMIT, waits=1, retry_after_s=3600.0, closed=False) == Decision(Action.WAIT)
    assert decision(gw.ERROR_CLASS_TRANSIENT, retry_after_s=3600.0, closed=False).action is Action.STOP_RUN


def test_without_a_wish_the_wait_is_full_jitter_under_a_doubling_bound():
    assert decision(gw.ERROR_CLASS_TRANSIENT, chance=0.0).delay_s == 0.0
    bounds = [decision(gw.ERROR_CLASS_TRANSIENT, attempts=n, max_attempts=20).delay_s for n in range(1, 10)]
    assert bounds == [0.5, 1, 2, 4, 8, 16, 32, 60, 60]


def test_retry_after_nothing_is_no_time_to_wait():
    for error_class, put_back in ((gw.ERROR_CLASS_RATE_LIMIT, 3), (gw.ERROR_CLASS_TRANSIENT, 0)):
        for asked in (0.0, 0.001):
            delays = [
                decision(error_class, retry_after_s=asked, attempts=n, waits=put_back + n, max_attempts=20).delay_s for n in range(1, 6)
            ]
            assert delays == pytest.approx([0.5, 1, 2, 4, 8], abs=0.002)
        assert decision(error_class, waits=put_back + 1, retry_after_s=0.0, chance=0.25).delay_s == 0.125, "the wait is spread"


def test_a_wait_that_no_instance_may_take_stops_the_run():
    why = "the provider asks to wait 3600 s, longer than what an instance may take (runs.deadline_s: 600); continue after that"
    for elapsed in (0.0, 20.0, 590.0):
        assert decision(gw.ERROR_CLASS_RATE_LIMIT, retry_after_s=3600.0, elapsed_s=elapsed) == Decision(Action.STOP_RUN, why=why)
    shorter = decision(gw.ERROR_CLASS_RATE_LIMIT, retry_after_s=590.0, elapsed_s=20.0)
    assert shorter == Decision(Action.STOP_RUN, why=why.replace("3600 s", "590 s after 20 s"))
    assert decision(gw.ERROR_CLASS_TRANSIENT, retry_after_s=3600.0).action is Action.STOP_RUN, "its servers are down, say"
    assert decision(gw.ERROR_CLASS_TRANSIENT, retry_after_s=3600.0, attempts=6).action is Action.GIVE_UP, "its attempts are used up"


def test_a_wait_that_would_pass_the_deadline_is_not_begun():
    assert decision(gw.ERROR_CLASS_RATE_LIMIT, retry_after_s=30.0, elapsed_s=580.0).action is Action.GIVE_UP
    assert decision(gw.ERROR_CLASS_RATE_LIMIT, retry_after_s=10.0, elapsed_s=580.0).action is Action.WAIT


def test_giving_up_says_what_ended_the_tries():
    late = decision(gw.ERROR_CLASS_RATE_LIMIT, retry_after_s=30.0, elapsed_s=590.0, chance=0.0)
    assert late == Decision(Action.GIVE_UP, why="a further try after 30 s would be past its deadline (runs.deadline_s: 600)")
    assert decision(gw.ERROR_CLASS_TRANSIENT, attempts=6).why == "tried 6 times (runs.attempts)"
    assert decision(gw.ERROR_CLASS_CONTENT_REFUSED).why == ""

"""A run that is asked for another decision keeps the one that it had: each has an error of its own."""

from __future__ import annotations

from evaluator.deciding.earlier import earlier_note, earlier_of
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import evaluator_pb2 as ev
from tests.evaluator.deciding.worlds import World
from tests.evaluator.runs.asking import finish, specification
from tests.views.decided import NOT_WON, UNDECIDED, WON, decision_of

WINS, VERDICT = ev.UntilDecided.AIM_WINS, ev.UntilDecided.AIM_VERDICT


def until_of(aim, epsilon=0.01):
    return ev.UntilDecided(aim=aim, epsilon=epsilon, alpha=0.05)


def test_each_decision_is_kept_once_the_oldest_first():
    stored = decision_of([("a", WON), ("b", NOT_WON), ("c", WON), ("d", UNDECIDED)])
    assert earlier_of(ev.EarlyDecision(), until_of(WINS)) == ()
    assert list(earlier_of(stored, stored.until)) == []
    assert list(earlier_of(decision_of(asked=0), until_of(WINS))) == []
    (first,) = earlier_of(stored, until_of(WINS))
    assert (first.until, first.verdict, first.asked) == (stored.until, 3, 175)
    assert (first.won, first.not_won, first.undecided) == (2, 1, 1)
    then = decision_of((), aim=WINS)
    then.earlier.append(first)
    assert [one.until for one in earlier_of(then, until_of(WINS, 0.1))] == [first.until, then.until]
    assert [one.until for one in earlier_of(then, until_of(VERDICT))] == [then.until]  # it is decided again


def test_what_is_asked_beside_is_no_other_decision():
    stored, again = decision_of(), until_of(VERDICT)
    again.with_uncertifiable = True
    assert list(earlier_of(stored, again)) == []
    assert earlier_note(stored, again) == earlier_note(ev.EarlyDecision(), again) == ""
    assert "--until-decided verdict, epsilon 0.01, alpha 0.05: it is kept" in earlier_note(stored, until_of(WINS))


async def test_a_run_that_is_asked_for_another_aim_says_so_and_keeps_both(make_evaluator, scripted, tmp_path):
    world = World(tmp_path / "bench")
    scripted.script = world.script
    scripted.info.input_modalities.append(ct.MODALITY_IMAGE)
    world.task("nlp/Causal-Reasoning", 150, 0.9)
    world.task("image/comprehension/Sports-Image-Classification", 150, 0.95)
    evaluator, _ = make_evaluator()

    async def decided(aim):
        traffic = ev.TrafficSettings(concurrency=8, until_decided=ev.UntilDecided(aim=aim))
        started = await evaluator.start_run(ev.StartRunRequest(specification=specification(world.root), traffic=traffic))
        return started.problems, await finish(evaluator, ev.StartRunRequest(specification=specification(world.root), traffic=traffic))

    notes, first = await decided(VERDICT)
    assert not notes
    assert not first.decision.earlier
    notes, second = await decided(WINS)
    assert ["it is kept beside the new one" in note for note in notes] == [True]
    (kept,) = second.decision.earlier
    assert (kept.until, kept.verdict, kept.asked) == (first.decision.until, first.decision.verdict, first.decision.asked)
    assert kept.levels == first.decision.levels
    _, third = await decided(WINS)
    assert third.decision == second.decision

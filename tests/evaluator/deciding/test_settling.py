"""What a decider is told of its tasks, by what the scorer says of them: whether a bar is raised, and what whole tasks came to."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from evaluator.deciding.criteria import Criteria, criteria_request
from evaluator.deciding.units import TaskUnits
from evaluator.planning.plans import TaskPlan
from evaluator.runs.settling import Settling
from evaluator.runs.sought import Sought, SoughtTask
from genlevel.deciding.values import Criterion, Shares
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc

UNTIL = ev.UntilDecided(aim=ev.UntilDecided.AIM_WINS, epsilon=0.02, alpha=0.1)
SHARES = Shares(tests=4, wins=0.08, pooled=0.004, epsilon=0.02)
BOUNDS = sc.Bounds(lower=40.0, upper=60.0)


class Wants:
    """A decider that wants to know of these tasks."""

    def __init__(self, bars=(), wholes=()):
        self.wanted_bars, self.wanted_outcomes = list(bars), list(wholes)
        self.told = {}

    def settle_bar(self, task, criterion):
        self.wanted_bars.remove(task)
        self.told[task] = criterion

    def settle_whole(self, task, p_value):
        self.wanted_outcomes.remove(task)
        self.told[task] = p_value


class Says:
    """A scorer that says so."""

    takes_paths = True

    def __init__(self, criteria=(), certificate=()):
        self.criteria, self.certificate = list(criteria), certificate
        self.requests = []

    async def get_criteria(self, request):
        self.requests.append(request)
        return sc.GetCriteriaResponse(criteria=[self.criteria.pop(0) for _task in request.tasks])

    async def get_verdict(self, request):
        assert request.run_id == "r"
        tasks = [sc.CertifiedTask(key=key, p_win=p_win, test=test) for key, p_win, test in self.certificate]
        return sc.GetVerdictResponse(certificate=sc.Certificate(tasks=tasks))


def sought_of(tasks, metric="accuracy"):
    def one(key):
        task = SimpleNamespace(key=key, metric=SimpleNamespace(id=metric))
        return SoughtTask(TaskPlan(task, None, 20), TaskUnits(range(20), range(1, 21)), 20, sc.TaskDescription(key=key))

    return Sought(UNTIL, tuple(map(one, tasks)), Criteria(tuple(Criterion(bar=0.5, critical=15) for _task in tasks), SHARES, 0.1, 1), 0)


def settling(decider, scorer, scores, metric="accuracy"):
    async def score(task):
        return scores[task]

    return Settling(scorer, None, sc.ScoreTaskHeader(run_id="r"), sought_of(scores, metric), decider, score=score)


def counted(failed=0, pending=0, **fields):
    return sc.TaskScore(bounds=BOUNDS, counts=sc.OutcomeCounts(answered=9, failed=failed, pending=pending), **fields)


@pytest.mark.parametrize(
    ("score", "certificate", "metric", "told"),
    [
        (counted(), [("other", 0.5, "pairs"), ("a", 0.3, "pairs")], "auc", 0.3),
        (counted(failed=1), [("a", 0.3, "pairs")], "auc", None),
        (counted(pending=1), [("a", 0.3, "pairs")], "auc", None),
        # With failed answers taken as wrong, and it is won all the same.
        (counted(failed=1), [("a", 0.02, "pairs")], "auc", 0.02),
        (counted(), [("other", 0.01, "pairs")], "auc", 1.0),
        (counted(), [("a", 0.0, "")], "auc", 1.0),
        (sc.TaskScore(counts=sc.OutcomeCounts(failed=1)), [("a", 0.3, "pairs")], "auc", 1.0),
        (counted(score=50.0), [("a", 0.01, "betting")], "gpt_score", 0.01),
        (counted(), [("a", 0.01, "betting")], "gpt_score", None),
    ],
)
async def test_what_a_whole_task_came_to_is_its_p_value_unless_answers_are_missing(score, certificate, metric, told):
    decider = Wants(wholes=["a"])
    found = settling(decider, Says(certificate=certificate), {"a": score}, metric)
    await found.settle()
    assert decider.told == {"a": told}
    assert found.unrated == ({"a"} if metric == "gpt_score" and told is None else set())


async def test_a_best_constant_answer_raises_the_bar_at_the_error_of_the_run():
    raised = sc.Criterion(task="a", bar=0.7, critical=19)
    scores = {"a": counted(best_constant=70.0), "b": counted(best_constant=50.0), "c": counted(), "d": counted(best_constant=80.0)}
    scorer = Says([raised, sc.Criterion(task="b", bar=0.5, critical=15), sc.Criterion(task="d", bar=0.5, obstacle="no test")])
    decider = Wants(bars="abcd")
    found = settling(decider, scorer, scores)
    await found.settle()
    assert {task: told if told is None else (told.bar, told.critical, told.obstacle) for task, told in decider.told.items()} == {
        "a": (0.7, 19, ""),
        "b": None,
        "c": None,
        "d": (0.5, None, "no test"),
    }
    (request,) = scorer.requests
    assert (request.alpha, request.header.run_id) == (0.1, "r")
    assert [(asked.task.key, asked.best_constant) for asked in request.tasks] == [("a", 70.0), ("b", 50.0), ("d", 80.0)]
    # The bar that is raised already is no news.
    decider.wanted_bars, scorer.criteria = ["a"], [raised]
    await found.settle()
    assert decider.told["a"] is None


@pytest.mark.parametrize(("note", "told"), [("the label of q3 does not fit", "the label of q3 does not fit"), ("", "it has no score")])
async def test_of_a_task_that_has_no_score_nothing_can_be_certified(note, told):
    decider = Wants(bars="a")
    await settling(decider, Says(), {"a": sc.TaskScore(note=note, best_constant=70.0)}).settle()
    assert (decider.told["a"].obstacle, decider.told["a"].critical) == (told, None)


async def test_criteria_hold_for_the_number_of_the_plan_and_the_errors_of_the_run():
    scorer, first = Says([sc.Criterion(task="a", bar=0.5, critical=17)]), sought_of("a")
    assert await first.of_plan(scorer, sc.ScoreTaskHeader(run_id="r", plan=1)) is first
    assert not scorer.requests
    second = await first.of_plan(scorer, sc.ScoreTaskHeader(run_id="r", plan=2))
    (request,) = scorer.requests
    assert (request.alpha, request.header.plan, [asked.instances for asked in request.tasks]) == (0.1, 2, [20])
    assert (second.criteria.plan, second.criteria.shares.epsilon, second.criteria.criteria[0].critical) == (2, 0.02, 17)


def test_a_task_is_held_against_the_certificate_as_it_is_asked():
    def asked(metric, **said):
        task = SimpleNamespace(key="a", metric=SimpleNamespace(id=metric))
        units = TaskUnits(range(20), [*range(1, 11), 15, 20])
        entry = (TaskPlan(task, None, 20, **said), sc.TaskDescription(key="a"), units)
        return criteria_request(sc.ScoreTaskHeader(), [entry], 0.1).tasks[0]

    told = asked("accuracy", repeats=3)
    assert (told.task.key, told.instances, told.repeats, told.rated, told.HasField("best_constant")) == ("a", 20, 3, False, False)
    assert {size.instances: size.units for size in told.sizes} == {1: 10, 5: 2}
    assert asked("gpt_score").rated

"""Which of a run's answers a program wants, as a value and as a request."""

from __future__ import annotations

from dataclasses import dataclass

from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc

_OUTCOMES = {
    "answered": sc.OUTCOME_ANSWERED,
    "refused": sc.OUTCOME_REFUSED,
    "unparsable": sc.OUTCOME_UNPARSABLE,
    "failed": sc.OUTCOME_FAILED,
    "unsupported": sc.OUTCOME_UNSUPPORTED,
}
_ORDERS = {
    "task": ev.ANSWER_ORDER_UNSPECIFIED,
    "worst": ev.ANSWER_ORDER_WORST,
    "best": ev.ANSWER_ORDER_BEST,
    "cost": ev.ANSWER_ORDER_COST,
    "slowest": ev.ANSWER_ORDER_SLOWEST,
    "newest": ev.ANSWER_ORDER_NEWEST,
}


@dataclass(frozen=True, slots=True)
class Sought:
    """Which answers are wanted, as ``Run.answers`` takes it. limit: 0 = all."""

    tasks: tuple[str, ...]
    outcomes: tuple[str, ...]
    right: bool | None
    least_score: float | None
    most_score: float | None
    text: str
    order: str
    limit: int
    questions: bool

    def is_all(self) -> bool:
        """Whether nothing is left out, and nothing is put in order."""
        return self == Sought((), (), None, None, None, "", "task", 0, self.questions)

    def request(self, run: str, *, limit: int, after: str = "") -> ev.SearchAnswersRequest:
        """A page of them."""
        rightness = {None: [], True: [ev.RIGHTNESS_RIGHT], False: [ev.RIGHTNESS_WRONG]}[self.right]
        return ev.SearchAnswersRequest(
            run_id=run,
            tasks=self.tasks,
            outcomes=[_OUTCOMES[name] for name in self.outcomes],
            rightness=rightness,
            least_score=self.least_score,
            most_score=self.most_score,
            text=self.text,
            order=_ORDERS[self.order],
            limit=limit,
            after=after,
        )

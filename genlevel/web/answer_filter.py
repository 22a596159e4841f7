"""What answers are looked for, as addresses say it and as the evaluator is asked."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from genlevel.runtime.errors import UsageError
from genlevel.runtime.shown import quoted
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc

if TYPE_CHECKING:
    from genlevel.web.page import Asked

OUTCOMES: Mapping[str, sc.Outcome] = {
    "answered": sc.OUTCOME_ANSWERED,
    "unparsable": sc.OUTCOME_UNPARSABLE,
    "refused": sc.OUTCOME_REFUSED,
    "failed": sc.OUTCOME_FAILED,
    "unsupported": sc.OUTCOME_UNSUPPORTED,
}
RIGHT: Mapping[str, ev.Rightness] = {"right": ev.RIGHTNESS_RIGHT, "wrong": ev.RIGHTNESS_WRONG, "unknown": ev.RIGHTNESS_UNKNOWN}
ORDERS: Mapping[str, tuple[ev.AnswerOrder, str]] = {
    "": (ev.ANSWER_ORDER_UNSPECIFIED, "by task"),
    "worst": (ev.ANSWER_ORDER_WORST, "worst first"),
    "best": (ev.ANSWER_ORDER_BEST, "best first"),
    "cost": (ev.ANSWER_ORDER_COST, "dearest first"),
    "slowest": (ev.ANSWER_ORDER_SLOWEST, "slowest first"),
    "newest": (ev.ANSWER_ORDER_NEWEST, "newest first"),
}
PAGE = 50


@dataclass(frozen=True, slots=True)
class AnswerFilter:
    """Names are keys of OUTCOMES, RIGHT and ORDERS. least, most: of the score, as written; "" for none. after: where the page begins."""

    tasks: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()
    right: tuple[str, ...] = ()
    least: str = ""
    most: str = ""
    text: str = ""
    order: str = ""
    after: str = ""

    @classmethod
    def asked(cls, asked: Asked) -> AnswerFilter:
        """Of a request for a list. Raises UsageError that names what is wrong."""
        return cls._asked(asked, "task")

    @classmethod
    def asked_of_one(cls, asked: Asked) -> AnswerFilter:
        """Of a request for a single answer that was opened from a list. Raises UsageError that names what is wrong."""
        return cls._asked(asked, "in_task")

    @classmethod
    def _asked(cls, asked: Asked, task: str) -> AnswerFilter:
        return cls(
            tasks=tuple(dict.fromkeys(one for one in asked.query.get(task, ()) if one)),
            outcomes=_known("outcome", asked.many("outcome"), OUTCOMES),
            right=_known("right", asked.many("right"), RIGHT),
            least=_number("least", asked.one("least")),
            most=_number("most", asked.one("most")),
            text=asked.one("text"),
            order=_known("order", [asked.one("order")], ORDERS)[0],
            after=asked.one("after"),
        )

    def request(self, run: str) -> ev.SearchAnswersRequest:
        """What the evaluator is asked."""
        return ev.SearchAnswersRequest(
            run_id=run,
            tasks=self.tasks,
            outcomes=[OUTCOMES[name] for name in self.outcomes],
            rightness=[RIGHT[name] for name in self.right],
            least_score=float(self.least) if self.least else None,
            most_score=float(self.most) if self.most else None,
            text=self.text,
            order=ORDERS[self.order][0],
            limit=PAGE,
            after=self.after,
        )

    @property
    def is_narrow(self) -> bool:
        """Whether it leaves something out."""
        return replace(self, order="", after="") != AnswerFilter()

    def pairs(self, *, of_one: bool = False) -> list[tuple[str, str]]:
        """Names and values of an address. of_one: of a single answer's page, whose task has the name "task"."""
        found = [("in_task" if of_one else "task", task) for task in self.tasks]
        found += [("outcome", name) for name in self.outcomes] + [("right", name) for name in self.right]
        single = (("least", self.least), ("most", self.most), ("text", self.text), ("order", self.order), ("after", self.after))
        return found + [(name, value) for name, value in single if value]

    def address(self, run: str, *, tasks: tuple[str, ...] | None = None, after: str = "", table: str = "") -> str:
        """The list of answers with this filter, from its first page on unless ``after`` says where.

        tasks: other ones. table: not the page, but one of its tables as CSV.
        """
        query = urlencode(replace(self, tasks=self.tasks if tasks is None else tasks, after=after).pairs())
        return f"/runs/{quote(run, safe='')}/answers{f'.{table}.csv' if table else ''}" + (f"?{query}" if query else "")


def _known(name: str, given: Sequence[str], known: Mapping[str, object]) -> tuple[str, ...]:
    for value in given:
        if value not in known:
            raise UsageError(f"{name} is {quoted(value)}; give {', '.join(filter(None, known))}")
    return tuple(dict.fromkeys(given))


def _number(name: str, written: str) -> str:
    try:
        number = float(written or 0)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or len(written) > 40:
        raise UsageError(f"{name} is {quoted(written)}; give a score, a number such as 0.5")
    return written

"""What the answers of a run are, task by task and failure by failure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import orjson
from sqlalchemy import Connection, Engine, func, select

from evaluator.journal.tables import answers
from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.outcomes import Outcome

MOST_EXAMPLES = 3
"""Of each kind of failure."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of answers: what became of them, and the class of the error, by its number."""

    outcome: Outcome
    error_class: int


@dataclass(frozen=True, slots=True)
class Example:
    """One answer of a kind, and its error in words."""

    task: str
    key: AnswerKey
    error: str


@dataclass(frozen=True, slots=True)
class Details:
    """Counts by task and outcome, failures by kind (the most first) with a few examples, and when the last answer came (Unix seconds)."""

    tasks: dict[str, dict[Outcome, int]]
    failures: list[tuple[Kind, int, list[Example]]]
    last: float

    def text(self) -> str:
        """As JSON."""
        tasks = {task: {str(outcome.number): count for outcome, count in found.items()} for task, found in self.tasks.items()}
        failures = [
            [kind.outcome.number, kind.error_class, count, [[one.task, *one.key, one.error] for one in examples]]
            for kind, count, examples in self.failures
        ]
        return orjson.dumps([tasks, failures, self.last]).decode()

    @classmethod
    def of(cls, text: str) -> Details:
        """The inverse of ``text``."""
        tasks, failures, last = orjson.loads(text)
        return cls(
            {task: {Outcome.of(int(number)): count for number, count in found.items()} for task, found in tasks.items()},
            [
                (
                    Kind(Outcome.of(number), error_class),
                    count,
                    [Example(task, AnswerKey(*key), error) for task, *key, error in examples],
                )
                for number, error_class, count, examples in failures
            ],
            last,
        )


class DetailTable:
    """Reads details. Blocking: call it off the event loop. engine: of the journal's database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def of(self, run_id: str) -> Details:
        """Those of a run, for which all of its answers are counted."""
        columns = (answers.c.task, answers.c.outcome, answers.c.error_class)
        query = select(*columns, func.count(), func.min(answers.c.instance_id), func.max(answers.c.created))
        tasks: defaultdict[str, dict[Outcome, int]] = defaultdict(dict)
        kinds: defaultdict[Kind, list[tuple[int, str, str]]] = defaultdict(list)
        last = 0.0
        with self._engine.connect() as connection:
            rows = connection.execute(query.where(answers.c.run_id == run_id).group_by(*columns).order_by(answers.c.task))
            for task, number, error_class, count, first, latest in rows:
                outcome, last = Outcome.of(number), max(last, latest)
                tasks[task][outcome] = tasks[task].get(outcome, 0) + count
                if outcome is not Outcome.ANSWERED:
                    kinds[Kind(outcome, error_class)].append((count, task, first))
            failures = [
                (
                    kind,
                    sum(count for count, *_ in found),
                    list(_examples(connection, run_id, kind, [(task, first) for _, task, first in found])),
                )
                for kind, found in kinds.items()
            ]
        failures.sort(key=lambda one: (-one[1], one[0].outcome, one[0].error_class))
        return Details(dict(tasks), failures, last)


def _examples(connection: Connection, run_id: str, kind: Kind, places: list[tuple[str, str]]) -> Iterator[Example]:
    """An answer of a kind at each of the first places: a task, and an instance there that has one."""
    columns = (answers.c.task, answers.c.instance_id, answers.c.variant, answers.c.repeat, answers.c.shuffle, answers.c.error)
    for task, instance in islice(places, MOST_EXAMPLES):
        query = select(*columns).where(
            answers.c.run_id == run_id,
            answers.c.task == task,
            answers.c.instance_id == instance,
            answers.c.outcome == kind.outcome.number,
            answers.c.error_class == kind.error_class,
        )
        if (row := connection.execute(query.limit(1)).one_or_none()) is not None:
            yield Example(row.task, AnswerKey(row.instance_id, row.variant, row.repeat, row.shuffle), row.error)

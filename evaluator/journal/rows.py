"""Rows of the journal's tables as records and back."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter

from sqlalchemy import ColumnElement, Connection, Engine, Row, Table, case, func, literal_column, select, update

from evaluator.journal.records import Answer, Judgement, RunRecord
from evaluator.journal.tables import answers, judgements, runs
from evaluator.journal.usage import BUCKETS, TOKEN_BUCKETS, Usage
from evaluator.journal.wishes import Wanted
from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.outcomes import Outcome
from genlevel.runtime.errors import ErrorClass
from genlevel.runtime.storage import insert_into

AnyRow = Row[*tuple[object, ...]]

UNKNOWN = ("unknown_calls", "unknown_nano_usd", "unknown_tokens")

# How a column's value is found in a record, if not under the column's own name.
_PATHS = {"outcome": "outcome.number", "error_class": "error_class.value", **{name: f"usage.{name}" for name in BUCKETS}}


@dataclass(frozen=True, slots=True)
class AnswerInsert:
    """The statement that journals answers, compiled once: it runs for every answer. row: an answer as its parameters."""

    sql: str
    row: Callable[[Answer], tuple[object, ...] | dict[str, object]]


def answer_insert(engine: Engine) -> AnswerInsert:
    """An answer that is there stays, unless it was a failure: what that has used and cost was spent all the same."""
    upsert = insert_into(answers, engine)
    key = [column.name for column in answers.primary_key]
    new: dict[str, ColumnElement[object]] = {
        column.name: upsert.excluded[column.name] for column in answers.columns if column.name not in key
    }
    new |= {name: new[name] + func.coalesce(answers.c[name], literal_column("0")) for name in (*BUCKETS, "cost_nano_usd")}
    new |= {name: new[name] + answers.c[name] for name in UNKNOWN}  # what nobody can tell of either, nobody can of both
    new["excess"] = case((new["excess"] > answers.c.excess, new["excess"]), else_=answers.c.excess)
    # If the new cost is not known, it is at least what the failed try cost.
    new["cost_nano_usd"] = func.coalesce(new["cost_nano_usd"], func.nullif(answers.c.cost_nano_usd, literal_column("0")))
    failed = answers.c.outcome == literal_column(str(Outcome.FAILED.number))
    statement = upsert.on_conflict_do_update(index_elements=key, set_=new, where=failed)
    names = [column.name for column in answers.columns]
    compiled = statement.compile(dialect=engine.dialect, column_keys=names)
    if compiled.positiontup is not None:
        return AnswerInsert(str(compiled), attrgetter(*(_PATHS.get(name, name) for name in compiled.positiontup)))
    values = attrgetter(*(_PATHS.get(name, name) for name in names))
    return AnswerInsert(str(compiled), lambda answer: dict(zip(names, values(answer), strict=True)))


def storable(answer: Answer) -> Answer:
    """An answer without NUL, which PostgreSQL cannot keep in a text: it becomes U+FFFD."""
    if "\0" in answer.raw_answer or "\0" in answer.error:
        return answer._replace(raw_answer=answer.raw_answer.replace("\0", "\ufffd"), error=answer.error.replace("\0", "\ufffd"))
    return answer


def judgement_values(judgement: Judgement) -> dict[str, object]:
    """A judgement as the values of its row."""
    return {name: attrgetter(_PATHS.get(name, name))(judgement) for name in judgements.columns.keys()}  # noqa: SIM118 - it is not a dictionary


def key_of(row: AnyRow) -> AnswerKey:
    """Which answer of its task a row is about."""
    return AnswerKey(row.instance_id, row.variant, row.repeat, row.shuffle)


def answer_of(row: AnyRow) -> Answer:
    """A row of the table of answers."""
    values = dict(row._mapping)
    usage = Usage(*(values.pop(name) for name in BUCKETS))
    outcome, error_class = Outcome.of(values.pop("outcome")), ErrorClass.of(values.pop("error_class"))
    return Answer(**values, usage=usage, outcome=outcome, error_class=error_class)


def judgement_of(row: AnyRow) -> Judgement:
    """A row of the table of judgements."""
    values = dict(row._mapping)
    usage = Usage(**{name: values.pop(name) for name in TOKEN_BUCKETS})
    outcome, error_class = Outcome.of(values.pop("outcome")), ErrorClass.of(values.pop("error_class"))
    return Judgement(**values, usage=usage, outcome=outcome, error_class=error_class)


def run_record(row: AnyRow) -> RunRecord:
    """A row of the table of runs."""
    record = RunRecord(**row._mapping)
    return replace(
        record,
        partial=bool(record.partial),
        priced=bool(record.priced),
        wanted=Wanted.of(record.wanted),
        at_once=bool(record.at_once),
        retry_failed=bool(record.retry_failed),
        judge_only=bool(record.judge_only),
    )


def usage_sums(connection: Connection, table: Table, buckets: Sequence[str], condition: ColumnElement[bool]) -> tuple[Usage, int | None]:
    """(usage, cost in nano-dollars) of all rows that meet the condition; the cost is None if none is known."""
    columns = [func.coalesce(func.sum(table.c[name]), 0) for name in buckets]
    *used, cost = connection.execute(select(*columns, func.sum(table.c.cost_nano_usd)).where(condition)).one()
    return Usage(**{name: int(value) for name, value in zip(buckets, used, strict=True)}), None if cost is None else int(cost)


def touch(connection: Connection, run_id: str) -> None:
    """Notes that something of a run has changed, in the transaction that changes it: what it adds up to is added up again."""
    connection.execute(update(runs).where(runs.c.run_id == run_id).values(updated=time.time()))

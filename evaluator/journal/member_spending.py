"""What each member of a shared run has spent by the journal, kept up in the transactions that journal its answers.

An answer that is asked again after a failure has the costs of all its tries, and is then of whoever asked last: answers alone do not say
what each member has spent.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sqlalchemy import ColumnElement, Connection, Engine, case, func, select

from evaluator.journal.notes import noted_spending
from evaluator.journal.records import Answer, Spent
from evaluator.journal.tables import member_spending, reservations
from genlevel.runtime.storage import insert_into

_KEY = ("run_id", "member", "task")
_UNITS = ("nano_usd", "tokens")
_SUMS = tuple(f"{name}_{unit}" for name in ("known", "calls", "worst") for unit in _UNITS)
_HIGHEST = ("most_nano_usd", "most_tokens", "excess")


class MemberSpending:
    """Adds up what answers of members took. engine: of the journal's database."""

    def __init__(self, engine: Engine) -> None:
        upsert = insert_into(member_spending, engine)
        here, new = member_spending.c, upsert.excluded
        changed: dict[str, ColumnElement[object]] = {name: here[name] + new[name] for name in _SUMS}
        changed |= {name: _higher(here[name], new[name]) for name in _HIGHEST}
        self._upsert = upsert.on_conflict_do_update(index_elements=list(_KEY), set_=changed)

    def add(self, connection: Connection, answers: Iterable[Answer]) -> None:
        """Adds what answers took, in the transaction that journals them."""
        found: dict[tuple[str, int, str], Spent] = {}
        for answer in answers:
            key = (answer.run_id, answer.member, answer.task)
            spent = _spent(answer)
            found[key] = _together(found[key], spent) if key in found else spent
        if found:
            connection.execute(self._upsert, [dict(zip(_KEY, key, strict=True)) | _columns(spent) for key, spent in sorted(found.items())])


def spending_of(connection: Connection, run_id: str, member: int, model: str) -> list[Spent]:
    """What a member's answers and open calls took, by task, by the rules of evaluator.journal.notes. model: what it is called there.

    Of calls of unknown fate the dearest of their task that any member has seen is told, too.
    """
    spent = member_spending.c
    dearest = select(spent.task, func.max(spent.most_nano_usd), func.max(spent.most_tokens)).where(spent.run_id == run_id)
    seen = {task: (nano_usd, tokens) for task, nano_usd, tokens in connection.execute(dearest.group_by(spent.task))}
    found = [Spent(model, task, known=(0, 0), most_of_one=most, calls=(0, 0), worst=(0, 0), excess=0.0) for task, most in seen.items()]
    for row in connection.execute(select(member_spending).where(spent.run_id == run_id, spent.member == member)):
        own = Spent(
            model,
            row.task,
            known=(row.known_nano_usd, row.known_tokens),
            most_of_one=(row.most_nano_usd, row.most_tokens),
            calls=(row.calls_nano_usd, row.calls_tokens),
            worst=(row.worst_nano_usd, row.worst_tokens),
            excess=row.excess,
        )
        found.append(own)
    highest = [max((most[unit] or 0 for most in seen.values()), default=0) for unit in (0, 1)]
    ours = (reservations.c.run_id == run_id) & (reservations.c.member == member) & (reservations.c.judges == 0)
    return [*found, *noted_spending(connection, ours, model, highest)]


def _spent(answer: Answer) -> Spent:
    """What an answer took, as evaluator.journal.notes.spending adds it up."""
    tokens = answer.usage.tokens
    uncounted = answer.unknown_calls if answer.unknown_tokens is None or answer.unknown_tokens > 0 else 0
    return Spent(
        model="",
        task=answer.task,
        known=(answer.cost_nano_usd or 0, tokens),
        most_of_one=(answer.cost_nano_usd, tokens or None),
        calls=(answer.unknown_calls, uncounted),
        worst=(answer.unknown_nano_usd or 0, answer.unknown_tokens or 0),
        excess=answer.excess,
    )


def _together(one: Spent, other: Spent) -> Spent:
    return replace(
        one,
        known=_sums(one.known, other.known),
        most_of_one=(_highest(one.most_of_one[0], other.most_of_one[0]), _highest(one.most_of_one[1], other.most_of_one[1])),
        calls=_sums(one.calls, other.calls),
        worst=_sums(one.worst, other.worst),
        excess=max(one.excess, other.excess),
    )


def _sums(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    return one[0] + other[0], one[1] + other[1]


def _highest(*amounts: int | None) -> int | None:
    return max((amount for amount in amounts if amount is not None), default=None)


def _columns(spent: Spent) -> dict[str, object]:
    pairs = {"known": spent.known, "most": spent.most_of_one, "calls": spent.calls, "worst": spent.worst}
    amounts = {f"{name}_{unit}": amount for name, pair in pairs.items() for unit, amount in zip(_UNITS, pair, strict=True)}
    return {**amounts, "excess": spent.excess}


def _higher(here: ColumnElement[object], new: ColumnElement[object]) -> ColumnElement[object]:
    """The higher of two; NULL is less than anything."""
    return case((here.is_(None), new), (new.is_(None), here), (new > here, new), else_=here)

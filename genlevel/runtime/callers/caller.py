"""Who calls a service: known while one call is worked on, to whatever works on it."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a caller may do. ADMIN includes all others, RUN includes READ."""

    READ = "read"
    CALL = "call"
    RUN = "run"
    ADMIN = "admin"


_INCLUDED_IN: dict[Role, frozenset[Role]] = {
    Role.READ: frozenset({Role.READ, Role.RUN, Role.ADMIN}),
    Role.CALL: frozenset({Role.CALL, Role.ADMIN}),
    Role.RUN: frozenset({Role.RUN, Role.ADMIN}),
    Role.ADMIN: frozenset({Role.ADMIN}),
}


@dataclass(frozen=True, slots=True)
class Caller:
    """name: as the operator knows it; of a caller without one, where the call comes from."""

    name: str
    roles: frozenset[Role]

    def may(self, needed: Role) -> bool:
        """Whether one of the caller's roles is, or includes, the one that is needed."""
        return not self.roles.isdisjoint(_INCLUDED_IN[needed])


HERE = Caller("this process", frozenset({Role.ADMIN}))
"""Whoever calls within the process."""

_caller: ContextVar[Caller] = ContextVar("caller", default=HERE)


def current_caller() -> Caller:
    """Who made the call that is being worked on."""
    return _caller.get()


def set_caller(caller: Caller) -> None:
    """Says who makes the call that this task works on."""
    _caller.set(caller)

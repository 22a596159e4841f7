"""What is still to be delivered, as the courier sees it: a port, behind which the evaluator's journal stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from evaluator.alarms.alarm import Alarm


@dataclass(frozen=True, slots=True)
class Delivery:
    """One alarm for one destination. tries: earlier ones, each of which was put off."""

    id: str
    destination: str
    alarm: Alarm
    tries: int


class Outbox(Protocol):
    """Keeps deliveries until they are made or given up. Each method raises GenlevelError if it cannot, and may then be called again."""

    async def due(self, now_s: float) -> Sequence[Delivery]:
        """Those whose time has come, oldest first. now_s: UNIX seconds."""
        ...

    async def delivered(self, delivery: str) -> None:
        """It has arrived."""
        ...

    async def put_off(self, delivery: str, until_s: float, why: str) -> None:
        """It is due again then, after one more try. until_s: UNIX seconds. why: one line for people."""
        ...

    async def given_up(self, delivery: str, why: str) -> None:
        """It is not tried again. why: one line for people."""
        ...

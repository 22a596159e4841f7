"""Batches of runs as plain data: what was handed to a provider, what is asked in it, and how it stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from evaluator.journal.records import Answer
from genlevel.benchmark.answer_key import AnswerKey


class BatchStep(IntEnum):
    """How far a batch is. Each step is stored before the next one begins."""

    FILLING = 0
    """Instances are put into it; no provider has been asked to take it."""
    HANDED_OVER = 1
    """A provider may have it: it is looked for by its key before it is submitted again."""
    WAITS = 2
    """The provider's id of it is known."""
    CLOSED = 3
    """All that it brought is stored, or it was never taken."""


class ItemState(IntEnum):
    """What has become of one instance in a batch."""

    OPEN = 0
    ENDED = 1
    """It has its outcome, or was asked anew since."""
    AGAIN = 2
    """It failed, and is to be asked again."""
    RETURNED = 3
    """It was not asked: its batch was not taken, or was cut short."""


@dataclass(frozen=True, slots=True)
class BatchRecord:
    """One batch as stored. Times are Unix seconds, 0 = not known.

    number: of it within its run, from 1. key: by which it is found at the provider. batch_id: the provider's; "" = not known. items: how
    many the provider has. answered: of how many it says that it has done them. parameters: JSON, the different parameters that its items
    are asked with. cancel: whether a person wants it cancelled; cancelled: whether the provider may have been told so. found: it was found
    by its key, so that it is not known which items the provider did not take.
    """

    run_id: str
    number: int
    key: str
    provider: str
    state: BatchStep
    created: float
    batch_id: str = ""
    items: int = 0
    answered: int = 0
    expires: float = 0.0
    parameters: str = "[]"
    cancel: bool = False
    cancelled: bool = False
    found: bool = False


class BatchItem(NamedTuple):
    """One instance in a batch. number: of it within its run, from 1, never used twice; its id at the provider.

    tries: how often it was asked in batches before, without an outcome. asked: the place of its parameters in its batch's. nano_usd,
    tokens: the most that the call takes; nano_usd None = not known. output_tokens: of these, the answer's.
    """

    run_id: str
    number: int
    batch: int
    task: str
    instance_id: str
    variant: int
    repeat: int
    shuffle: int
    state: ItemState
    tries: int
    request_hash: str
    asked: int
    nano_usd: int | None
    tokens: int
    output_tokens: int

    @property
    def key(self) -> AnswerKey:
        """Which answer of its task is asked for."""
        return AnswerKey(self.instance_id, self.variant, self.repeat, self.shuffle)


class ItemEnd(NamedTuple):
    """What became of an item. answer: to be journalled with it; None = there is nothing to be said of it."""

    item: BatchItem
    state: ItemState
    answer: Answer | None = None


class Standing(NamedTuple):
    """The batches of a run that are not closed, together.

    instances: in them. answered: of how many the provider says that it has done them. expires: when the last of them ends, Unix seconds;
    0 = not known. cancelling: how many of them are to be cancelled.
    """

    provider: str
    batches: int
    instances: int
    answered: int
    expires: float
    cancelling: int


def standing_of(records: Sequence[BatchRecord]) -> Standing | None:
    """How batches stand together; None if none waits. (Of one that is being filled nobody waits.)"""
    waiting = [record for record in records if record.state in (BatchStep.HANDED_OVER, BatchStep.WAITS)]
    if not waiting:
        return None
    return Standing(
        waiting[0].provider,
        len(waiting),
        sum(record.items for record in waiting),
        sum(min(record.answered, record.items) for record in waiting),
        max(record.expires for record in waiting),
        sum(record.cancel for record in waiting),
    )

"""Which runs a list is to have, and where a page of it begins."""

from __future__ import annotations

import base64
import binascii
import math
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from evaluator.journal.listing import ListedRun
from genlevel.benchmark.selection import meant_by
from genlevel.runtime.errors import UsageError
from genlevel.v1 import evaluator_pb2 as ev

_LONGEST_TEXT = 1000


@dataclass(frozen=True, slots=True)
class Filter:
    """What a request lets through, its states aside. after: the place (created, id) after which its page begins; None: the first."""

    model: Callable[[str], bool]
    suite: Callable[[str], bool]
    tags: frozenset[str]
    text: str
    after: tuple[float, str] | None

    @classmethod
    def of(cls, request: ev.ListRunsRequest) -> Filter:
        """What was asked for. Raises UsageError for what makes no sense."""
        if not math.isfinite(request.since_s):
            raise UsageError("since_s is no time: write Unix seconds")
        if len(request.text) > _LONGEST_TEXT:
            raise UsageError(f"the text to search for has {len(request.text):,} characters; take at most {_LONGEST_TEXT:,}")
        after = place_of(request.after) if request.after else None
        model, suite = (_globs(pattern, name) for pattern, name in ((request.model, "model"), (request.suite, "suite")))
        return cls(model, suite, frozenset(request.tags), request.text.casefold(), after)

    def lets_through(self, run: ListedRun) -> bool:
        """Whether a run is to be in the list."""
        if not self.tags.issubset(run.tags) or not self.model(run.model) or not (self.suite(run.suite) or self.suite(run.suite_word)):
            return False
        if not self.text:
            return True
        said = (run.run_id, run.name, run.notes, *run.tags, run.model, run.suite, run.suite_word)
        return any(self.text in one.casefold() for one in said)

    def page(self, runs: Sequence[ListedRun], limit: int) -> tuple[Sequence[ListedRun], str]:
        """The page of a list, the newest first, and what the next one is asked for with; "" if there is none. limit: 0 = all."""
        if self.after is not None:
            runs = [run for run in runs if (run.created, run.run_id) < self.after]
        page = runs[:limit] if limit else runs
        return page, place_text(page[-1]) if page and len(page) < len(runs) else ""


def place_text(run: ListedRun) -> str:
    """The place of a run in a list, as the next page is asked for with.

    >>> place_of(place_text(ListedRun("3f1c", 1.5, "", "", 0, 0, "", (), "", "")))
    (1.5, '3f1c')
    """
    return base64.urlsafe_b64encode(struct.pack(">d", run.created) + run.run_id.encode()).decode()


def place_of(text: str) -> tuple[float, str]:
    """The inverse of ``place_text``. Raises UsageError for any other text."""
    try:
        packed = base64.b64decode(text.encode(), altchars=b"-_", validate=True)
        (created,) = struct.unpack(">d", packed[:8])
        place = float(created), packed[8:].decode()
    except (binascii.Error, struct.error, UnicodeError, ValueError):
        raise UsageError("after is no place in a list of runs: take what the page before said is next") from None
    if not math.isfinite(place[0]):
        raise UsageError("after is no place in a list of runs: take what the page before said is next")
    return place


def _globs(pattern: str, name: str) -> Callable[[str], bool]:
    return meant_by(pattern, name) if pattern else lambda _: True

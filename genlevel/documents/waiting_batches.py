"""What of a run waits in batches at a provider: as a document, and in words."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from genlevel.v1 import evaluator_pb2 as ev

if TYPE_CHECKING:
    from genlevel.runtime.documents import Document


def batches_document(run: ev.Run) -> Document | None:
    """The batches of a run that wait; None if none does."""
    if not run.HasField("batches"):
        return None
    waiting = run.batches
    return {
        "provider": waiting.provider,
        "batches": waiting.batches,
        "instances": waiting.instances,
        "answered": waiting.answered,
        "expires": datetime.fromtimestamp(waiting.expires_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if waiting.expires_s else None,
        "cancelling": waiting.cancelling,
    }


def batches_told(waiting: Document, now_s: float | None = None) -> str:
    """Such a document in words. now_s: Unix seconds; None: the clock's.

    Example:
        >>> batches_told({"provider": "openai", "batches": 3, "instances": 1200, "answered": 412, "expires": "1970-01-02T14:05:00Z",
        ...               "cancelling": 0}, now_s=40_000)
        '3 batches at openai: 412 of 1,200 answered, by 14:05 UTC tomorrow'
    """
    count = waiting["batches"]
    batches = f"{count:,} batch{'es' * (count != 1)} at {waiting['provider']}"
    cancelling = " (to be cancelled)" if waiting["cancelling"] else ""
    by = ""
    if waiting["expires"] is not None:
        now = datetime.fromtimestamp(time.time() if now_s is None else now_s, UTC)
        by = f", by {_when(datetime.fromisoformat(waiting['expires']), now)}"
    return f"{batches}{cancelling}: {waiting['answered']:,} of {waiting['instances']:,} answered{by}"


def _when(at: datetime, now: datetime) -> str:
    """A time to come as a person says it, in UTC."""
    days = (at.date() - now.date()).days
    return f"{at:%H:%M} UTC {('today', 'tomorrow')[days] if days in (0, 1) else f'on {at:%Y-%m-%d}'}"

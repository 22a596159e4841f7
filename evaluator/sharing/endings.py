"""How a member says that the whole run is to end: what its own pass ended with, as its row keeps it."""

from __future__ import annotations

import orjson

from evaluator.runs.crew import Ending


def written_ending(ending: Ending) -> str:
    """As it is stored."""
    return orjson.dumps(list(ending)).decode()


def read_ending(text: str) -> Ending:
    """As it was stored."""
    status, reason, passes = orjson.loads(text)
    return Ending(int(status), str(reason), bool(passes))

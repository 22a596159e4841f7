"""The client for programs: runs, answers, verdicts and monitors as typed values, over services or in this process.

``Client`` waits for answers, ``AsyncClient`` is for programs with an event loop of their own. Both are imported when they are first asked
for, as commands share other modules of this room.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from genlevel.client.answers import Answers as Answers
    from genlevel.client.async_answers import AsyncAnswers as AsyncAnswers
    from genlevel.client.async_client import AsyncClient as AsyncClient
    from genlevel.client.async_monitors import AsyncMonitor as AsyncMonitor
    from genlevel.client.async_runs import AsyncRun as AsyncRun
    from genlevel.client.client import Client as Client
    from genlevel.client.monitors import Monitor as Monitor
    from genlevel.client.runs import Run as Run

_PLACES = {"Client": "client", "Run": "runs", "Answers": "answers", "Monitor": "monitors"}
_PLACES |= {f"Async{name}": f"async_{module}" for name, module in _PLACES.items()}


def __getattr__(name: str) -> object:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(importlib.import_module(f"genlevel.client.{_PLACES[name]}"), name)
    return found

"""Runs a command of genlevel whose process kills itself at a named step: ``killed_at.py STEP TIME COMMAND...``.

TIME: the so-manieth time that the step is reached, from 1.
"""

from __future__ import annotations

import asyncio
import functools
import importlib
import inspect
import os
import signal
import sys
from typing import Any

STEPS = {
    "a batch begins": ("evaluator.journal.batch_table", "BatchTable.begin", "before"),
    "items are stored": ("evaluator.journal.batch_table", "BatchTable.add", "after"),
    "it is stored that it is handed over": ("evaluator.batches.chunk", "Chunk.hand_over", "before"),
    "the gateway has it whole": ("evaluator.batches.chunk", "Chunk.hand_over", "after"),
    "a file was uploaded, or the batch taken": ("gateway.batches.service", "Batches._reply", "after"),
    "the provider has taken it": ("gateway.batches.service", "Batches.submit", "after"),
    "its id is about to be stored": ("evaluator.batches.filling", "Filler._taken", "before"),
    "its id is stored": ("evaluator.batches.filling", "Filler._taken", "after"),
    "it is looked at": ("evaluator.batches.looking", "Looker._got", "before"),
    "results have come": ("evaluator.batches.keeping", "Keeper.end", "before"),
    "results are stored": ("evaluator.batches.keeping", "Keeper.end", "after"),
    "it is about to be closed": ("evaluator.batches.keeping", "Keeper.close", "before"),
    "it is closed": ("evaluator.batches.keeping", "Keeper.close", "after"),
    "it is told to be cancelled": ("gateway.batches.service", "Batches.cancel", "before"),
    "it is cancelled": ("gateway.batches.service", "Batches.cancel", "after"),
}

DELETING = {
    "a run is about to be taken out": ("evaluator.journal.deletion", "Deletion.take_out", "before"),
    "a run is taken out": ("evaluator.journal.deletion", "Deletion.take_out", "after"),
    "its answers are removed": ("evaluator.journal.deletion", "Deletion.clear", "after"),
    "its scores are removed": ("scorer.service", "Scorer.forget_run", "after"),
    "all of it is removed": ("evaluator.journal.deletion", "Deletion.cleared", "after"),
    "its files are about to be forgotten": ("evaluator.journal.deletion", "Deletion.settled", "before"),
}
"""Steps of a deletion."""


def kill_at(step: str, time: int) -> None:
    """Has this process end at once when a step is reached."""
    module, path, when = (STEPS | DELETING)[step]
    owner_name, _, name = path.partition(".")
    owner = getattr(importlib.import_module(module), owner_name)
    original, seen = getattr(owner, name), [0]

    def reached(moment: str) -> None:
        if moment == when:
            seen[0] += 1
            if seen[0] >= time:
                os.kill(os.getpid(), signal.SIGKILL)

    @functools.wraps(original)
    async def awaited(*arguments: Any, **named: Any) -> Any:
        reached("before")
        result = await original(*arguments, **named)
        reached("after")
        return result

    @functools.wraps(original)
    def called(*arguments: Any, **named: Any) -> Any:
        reached("before")
        future = original(*arguments, **named)
        if not isinstance(future, asyncio.Future):
            reached("after")
        elif when == "after":
            future.add_done_callback(lambda _: reached("after"))
        return future

    setattr(owner, name, awaited if inspect.iscoroutinefunction(original) else called)


if __name__ == "__main__":
    kill_at(sys.argv[1], int(sys.argv[2]))
    from genlevel.cli import main

    sys.argv = ["genlevel", *sys.argv[3:]]
    main()

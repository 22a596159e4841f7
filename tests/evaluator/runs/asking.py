"""What tests ask of an evaluator: a run, to its end, and its answers."""

from __future__ import annotations

import asyncio

from genlevel.v1 import evaluator_pb2 as ev


def specification(folder, **fields):
    return ev.RunSpecification(model="m", suite=str(folder), **fields)


async def finish(evaluator, request):
    return await watched(evaluator, (await evaluator.start_run(request)).run)


async def watched(evaluator, run):
    """The run, when it has ended."""
    async with asyncio.timeout(60):
        async for progress in evaluator.watch_run(ev.WatchRunRequest(run_id=run.run_id)):
            last = progress
    return last.run


async def start(evaluator, folder, traffic=None, **fields):
    return await finish(evaluator, ev.StartRunRequest(specification=specification(folder, **fields), traffic=traffic))


async def answers(evaluator, run, **filters):
    return [answer async for answer in evaluator.list_answers(ev.ListAnswersRequest(run_id=run.run_id, **filters))]

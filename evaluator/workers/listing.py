"""What ListWorkers answers: rows of workers, and what a queue says of itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from evaluator.workers.messages import dead_letter_message, worker_message
from genlevel.runtime.errors import NotFoundError, QueueError, UsageError
from genlevel.runtime.queue.port import checked_key
from genlevel.runtime.shown import quoted
from genlevel.runtime.workers import Seen
from genlevel.v1 import evaluator_pb2 as ev

if TYPE_CHECKING:
    from genlevel.runtime.queue import Queue

Revive = Callable[[bytes], Awaitable[None]]

MOST_DEAD_LETTERS = 1000
_NOT_CONNECTED = "this process is not connected to it"
NO_QUEUE = "no queue is configured (queue: nats://...), so there are no dead letters"


async def workers_listed(
    seen: Sequence[Seen], queue: Queue | None, request: ev.ListWorkersRequest, *, shared: bool
) -> ev.ListWorkersResponse:
    """Workers, and what waits in their queue. A queue that is away is a line of the answer.

    queue: None: this process has none. shared: whether others share one.

    Raises UsageError for more dead letters than are told.
    """
    if request.dead_letters > MOST_DEAD_LETTERS:
        raise UsageError(f"at most {MOST_DEAD_LETTERS:,} dead letters are told, and {request.dead_letters:,} are asked for")
    response = ev.ListWorkersResponse(workers=[worker_message(one) for one in seen], shared=shared)
    if queue is None:
        response.queue_problem = _NOT_CONNECTED if shared else ""
        return response
    try:
        for name, depth in sorted((await queue.topics()).items()):
            response.topics.add(name=name, waiting=depth.waiting, in_hand=depth.in_hand)
        response.dead = await queue.count_dead()
        if response.dead and request.dead_letters:
            response.dead_letters.extend(dead_letter_message(one) for one in await queue.dead_letters(request.dead_letters))
    except QueueError as error:
        response.queue_problem = str(error)
    return response


async def dead_letter_changed(queue: Queue | None, request: ev.ChangeDeadLetterRequest, revive: Revive) -> ev.ChangeDeadLetterResponse:
    """Publishes a dead letter again, or forgets it. revive: lets what its message is about be done after all.

    Raises UsageError if there is no queue or nothing is asked for, NotFoundError if there is no such letter, QueueError.
    """
    if queue is None:
        raise UsageError(NO_QUEUE)
    unknown = NotFoundError(f"no dead letter has the key {quoted(request.key)}")
    try:
        checked_key(request.key)
    except ValueError:
        raise unknown from None
    if request.change == ev.DEAD_LETTER_CHANGE_RETRY:
        if (letter := await queue.dead_letter(request.key)) is not None:
            await revive(letter.body)
        done = await queue.retry_dead(request.key)
    elif request.change == ev.DEAD_LETTER_CHANGE_FORGET:
        done = await queue.forget_dead(request.key)
    else:
        raise UsageError("say what is to become of the dead letter: retry or forget")
    if not done:
        raise unknown
    return ev.ChangeDeadLetterResponse()

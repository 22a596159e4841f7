"""The page of workers: which processes share runs, what each can do and does, what waits in the queue and what was given up."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from genlevel.documents.words import harmless
from genlevel.documents.workers import ALONE, can_told, doing_told, seen_told, troubles, workers_document
from genlevel.runtime.callers import Role
from genlevel.runtime.errors import CallerRefused, NotFoundError, UsageError
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.views.table import table
from genlevel.web.page import Asked, Moved, Page
from genlevel.web.reply import Reply

if TYPE_CHECKING:
    from genlevel.runtime.documents import Document
    from genlevel.views.table import Table

EVERY_S = 5
"""As often as workers say what they do."""
_DEAD_LETTERS = 100
_CHANGES = {"retry": ev.DEAD_LETTER_CHANGE_RETRY, "forget": ev.DEAD_LETTER_CHANGE_FORGET}


async def workers_page(asked: Asked) -> Page:
    """Who works now."""
    return await _view(asked, Reply())


async def dead_letter(asked: Asked) -> Moved | Page:
    """Publishes a message that was given up again, or forgets it."""
    change = asked.one("change")
    if change not in _CHANGES:
        raise UsageError(f"say what is to become of the message: {', '.join(_CHANGES)}")
    request = ev.ChangeDeadLetterRequest(key=asked.exact("key"), change=_CHANGES[change])
    try:
        await asked.services.evaluator.change_dead_letter(request)
    except CallerRefused:
        raise
    except (NotFoundError, UsageError) as error:  # somebody else was first
        return await _view(asked, Reply("dead", {"": harmless(str(error))}))
    return Moved("/workers#dead")


async def _view(asked: Asked, answered: Reply) -> Page:
    document = workers_document(await asked.services.evaluator.list_workers(ev.ListWorkersRequest(dead_letters=_DEAD_LETTERS)))
    values = {
        "found": document,
        "workers": [{**one, "is": seen_told(one), "can": can_told(one), "does": doing_told(one)} for one in document["workers"]],
        "troubles": troubles(document),
        "alone": "" if document["shared"] else ALONE,
        "may_run": asked.may(Role.RUN),
        "answered": answered,
        "every_s": EVERY_S,
        "now": time.time(),
    }
    tables = {
        "workers": _workers_table(document["workers"]),
        "topics": _topics_table(document["topics"] or ()),
        "dead": _dead_table(document["dead_letters"]),
    }
    return Page("workers.html", "Workers", values, document, tables, status=400 if answered.errors else 200)


def _workers_table(workers: Sequence[Document]) -> Table:
    columns = ("worker", "service", "version", "host", "started", "seen", "lost", "asks", "scores", "device", "problem", ">in flight")
    rows = [
        (
            *(one[name] for name in ("worker", "service", "version", "host", "started", "seen", "lost", "asks")),
            " ".join(one["scores"]),
            one["device"],
            one["problem"],
            sum(part["in_flight"] for part in one["runs"]),
        )
        for one in workers
    ]
    return table("Workers", columns, rows)


def _topics_table(topics: Sequence[Document]) -> Table:
    rows = [(one["topic"], one["waiting"], one["in_hand"]) for one in topics]
    return table("Messages in the queue", ("topic", ">waiting", ">in hand"), rows)


def _dead_table(letters: Sequence[Document]) -> Table:
    rows = [(one["key"], one["topic"], one["at"], one["tries"], one["reason"]) for one in letters]
    return table("Messages that were given up, the newest first", ("key", "topic", "at", ">tries", "reason"), rows)

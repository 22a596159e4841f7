"""``genlevel workers``: the processes that share runs, what they can do and do, and what their queue holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from genlevel.cli.options import json_option, out_option, print_json, run_async, settings_of
from genlevel.connection.services import stored
from genlevel.runtime.errors import UsageError
from genlevel.v1 import evaluator_pb2 as ev

if TYPE_CHECKING:
    from genlevel.runtime.documents import Document

_DEAD_LETTERS = 100


@click.command("workers")
@click.option("--dead", is_flag=True, help=f"Show messages that were given up, the newest {_DEAD_LETTERS}.")
@click.option("--retry-dead", metavar="KEY", help="Publish one of these again.")
@click.option("--forget-dead", metavar="KEY", help="Remove one of these for good.")
@out_option
@json_option
@click.pass_context
def workers(ctx: click.Context, *, dead: bool, retry_dead: str | None, forget_dead: str | None, out: Path, as_json: bool) -> None:
    """Show who works: each process with what it can do, the runs and tasks in its hands, and what waits in the queue.

    Without a queue each run has one evaluator, and of services only the one that is asked is shown.
    """
    if (retry_dead is not None) + (forget_dead is not None) > 1:
        raise click.UsageError("give --retry-dead or --forget-dead, one at a time", ctx)
    change = ev.DEAD_LETTER_CHANGE_FORGET if forget_dead is not None else ev.DEAD_LETTER_CHANGE_RETRY
    key = forget_dead if forget_dead is not None else retry_dead
    settings = settings_of(ctx)

    async def work() -> ev.ListWorkersResponse:
        if not settings.addresses.evaluator and not settings.queue:
            if key is not None:
                from evaluator.workers.listing import NO_QUEUE

                raise UsageError(NO_QUEUE)
            return ev.ListWorkersResponse()
        async with stored(settings, out) as found:
            if key is not None:
                await found.evaluator.change_dead_letter(ev.ChangeDeadLetterRequest(key=key, change=change))
            return await found.evaluator.list_workers(ev.ListWorkersRequest(dead_letters=_DEAD_LETTERS if dead else 0))

    from genlevel.documents.workers import workers_document

    document = workers_document(run_async(work()))
    print_json(document) if as_json else _print(document, dead=dead)


def _print(document: Document, *, dead: bool) -> None:
    from genlevel.cli.printing import console, note, table
    from genlevel.documents.words import harmless
    from genlevel.documents.workers import ALONE, can_told, dead_told, doing_told, seen_told, troubles

    out = console()
    if not document["shared"]:
        click.echo(ALONE)
    if document["workers"]:
        rows = table("worker", "is", "can", "does")
        for one in document["workers"]:
            name = one["worker"] if one["service"] == "evaluator" else f"{one['worker']}, {one['service']}"
            rows.add_row(name, seen_told(one), can_told(one), harmless("\n".join(doing_told(one))) or "-")
        out.print(rows)
    elif document["shared"]:
        click.echo("no worker is there; start `genlevel evaluator` or `genlevel up` with this configuration")
    if document["topics"]:
        topics = table("in the queue", ">waiting", ">in hand")
        for topic in document["topics"]:
            topics.add_row(topic["topic"], f"{topic['waiting']:,}", f"{topic['in_hand']:,}")
        out.print(topics)
    if dead:
        _print_dead(document)
    for line in troubles(document):
        note(harmless(line))
    if given_up := dead_told(document):
        note(f"{given_up}: `genlevel workers --dead` says why, --retry-dead KEY or --forget-dead KEY ends that")


def _print_dead(document: Document) -> None:
    from genlevel.cli.printing import console, table
    from genlevel.documents.words import harmless

    if not document["dead_letters"]:
        click.echo("no message was given up" if document["dead"] is not None else "nobody knows whether messages were given up")
        return
    rows = table("given up", "when", "topic", ">tries", "why")
    for one in document["dead_letters"]:
        rows.add_row(one["key"], (one["at"] or "-")[:19], one["topic"], str(one["tries"]), harmless(one["reason"]))
    console().print(rows)

"""``genlevel describe``: what people call a run and say of it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from genlevel.cli.options import json_option, need_run_folder, out_option, print_json, run_async, settings_of
from genlevel.connection.services import stored
from genlevel.documents.runs import run_document
from genlevel.documents.words import harmless
from genlevel.runtime.errors import UsageError
from genlevel.v1 import evaluator_pb2 as ev

if TYPE_CHECKING:
    from collections.abc import Sequence

    from genlevel.runtime.documents import Document


@click.command("describe")
@click.argument("run")
@click.option("--name", metavar="TEXT", help='What it is called: RUN of other commands may be its name. "" takes it away.')
@click.option(
    "--tag", "tags", multiple=True, metavar="WORD", help="A word for it; may be given several times. `keep` keeps it from retention."
)
@click.option("--untag", "untags", multiple=True, metavar="WORD", help="Takes a word away.")
@click.option("--notes", metavar="TEXT", help='What is to be said of it. "" takes it away.')
@click.option("--notes-file", metavar="FILE|-", help="The same from a file, or from standard input.")
@out_option
@json_option
@click.pass_context
def describe(
    ctx: click.Context,
    run: str,
    *,
    name: str | None,
    tags: Sequence[str],
    untags: Sequence[str],
    notes: str | None,
    notes_file: str | None,
    out: Path,
    as_json: bool,
) -> None:
    """Name RUN, tag it, keep notes of it; without an option show what is kept.

    None of it changes what the run asks, its result or its stamp. RUN is an id, the beginning of one, or a name that one run alone has.
    """
    if notes is not None and notes_file is not None:
        raise click.UsageError("--notes and --notes-file are two ways to say the same: give one")
    settings = settings_of(ctx)
    need_run_folder(settings, out)
    said = _text_of(notes_file) if notes_file is not None else notes
    request = ev.DescribeRunRequest(run_id=run, name=name, notes=said, add_tags=tags, remove_tags=untags)
    changes = len(request.ListFields()) > 1

    async def work() -> Document:
        async with stored(settings, out) as found:
            if changes:
                return run_document((await found.evaluator.describe_run(request)).run)
            return run_document((await found.evaluator.get_run(ev.GetRunRequest(run_id=run))).run)

    document = run_async(work())
    if as_json:
        print_json(document)
    else:
        _print(document)


def _text_of(file: str) -> str:
    """Raises UsageError if it cannot be read."""
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text("utf-8")
    except (OSError, UnicodeError) as error:
        raise UsageError(f"--notes-file {file}: cannot be read as text ({getattr(error, 'strerror', None) or error})") from None


def _print(run: Document) -> None:
    called = f" is called {run['name']}" if run["name"] else " has no name"
    click.echo(harmless(f"run {run['run']}{called}; {run['model']} on {run['suite']}"))
    click.echo(harmless(f"tags: {' '.join(run['tags'])}") if run["tags"] else "no tags")
    if run["notes"]:
        click.echo(harmless(run["notes"]).rstrip())

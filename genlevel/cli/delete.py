"""``genlevel delete``: runs, for good."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from genlevel.cli.options import json_option, need_run_folder, out_option, print_json, run_async, settings_of
from genlevel.cli.printing import note
from genlevel.connection.services import stored
from genlevel.documents.words import harmless, size
from genlevel.v1 import evaluator_pb2 as ev

if TYPE_CHECKING:
    from collections.abc import Sequence

    from genlevel.runtime.documents import Document
    from genlevel.runtime.settings import Settings


@click.command("delete")
@click.argument("runs", nargs=-1, required=True, metavar="RUN...")
@click.option("--dry-run", is_flag=True, help="Say what would be freed; delete nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@out_option
@json_option
@click.pass_context
def delete(ctx: click.Context, runs: Sequence[str], *, dry_run: bool, yes: bool, out: Path, as_json: bool) -> None:
    """Delete runs for good: their answers, scores and results, and those of their media that no other run has.

    Says first what that frees, and asks. If one of them may not be deleted, as it goes on, has batches at a provider or is a monitor's
    baseline, none is. A deleted run still counts as a try of its model: a certificate of a later run is as if it were there.
    """
    settings = settings_of(ctx)
    need_run_folder(settings, out)
    if not (dry_run or yes) and (as_json or not sys.stdin.isatty()):
        raise click.UsageError("nobody can be asked here: give --yes to delete, or --dry-run to see what would be freed")
    freed = run_async(_each(settings, out, runs, dry_run=True))
    ids = list(dict.fromkeys(one["run"] for one in freed))
    freed = [next(one for one in freed if one["run"] == run) for run in ids]
    if not as_json:
        _print(freed)
    if not dry_run:
        if not yes and not click.confirm(f"Delete {'this run' if len(ids) == 1 else f'these {len(ids)} runs'} for good?", err=True):
            raise click.Abort
        freed = run_async(_each(settings, out, ids, dry_run=False))
        for problem in () if as_json else {problem for one in freed for problem in one["problems"]}:
            note(harmless(problem))
    if as_json:
        print_json(freed)
    elif not dry_run:
        click.echo(f"deleted {', '.join(ids)}")


async def _each(settings: Settings, out: Path, runs: Sequence[str], *, dry_run: bool) -> list[Document]:
    async with stored(settings, out) as found:
        return [_document(await found.evaluator.delete_run(ev.DeleteRunRequest(run_id=run, dry_run=dry_run)), dry_run) for run in runs]


def _document(freed: ev.DeleteRunResponse, dry_run: bool) -> Document:
    return {
        "run": freed.run_id,
        "deleted": not dry_run,
        "answers": freed.answers,
        "files": freed.files,
        "bytes": freed.bytes,
        "problems": list(freed.problems),
    }


def _print(freed: Sequence[Document]) -> None:
    for one in freed:
        files = f", {one['files']:,} media files that no other run has" if one["files"] else ""
        click.echo(f"run {one['run']}: {one['answers']:,} answers{files}, about {size(one['bytes'])}")
        for problem in one["problems"]:
            click.echo(f"  {harmless(problem)}")

"""``genlevel bench``: checking a copy of General-Bench, and fetching one."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from genlevel.cli import EXIT_INCOMPLETE
from genlevel.cli.options import json_option, print_json
from genlevel.documents.words import harmless


@click.group("bench")
def bench() -> None:
    """Check a copy of General-Bench, or fetch its open set.

    Zip archives of tasks are read like folders: they are unpacked once, into $GENLEVEL_CACHE (default: ~/.cache/genlevel).
    """


@bench.command("check", short_help="Check a copy: one line for each problem.")
@click.argument("folder", type=click.Path(path_type=Path, exists=True))
@json_option
@click.pass_context
def check(ctx: click.Context, folder: Path, as_json: bool) -> None:
    """Check a copy: one line for each problem, with file, item and what to do.

    FOLDER is a whole copy, a part of one, one task, or a zip archive of these. Exit code 0: nothing is wrong; 1: there are problems;
    2: there is no task in it.
    """
    from genlevel.benchmark import checking

    found = checking.check_copy(folder)
    if as_json:
        print_json(checking.as_json(found))
    else:
        for finding in found.problems:
            click.echo(harmless(finding.line()))
        for line in checking.lines(found.notes):
            click.echo(f"note: {harmless(line)}")
        for line in _summary(found.summary(), found.missing_by_sheet):
            click.echo(line)
    if found.problems:
        ctx.exit(EXIT_INCOMPLETE)


def _summary(figures: dict[str, int], missing: dict[str, int]) -> list[str]:
    sheets = f" ({', '.join(f'{sheet} {count}' for sheet, count in missing.items())})" if missing else ""
    return [
        f"tasks: {figures['listed']} of {figures['of']} found, {figures['missing']} missing{sheets}",
        f"folders that belong to no task: {figures['unlisted']}",
        f"instances: {figures['instances']}, of which {figures['unusable_instances']} cannot be asked",
        f"media files missing: {figures['missing_media']}",
        f"problems: {figures['problems']}; notes: {figures['notes']}",
    ]


@bench.command("fetch", short_help="Fetch the open set from the Hugging Face hub.")
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("General-Bench-Openset"),
    show_default=True,
    help="Folder to fetch into.",
)
@click.option("--tasks", multiple=True, metavar="GLOB", help="Only these tasks, by folder, name or id (several times; default: all).")
@click.option("--repository", metavar="OWNER/NAME", help="Data set repository (default: General-Level/General-Bench-Openset).")
@click.option("--revision", metavar="R", default="main", show_default=True, help="Branch, tag or commit.")
@click.option("--endpoint", metavar="URL", default="", help="A mirror of the hub (default: HF_ENDPOINT, else the hub itself).")
@json_option
def fetch(*, folder: Path, tasks: tuple[str, ...], repository: str | None, revision: str, endpoint: str, as_json: bool) -> None:
    """Fetch General-Bench's open set from the Hugging Face hub; a fetch that was cut short goes on where it stopped.

    Needs the extra "hub". Archives are left as they are: every command reads them (see `genlevel bench check`).
    """
    from genlevel.benchmark import hub

    globs = tuple(glob.strip() for given in tasks for glob in given.split(",") if glob.strip())
    found = hub.listing(repository or hub.OPEN_SET, globs, revision=revision, endpoint=endpoint)
    if not as_json:
        size = f"{found.size / 1e6:,.1f} MB"
        click.echo(f"{found.repository} at {found.commit[:12]}: {found.tasks} tasks, {len(found.files)} files, {size}", err=True)
    from genlevel.cli.fetching import FetchDisplay

    with FetchDisplay(found.size) as display:
        fresh = hub.fetch(found, folder, endpoint=endpoint, on_bytes=display.add)
    if as_json:
        print_json(
            {
                "repository": found.repository,
                "commit": found.commit,
                "folder": str(folder),
                "tasks": found.tasks,
                "files": len(found.files),
                "fetched": fresh,
                "bytes": found.size,
            }
        )
        return
    click.echo(f"{fresh} files fetched, {len(found.files) - fresh} were there already")
    click.echo(f"next: genlevel bench check {shlex.quote(str(folder))}")

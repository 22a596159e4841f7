"""``genlevel bench``: checking a copy of General-Bench, and fetching one."""

from __future__ import annotations

from pathlib import Path

import click

from genlevel.cli import EXIT_INCOMPLETE
from genlevel.cli.options import harmless, json_option, print_json


@click.group("bench")
def bench() -> None:
    """Check a copy of General-Bench, or fetch its open set."""


@bench.command("check")
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
        f"folders that are none of the tasks: {figures['unlisted']}",
        f"instances: {figures['instances']}, of which {figures['unusable_instances']} cannot be asked",
        f"media files missing: {figures['missing_media']}",
        f"problems: {figures['problems']}; notes: {figures['notes']}",
    ]

"""``genlevel report``: one file that tells of one or several runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from genlevel.cli.options import need_run_folder, out_option, run_async, settings_of
from genlevel.connection.services import stored
from genlevel.runtime.errors import UsageError

if TYPE_CHECKING:
    from genlevel.report.sections import Report
    from genlevel.runtime.settings import Settings

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("report")
@click.argument("runs", nargs=-1, required=True, metavar="RUN...")
@click.option("--html", type=_FILE, help="Write a page that opens without a network.")
@click.option("--md", type=_FILE, help="Write Markdown.")
@out_option
@click.pass_context
def report(ctx: click.Context, *, runs: tuple[str, ...], html: Path | None, md: Path | None, out: Path) -> None:
    """Write a report of RUNs: verdicts with intervals, strengths and weaknesses, examples of what went wrong, cost, methods, stamp.

    Several runs are compared with the first.
    """
    if html is None and md is None:
        raise click.UsageError("give --html FILE, --md FILE, or both")
    settings = settings_of(ctx)
    need_run_folder(settings, out)
    made = run_async(_made(settings, out, runs))
    if html is not None:
        from genlevel.report.html import report_html

        _write(html, report_html(made))
    if md is not None:
        from genlevel.report.markdown import report_markdown

        _write(md, report_markdown(made))


async def _made(settings: Settings, folder: Path, runs: tuple[str, ...]) -> Report:
    from datetime import UTC, datetime

    from genlevel.report.gathering import gather
    from genlevel.report.sections import make_report

    async with stored(settings, folder) as found:
        return make_report(await gather(found, runs), f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC")


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from None
    click.echo(f"wrote {path} ({len(text.encode('utf-8', 'replace')) / 1000:,.0f} kB)", err=True)

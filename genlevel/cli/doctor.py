"""``genlevel doctor``: what is configured here, what answers, who may call it, and what is missing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from genlevel.cli import EXIT_INCOMPLETE
from genlevel.cli.options import json_option, out_option, print_json, run_async, settings_of
from genlevel.cli.printing import console, table

if TYPE_CHECKING:
    from genlevel.cli.diagnosis import Finding


@click.command("doctor")
@out_option
@json_option
@click.pass_context
def doctor(ctx: click.Context, out: Path, as_json: bool) -> None:
    """Say what is configured, reachable and ready, who may call, and what is missing. Changes nothing, and calls no model.

    Ends with 1 if something does not work.
    """
    from genlevel.cli.diagnosis import diagnosis
    from genlevel.runtime.default_settings import settings_file

    found = settings_file(Path(ctx.obj) if ctx.obj else None)
    findings = run_async(diagnosis(settings_of(ctx), out, file=found[0] if found else None))
    if as_json:
        print_json([{"what": finding.what, "state": finding.state, "said": finding.said} for finding in findings])
    else:
        _print(findings)
    if any(finding.state == "problem" for finding in findings):
        ctx.exit(EXIT_INCOMPLETE)


def _print(findings: list[Finding]) -> None:
    rows = table("what", "state", "")
    for finding in findings:
        rows.add_row(finding.what, finding.state, finding.said)
    console().print(rows)

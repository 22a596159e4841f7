"""``genlevel resume``: a run goes on where it stopped."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from genlevel.cli.options import (
    TrafficOptions,
    json_option,
    judge_option,
    need_run_folder,
    out_option,
    run_async,
    settings_of,
    telling_of,
    telling_options,
    traffic_of,
    traffic_options,
)
from genlevel.connection.services import is_beside, services
from genlevel.v1 import evaluator_pb2 as ev

if TYPE_CHECKING:
    from typing import Unpack


class _Options(TrafficOptions):
    out: Path
    as_json: bool


@click.command("resume")
@click.argument("run")
@traffic_options
@judge_option
@telling_options
@out_option
@json_option
@click.pass_context
def resume(ctx: click.Context, /, run: str, **options: Unpack[_Options]) -> None:
    """Continue RUN as it was started; what failed for good is asked again, of its model and of its judge.

    A run that asks only until something is decided goes on until it is; `genlevel eval` without --until-decided asks all of it.
    Limits and a budget that are given here replace those it was started with, for the rest of the run. It stays the same run.
    """
    settings, out, telling = settings_of(ctx), options["out"], telling_of(options)
    need_run_folder(settings, out)

    async def work() -> int:
        from genlevel.cli.driving import drive

        async with services(settings, out, embedded=await is_beside(settings, out, run)) as found:
            request = ev.StartRunRequest(run_id=run, retry_failed=True, traffic=traffic_of(options), judge=options["judge"])
            return await drive(found, request, settings, out, telling=telling, as_json=options["as_json"])

    ctx.exit(run_async(work()))

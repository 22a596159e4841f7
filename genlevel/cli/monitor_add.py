"""``genlevel monitor add``: a new monitor, or with --dry-run what it would cost and how well it would watch."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import click

from genlevel.cli.monitor_amounts import Written, horizon_s, nano_usd_a_day, times
from genlevel.cli.options import json_option, out_option, print_json, run_async, settings_of
from genlevel.cli.printing import note
from genlevel.connection.monitors import monitors
from genlevel.connection.services import DEFAULT_FOLDER
from genlevel.documents.words import harmless

if TYPE_CHECKING:
    from typing import Unpack

    from genlevel.runtime.settings import Settings
    from genlevel.v1 import monitor_pb2 as mo


class _Options(TypedDict):
    model: str
    suite: str
    tasks: str
    every: str
    time_zone: str
    sample: int | None
    pool: int | None
    budget_usd: int | None
    baseline: str
    baseline_repeats: int | None
    panel: bool
    tolerance: float | None
    horizon: int | None
    alpha: float | None
    alarm_to: tuple[str, ...]
    unpriced_ok: bool
    dry_run: bool
    out: Path
    as_json: bool


@click.command("add", short_help="Add a monitor, or say what it would cost.")
@click.argument("name")
@click.option("--model", default="", metavar="ROUTE", help="The model to watch, as `genlevel models` lists it.")
@click.option("--suite", default="", metavar="NAME", help="What it is asked: one of `genlevel suites`.")
@click.option("--tasks", default="", metavar="GLOB", help="Only tasks whose key, folder or name matches (several with commas).")
@click.option("--every", default="", metavar="TIME|CRON", help="When it ticks: 30m, 6h, 1d, or five cron fields such as '0 6 * * mon-fri'.")
@click.option(
    "--time-zone", default="", metavar="ZONE", help="Of the cron fields and of the budget's day, such as Europe/Berlin (default: UTC)."
)
@click.option("--sample", type=click.IntRange(5, 100_000), help="Instances that each tick asks (default: 200).")
@click.option("--pool", type=Written("times", times), metavar="Nx", help="Ticks draw from so many times the sample (default: 20x).")
@click.option(
    "--budget-usd",
    type=Written("usd/day", nano_usd_a_day),
    metavar="X/day",
    help="The most that it may spend a day, its baseline included.",
)
@click.option("--baseline", default="", metavar="RUN", help="Compare with this finished run, and ask no baseline.")
@click.option("--baseline-repeats", type=click.IntRange(1, 1000), help="How often the baseline asks each instance (default: 5).")
@click.option("--panel", is_flag=True, help="Ask the same instances each time: fewer are needed, and a change of others is not seen.")
@click.option(
    "--tolerance",
    type=click.FloatRange(0, 50),
    metavar="POINTS",
    help="A drop of so many points is no reason for an alarm (default: 1; of a panel 2).",
)
@click.option(
    "--horizon", type=Written("time", horizon_s), metavar="TIME", help="Within this time false alarms are bounded (default: 365d)."
)
@click.option(
    "--alpha",
    type=click.FloatRange(1e-6, 0.5),
    help="The most that the chance of any false alarm within the horizon can be (default: 0.05).",
)
@click.option(
    "--alarm-to",
    multiple=True,
    metavar="DESTINATION",
    help="Send alarms there (may be repeated; default: all of the evaluator's genlevel.yaml).",
)
@click.option("--unpriced-ok", is_flag=True, help="Go on if the model's price is not known.")
@click.option("--dry-run", is_flag=True, help="Add nothing, call nothing: say what it would cost, and how soon it would tell of a drop.")
@out_option
@json_option
@click.pass_context
def add(ctx: click.Context, /, name: str, **options: Unpack[_Options]) -> None:
    """Add a monitor: ask a model again and again, and raise an alarm if it has become worse or better, or behaves in another way.

    It begins with a baseline, with which each tick is compared instance by instance. Each tick draws its instances anew. A monitor that
    stands in genlevel.yaml needs no options for --dry-run.
    """
    settings = settings_of(ctx)
    specification = _specification(name, options, settings)
    if options["dry_run"]:
        _plan(name, specification, settings, options)
    else:
        _add(name, specification, settings, options)


def _specification(name: str, options: _Options, settings: Settings) -> mo.MonitorSpecification:
    """What was asked for. Raises click.UsageError for what is missing, or excludes each other."""
    from genlevel.v1 import evaluator_pb2 as ev
    from genlevel.v1 import monitor_pb2 as mo

    missing = [f"--{field}" for field in ("model", "suite", "every") if not options[field]]
    if len(missing) == 3 and name in settings.monitors:
        if options["dry_run"]:
            from genlevel.runtime.declared_monitors import specification_of

            return specification_of(settings.monitors[name])
        where = settings.place("monitors", name)
        raise click.UsageError(f"{where} has this monitor, and the evaluator runs it from there; --dry-run says what it would cost")
    if missing:
        raise click.UsageError(f"say what is watched and when: {', '.join(missing)} missing")
    for one, other in (("baseline", "baseline_repeats"), ("panel", "pool")):
        if options[one] and options[other] is not None:  # type: ignore[literal-required]
            raise click.UsageError(f"--{one} and --{other.replace('_', '-')} exclude each other; give one of them")
    return mo.MonitorSpecification(
        asked=ev.RunSpecification(model=options["model"], suite=options["suite"], tasks=options["tasks"]),
        every=options["every"],
        time_zone=options["time_zone"],
        sample=options["sample"] or 0,
        pool=options["pool"] or 0,
        budget_nano_usd=options["budget_usd"],
        baseline=options["baseline"],
        baseline_repeats=options["baseline_repeats"] or 0,
        panel=options["panel"],
        tolerance=options["tolerance"],
        horizon_s=options["horizon"] or 0,
        alpha=options["alpha"] or 0.0,
        destinations=options["alarm_to"],
        unpriced_ok=options["unpriced_ok"],
    )


def _plan(name: str, specification: mo.MonitorSpecification, settings: Settings, options: _Options) -> None:
    from genlevel.cli.monitor_card import print_plan
    from genlevel.documents.monitors import planned_document
    from genlevel.v1 import monitor_pb2 as mo

    async def work() -> mo.PlanMonitorResponse:
        async with monitors(settings, options["out"]) as found:
            return await found.plan_monitor(mo.PlanMonitorRequest(name=name, specification=specification))

    document = planned_document(name, run_async(work()))
    (print_json if options["as_json"] else print_plan)(document)


def _add(name: str, specification: mo.MonitorSpecification, settings: Settings, options: _Options) -> None:
    from genlevel.documents.monitors import monitor_document
    from genlevel.v1 import monitor_pb2 as mo

    async def work() -> mo.AddMonitorResponse:
        async with monitors(settings, options["out"]) as found:
            return await found.add_monitor(mo.AddMonitorRequest(name=name, specification=specification))

    added = run_async(work())
    for problem in added.problems:
        note(harmless(problem))
    if options["as_json"]:
        print_json(monitor_document(added.monitor))
        return
    begins = "" if options["baseline"] else "; its baseline comes first"
    click.echo(f"monitor {harmless(name)} is added{begins}")
    if not settings.addresses.evaluator:
        where = "" if options["out"] == DEFAULT_FOLDER else f" --out {shlex.quote(str(options['out']))}"
        click.echo(
            f"nothing is asked yet: `genlevel up{where}` watches, or `genlevel monitor run-now {shlex.quote(name)} --wait{where}` once"
        )

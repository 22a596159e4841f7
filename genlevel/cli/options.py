"""Options that several commands share, and how a command runs its coroutine."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, TypeVar

import click

from genlevel.cli.printing import Telling
from genlevel.connection.services import DEFAULT_FOLDER, nothing_stored
from genlevel.documents.amounts import nano_usd
from genlevel.v1 import evaluator_pb2 as ev

if TYPE_CHECKING:
    from genlevel.runtime.settings import Settings

T = TypeVar("T")
Command = TypeVar("Command", bound=Callable[..., object])

MOST_SEED = 2**63 - 1
WHOLE_NUMBER = click.IntRange(1, 10**9)
"""Of instances, calls or tokens, within what messages hold."""


TOKENS = click.IntRange(1, 10**15)


class LimitOptions(TypedDict):
    """What ``limit_options`` give a command. budget_usd: in nano-dollars."""

    concurrency: int | None
    rpm: int | None
    tpm: int | None
    budget_usd: int | None
    budget_tokens: int | None
    weight: int | None
    interactive: bool | None


class TellingOptions(TypedDict):
    """What ``telling_options`` give a command."""

    quiet: bool
    verbose: bool


class TrafficOptions(LimitOptions, TellingOptions):
    """What ``traffic_options``, ``judge_option`` and ``telling_options`` give a command."""

    unpriced_ok: bool
    judge: str
    batch: bool | None


def alpha_option(said: str) -> Callable[[Command], Command]:
    """--alpha, an error rate. The scorer refuses what the range lets through: NaN, and values next to 0."""
    between = click.FloatRange(0, 0.5, min_open=True, max_open=True)
    return click.option("--alpha", type=between, default=0.05, show_default=True, help=said)


def seed_option(said: str) -> Callable[[Command], Command]:
    """--seed, as large as goes over the wire."""
    return click.option("--seed", type=click.IntRange(0, MOST_SEED), default=0, show_default=True, help=said)


class Dollars(click.ParamType[int]):
    """An amount in US dollars, kept exact as integer nano-dollars."""

    name = "usd"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            return nano_usd(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout, and nothing else there.")
out_option = click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=DEFAULT_FOLDER,
    show_default=True,
    help="Folder of the journal, results and logs.",
)
_TELLING_OPTIONS = (
    click.option("-q", "--quiet", is_flag=True, help="No progress and no notes; the result and errors stay."),
    click.option("-v", "--verbose", is_flag=True, help="Every note, also many of one kind, which are one line else."),
)
model_option = click.option("--model", default="", metavar="NAME", help="The column of a workbook, in any case; a run has its own model.")
references_option = click.option(
    "--references", type=click.Choice(["workbook", "appendix"]), default="workbook", show_default=True, help="Specialists' scores."
)
task_option = click.option("--task", default="", metavar="GLOB", help="Only tasks whose key, folder or name matches.")
shown_option = click.option("--limit", type=WHOLE_NUMBER, default=20, show_default=True, help="At most so many instances of each task.")
judge_option = click.option(
    "--judge", default="", metavar="ROUTE", help="The model that rates answers if a task's metric needs a judge (default: runs.judge)."
)
_LIMIT_OPTIONS = (
    click.option("--concurrency", type=click.IntRange(1, 4096), help="Calls in flight of each evaluator (default: found by it)."),
    click.option("--rpm", type=WHOLE_NUMBER, help="At most this many requests a minute."),
    click.option("--tpm", type=WHOLE_NUMBER, help="At most this many tokens a minute."),
    click.option(
        "--budget-usd",
        type=Dollars(),
        metavar="X",
        help="Begin no call that could cost more than is left of this; earlier starts and the judge's calls count, too.",
    ),
    click.option(
        "--budget-tokens",
        type=TOKENS,
        metavar="N",
        help="The same in tokens, in and out; also for a model without a price.",
    ),
    click.option(
        "--weight", type=click.IntRange(1, 100), help="Its part of the account beside other runs there (default: runs.weight, which is 1)."
    ),
    click.option(
        "--interactive/--no-interactive",
        default=None,
        help="Its calls go first, as somebody waits for it; other runs of the account keep a tenth.",
    ),
)
_TRAFFIC_OPTIONS = (
    *_LIMIT_OPTIONS,
    click.option("--unpriced-ok", is_flag=True, help="Go on if the model's price is not known."),
    click.option(
        "--batch/--no-batch",
        default=None,
        help="Ask in batches, which providers answer within a day at about half the price (default: call by call).",
    ),
)
ratings_option = click.option(
    "--ratings",
    type=click.Path(path_type=Path, dir_okay=False),
    multiple=True,
    metavar="FILE.csv",
    help="Ratings by people: columns task, instance, rater, rating. May be given several times.",
)


def traffic_options(command: Command) -> Command:
    """How fast a run goes and how far: options that do not change which run it is. ``traffic_of`` takes them."""
    for option in reversed(_TRAFFIC_OPTIONS):
        command = option(command)
    return command


def telling_options(command: Command) -> Command:
    """How much a command tells beside its result. ``telling_of`` takes them."""
    for option in reversed(_TELLING_OPTIONS):
        command = option(command)
    return command


def telling_of(options: TellingOptions) -> Telling:
    """What ``telling_options`` were given. Raises click.UsageError for both."""
    if options["quiet"] and options["verbose"]:
        raise click.UsageError("--quiet and --verbose are opposites: give one")
    return Telling(options["quiet"], options["verbose"])


def limit_options(command: Command) -> Command:
    """Those of them that can be changed while a run goes on. ``limits_of`` takes them."""
    for option in reversed(_LIMIT_OPTIONS):
        command = option(command)
    return command


def traffic_of(options: TrafficOptions) -> ev.TrafficSettings:
    """What ``traffic_options`` and ``judge_option`` were given, as a message; what was not given is not set."""
    traffic = limits_of(options)
    traffic.unpriced_ok, traffic.judge = options["unpriced_ok"], options["judge"]
    if options["batch"] is not None:
        traffic.batch = options["batch"]
    return traffic


def limits_of(options: LimitOptions) -> ev.TrafficSettings:
    """What ``limit_options`` were given, as a message; what was not given is not set."""
    return ev.TrafficSettings(
        concurrency=options["concurrency"] or 0,
        requests_per_minute=options["rpm"] or 0,
        tokens_per_minute=options["tpm"] or 0,
        budget_nano_usd=options["budget_usd"],
        budget_tokens=options["budget_tokens"],
        weight=options["weight"] or 0,
        interactive=options["interactive"],
    )


def settings_of(ctx: click.Context) -> Settings:
    """The settings that this command runs under. Raises ConfigurationError if they cannot be read."""
    from genlevel.runtime.default_settings import are_configured, default_settings

    path = Path(ctx.obj) if ctx.obj else None
    if not are_configured(path):
        return default_settings()
    from genlevel.runtime.settings_file import load_settings

    return load_settings(path)


def run_async(work: Coroutine[object, object, T]) -> T:
    """Runs a command's coroutine on the fastest loop there is."""
    from genlevel.runtime.loop import run

    return run(work)


def print_json(document: object) -> None:
    """The document on stdout, readable, with non-ASCII characters as they are; floats are exact."""
    click.echo(json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False))


def need_run_folder(settings: Settings, folder: Path) -> None:
    """Raises UsageError if no run was ever stored there; looking for one would only make an empty database."""
    from genlevel.runtime.errors import UsageError

    if nothing_stored(settings, folder):
        raise UsageError(f"no runs in {folder}; begin one with `genlevel eval`, or name the folder of an earlier one with --out")

"""``genlevel eval``: one run from its plan to its level card."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from genlevel.cli.options import (
    WHOLE_NUMBER,
    TrafficOptions,
    json_option,
    judge_option,
    out_option,
    print_json,
    run_async,
    seed_option,
    settings_of,
    telling_of,
    telling_options,
    traffic_of,
    traffic_options,
)
from genlevel.cli.sent_suites import sent_suite
from genlevel.cli.traces import no_trace_of_nothing
from genlevel.cli.until import UntilOptions, until_of, until_options
from genlevel.connection.services import Services, services
from genlevel.runtime.errors import UsageError
from genlevel.runtime.shown import is_variable_name
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw

if TYPE_CHECKING:
    from typing import Unpack

    from genlevel.cli.printing import Telling


_SILENT_S = 3.0
"""How long a plan may take until it is said what takes so long."""


class _Options(TrafficOptions, UntilOptions):
    model: str
    suite: str
    tasks: str
    limit: int | None
    seed: int
    repeats: int
    temperature: float | None
    max_tokens: int | None
    reasoning_effort: str
    reasoning_tokens: int | None
    top_p: float | None
    droppable: str
    no_structured_output: bool
    dry_run: bool
    base_url: str | None
    api: str | None
    api_key_env: str | None
    out: Path
    fresh: bool
    name: str
    tags: tuple[str, ...]
    as_json: bool


@click.command("eval")
@click.option(
    "--model",
    required=True,
    metavar="ROUTE",
    help="A configured route, or PROVIDER/MODEL: openai/..., groq/..., ollama/..., embedded/generalist.",
)
@click.option(
    "--suite",
    required=True,
    metavar="NAME|FOLDER",
    help="One of `genlevel suites`, or a folder in General-Bench layout.",
)
@click.option("--tasks", default="", metavar="GLOB", help="Only tasks whose folder or name matches (commas separate several).")
@click.option("--limit", type=WHOLE_NUMBER, help="Instances per task: a seeded sample.")
@seed_option("Seed of that sample.")
@click.option(
    "--repeats",
    type=click.IntRange(1, 1000),
    default=1,
    show_default=True,
    help="How often each instance is asked, with seeds 0, 1, ...: a score is the mean, and the card says how much answers vary.",
)
@until_options
@traffic_options
@click.option("--temperature", type=click.FloatRange(0, 2), help="Default: 0.")
@click.option("--max-tokens", type=WHOLE_NUMBER, help="Output tokens per answer (default: by answer type).")
@click.option("--reasoning-effort", default="", metavar="WORD", help="How much it is to think, in its provider's words: low, high, ...")
@click.option("--reasoning-tokens", type=click.IntRange(0), help="The most tokens that it may think, beside --max-tokens' default.")
@click.option("--top-p", type=click.FloatRange(0, 1), help="Default: as the provider does.")
@click.option(
    "--droppable",
    default="",
    metavar="NAMES",
    help="Parameters to leave out if the model does not take them, such as seed,top_p (the stamp says which were); others are refused.",
)
@click.option(
    "--no-structured-output", is_flag=True, help="Ask for the answer's format in words alone, even if the model takes JSON schemas."
)
@judge_option
@click.option(
    "--dry-run",
    is_flag=True,
    help="Print instances, estimated tokens and cost by task, and with --until-decided about how many calls it takes; call nothing.",
)
@click.option("--base-url", metavar="URL", help="Send the model's name, taken literally, to this OpenAI-compatible server.")
@click.option(
    "--api",
    type=click.Choice(["chat", "images", "speech", "video", "transcription"]),
    help="Which endpoint of --base-url is asked (default: chat).",
)
@click.option("--api-key-env", metavar="NAME", help="Environment variable with the key for --base-url (default: no key).")
@telling_options
@out_option
@click.option("--fresh", is_flag=True, help="Start over instead of continuing the same run.")
@click.option("--name", default="", metavar="TEXT", help="What the run is to be called; `genlevel describe` changes it.")
@click.option(
    "--tag", "tags", multiple=True, metavar="WORD", help="A word for it, by which `genlevel runs` finds it; may be given several times."
)
@json_option
@click.pass_context
def evaluate(ctx: click.Context, /, **options: Unpack[_Options]) -> None:
    """Evaluate a model on a suite and print its level card.

    The same command is the same run: it continues, and asks nothing again that was answered. Exit code 0: finished, or decided
    (--until-decided); 1: finished, but some instances failed, or the judge failed on some, or the budget ended it, or it stays undecided
    as answers failed, or it is no longer watched because its service stayed away; 2: bad usage or configuration, or no call can succeed
    (key, model, 25 failures in a row); 130: stopped by Ctrl-C, or stopped or paused by `genlevel tune`.
    """
    settings, telling = settings_of(ctx), telling_of(options)
    if options["api_key_env"] and not options["base_url"]:
        raise UsageError("--api-key-env goes with --base-url; keys of configured accounts are set in genlevel.yaml")
    if options["api_key_env"] and not is_variable_name(options["api_key_env"]):
        raise UsageError("--api-key-env takes the name of an environment variable, such as MY_KEY, and not the key itself")
    if options["api"] and not options["base_url"]:
        raise UsageError("--api goes with --base-url; a configured route says its api in genlevel.yaml")
    traffic, until = traffic_of(options), until_of(options, batch=options["batch"])
    if until is not None:
        traffic.until_decided.CopyFrom(until)
    far = bool(settings.addresses.evaluator) and not options["base_url"]
    if settings.addresses.evaluator and options["base_url"]:
        said = "--base-url is asked by this command itself, not by the evaluator at"
        telling.note(f"{said} {settings.addresses.evaluator}: the run is local and lies in {options['out']}")
    specification = ev.RunSpecification(
        model=options["model"],
        suite=sent_suite(settings, options["suite"]) if far else options["suite"],
        tasks=options["tasks"],
        limit=options["limit"] or 0,
        seed=options["seed"],
        repeats=options["repeats"] if options["repeats"] > 1 else 0,
        base_url=options["base_url"] or "",
        api_key_env=options["api_key_env"] or "",
        api="" if options["api"] == "chat" else options["api"] or "",
        no_structured_output=options["no_structured_output"],
        parameters=gw.GenerationParameters(
            temperature=options["temperature"],
            max_output_tokens=options["max_tokens"],
            reasoning_effort=options["reasoning_effort"],
            reasoning_tokens=options["reasoning_tokens"],
            top_p=options["top_p"],
        ),
        droppable=[name.strip() for name in options["droppable"].split(",") if name.strip()],
    )

    called = _said(options)

    async def work() -> int:
        async with services(settings, options["out"], embedded=bool(options["base_url"])) as found:
            if options["dry_run"]:
                plan = ev.PlanRunRequest(specification=specification, judge=options["judge"], traffic=traffic, fresh=options["fresh"])
                return await _dry_run(found, plan, telling, as_json=options["as_json"])
            from genlevel.cli.driving import drive

            request = ev.StartRunRequest(specification=specification, traffic=traffic, fresh=options["fresh"])
            return await drive(found, request, settings, options["out"], said=called, telling=telling, as_json=options["as_json"])

    with nullcontext() if far else no_trace_of_nothing(options["out"]):
        code = run_async(work())
    ctx.exit(code)


def _said(options: _Options) -> ev.DescribeRunRequest | None:
    """What the run is to be called. Raises UsageError for what it cannot be called."""
    if not options["name"] and not options["tags"]:
        return None
    from evaluator.journal.descriptions import Description
    from evaluator.runs.describing import described

    said = ev.DescribeRunRequest(name=options["name"] or None, add_tags=options["tags"])
    described(Description(), said)  # before anything is begun
    return said


async def _dry_run(found: Services, request: ev.PlanRunRequest, telling: Telling, *, as_json: bool) -> int:
    from genlevel.cli.plan import print_plan
    from genlevel.documents.runs import plan_document

    planning = asyncio.ensure_future(found.evaluator.plan_run(request))
    done, _ = await asyncio.wait({planning}, timeout=_SILENT_S)
    if not done:
        simulating = ", and then simulates runs of published models" if request.traffic.HasField("until_decided") else ""
        telling.line(f"the plan reads all instances{simulating}: of a large suite that takes a while")
    plan = await planning
    document = plan_document(plan)
    if as_json:
        print_json(document)
    else:
        print_plan(document, telling, batch_factor=plan.model.batch.price_factor if request.traffic.batch else "")
    return 0

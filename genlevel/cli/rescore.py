"""``genlevel rescore``: a run's answers parsed and scored again, with ratings by people or a judge if they are given."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from genlevel.cli.options import (
    TOKENS,
    Dollars,
    TellingOptions,
    json_option,
    judge_option,
    need_run_folder,
    out_option,
    print_json,
    ratings_option,
    run_async,
    settings_of,
    telling_of,
    telling_options,
)
from genlevel.connection.services import is_beside, services, verdict_of
from genlevel.runtime.errors import UsageError
from genlevel.v1 import evaluator_pb2 as ev

if TYPE_CHECKING:
    from typing import Unpack

    from genlevel.runtime.documents import Document


class _Options(TellingOptions):
    ratings: tuple[Path, ...]
    judge: str
    budget_usd: int | None
    budget_tokens: int | None
    unpriced_ok: bool
    out: Path
    as_json: bool


@click.command("rescore")
@click.argument("run")
@ratings_option
@judge_option
@click.option("--budget-usd", type=Dollars(), metavar="X", help="With --judge: the most that the run may cost, its answers included.")
@click.option("--budget-tokens", type=TOKENS, metavar="N", help="With --judge: the same in tokens, in and out.")
@click.option("--unpriced-ok", is_flag=True, help="With --judge: go on if the judge's price is not known.")
@telling_options
@out_option
@json_option
@click.pass_context
def rescore(ctx: click.Context, /, run: str, **options: Unpack[_Options]) -> None:
    """Parse and score the answers of RUN again, with today's parsers and metrics. Never asks the run's model.

    With --ratings, people's ratings are kept with the run first. With --judge, a judge model rates what it has not rated yet or has failed
    on. Without it no model is called, and the judgements that are there count.
    """
    out, judge = options["out"], options["judge"]
    settings, telling = settings_of(ctx), telling_of(options)
    need_run_folder(settings, out)
    traffic = ev.TrafficSettings(
        budget_nano_usd=options["budget_usd"], budget_tokens=options["budget_tokens"], unpriced_ok=options["unpriced_ok"]
    )
    limited = bool(traffic.ListFields())
    if limited and not judge:
        raise UsageError("--budget-usd, --budget-tokens and --unpriced-ok go with --judge: rescoring alone calls no model")
    request = ev.RescoreRunRequest(run_id=run, ratings=_written_ratings(options["ratings"]))

    async def work() -> tuple[int, Document | None]:
        from genlevel.cli.driving import drive
        from genlevel.documents.runs import result_document

        async with services(settings, out, embedded=await is_beside(settings, out, run)) as found:
            rescored = await found.evaluator.rescore_run(request)
            telling.notes(rescored.problems)
            if not judge:
                return 0, result_document(rescored.run, await verdict_of(found, rescored.run.run_id))
            start = ev.StartRunRequest(run_id=run, judge=judge, judge_only=True, retry_failed=True)
            if limited:
                start.traffic.CopyFrom(traffic)
            return await drive(found, start, settings, out, telling=telling, as_json=options["as_json"]), None

    code, document = run_async(work())
    if document is not None and options["as_json"]:
        print_json(document)
    elif document is not None:
        from genlevel.cli.card import print_card

        print_card(document, {})
    ctx.exit(code)


def _written_ratings(files: Sequence[Path]) -> list[ev.WrittenRating]:
    from genlevel.benchmark.ratings import read_ratings

    return [
        ev.WrittenRating(task=row.task, instance=row.instance, rater=row.rater, rating=row.rating, where=row.where)
        for file in files
        for row in read_ratings(file)
    ]

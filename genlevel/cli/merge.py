"""``genlevel merge``: runs of one model over different tasks, or of several machines, as one run."""

from __future__ import annotations

import hashlib
import json
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from genlevel.cli.options import json_option, out_option, print_json, run_async, settings_of
from genlevel.cli.printing import Telling
from genlevel.runtime.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from genlevel.cli.bundles import Bundle
    from genlevel.runtime.documents import Document
    from genlevel.runtime.settings import Settings


@click.command("merge")
@click.argument("runs", nargs=-1, required=True, metavar="RUN...")
@click.option("--suite", default="", metavar="NAME|FOLDER", help="The suite that was asked, if it lies elsewhere here.")
@click.option("-q", "--quiet", is_flag=True, help="No notes; the result and errors stay.")
@out_option
@json_option
@click.pass_context
def merge(ctx: click.Context, runs: tuple[str, ...], *, suite: str, quiet: bool, out: Path, as_json: bool) -> None:
    """Join runs of one model over different tasks into one, with one level card and one certificate.

    RUN is a run of this storage, FOLDER:RUN of another genlevel-data (of another machine, say), or a folder of `genlevel export --format
    bundle`. They must be of one model, suite content, sample, parameters, prompts, route, references and parsers, and no two may have asked
    one task; what does not fit is refused by name. The merged run is stored here beside the others, which stay as they are, and is shown,
    certified, ranked, exported and verified as any run is. The same parts make the same run.
    """
    settings = settings_of(ctx)
    document, places = run_async(_merged(runs, settings, suite, out, Telling(quiet)))
    if as_json:
        print_json(document)
    else:
        from genlevel.cli.card import print_card

        print_card(document, places)


async def _merged(names: Sequence[str], settings: Settings, suite: str, out: Path, telling: Telling) -> tuple[Document, dict[str, str]]:
    from genlevel.benchmark.content import suite_content
    from genlevel.cli.fitting import Part, misfits, models_noted
    from genlevel.cli.merging import keep
    from genlevel.cli.parts import opened
    from genlevel.cli.replayed import found_plan
    from scorer.parsers import PARSER_VERSION

    if len(names) < 2:
        raise UsageError("name two runs or more")
    async with AsyncExitStack() as stack:
        bundles: list[Bundle] = [await stack.enter_async_context(opened(name, settings, out)) for name in names]
        plans = [await found_plan(bundle.run, settings, suite) for bundle in bundles]
        parts = [
            Part(name, bundle.run, bundle.result, tuple(planned.task.key for planned in plan.tasks))
            for name, bundle, plan in zip(names, bundles, plans, strict=True)
        ]
        wrong = list(misfits(parts, suite_hash=suite_content(plans[0].suite), parser_version=PARSER_VERSION))
        if wrong:
            raise UsageError("; ".join(wrong))
        if noted := models_noted(parts):
            telling.note(noted)
        document = await keep(bundles, plans, merged_id(bundles), settings, out)
    folder = out / "runs" / document["run"]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "result.json").write_text(json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    return document, {"result": str(folder / "result.json")}


def merged_id(bundles: Sequence[Bundle]) -> str:
    """12 hexadecimal digits of the hash of all answers, in any order: the same answers are the same merged run."""
    lines = sorted(
        hashlib.sha256(answer.SerializeToString(deterministic=True)).hexdigest() for bundle in bundles for answer in bundle.answers()
    )
    runs = sorted(bundle.run.run_id for bundle in bundles)
    return hashlib.sha256(json.dumps([runs, lines]).encode()).hexdigest()[:12]

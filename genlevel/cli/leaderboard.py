"""``genlevel leaderboard``: measured models, and published ones on request, ranked within their levels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from genlevel.benchmark.model import GENERAL_BENCH
from genlevel.cli.options import json_option, need_run_folder, out_option, print_json, references_option, run_async, settings_of
from genlevel.cli.printing import console, table
from genlevel.connection.services import DEFAULT_FOLDER, nothing_stored, stored
from genlevel.documents.suite_names import shown_suites
from genlevel.documents.words import harmless, number

if TYPE_CHECKING:
    from rich.console import Console

    from genlevel.documents.leaderboard import BoardAsked
    from genlevel.runtime.documents import Document
    from genlevel.runtime.settings import Settings

_EARLY = "asked only until something was decided: not ranked"
_MODALITIES = ["image", "video", "audio", "3d", "language"]


@click.command("leaderboard")
@click.option("--scope", type=click.Choice(["A", "B", "C", "D"], case_sensitive=False), help="Default: what the filters below ask for.")
@click.option("--modality", "modalities", type=click.Choice(_MODALITIES), multiple=True, help="Scope B (may be repeated), or C.")
@click.option("--paradigm", type=click.Choice(["comprehension", "generation"]), help="Scope C.")
@click.option("--skill", metavar="TEXT", default="", help="Scope D: a skill's id (I-C-17) or its name.")
@click.option("--level", type=click.IntRange(2, 5), help="Only the list of this level.")
@click.option("--suite", metavar="NAME[@HASH]", default="", help="Only runs on this suite; of several of one name, those of this content.")
@click.option(
    "--benchmark", metavar="NAME", default="", help="The board of this benchmark: a suite may be its own (default: that of most runs here)."
)
@click.option("--published", is_flag=True, help="Show the models of the paper too, as published there; not measured here.")
@references_option
@out_option
@json_option
@click.pass_context
def leaderboard(
    ctx: click.Context,
    *,
    scope: str | None,
    modalities: tuple[str, ...],
    paradigm: str | None,
    skill: str,
    level: int | None,
    suite: str,
    benchmark: str,
    published: bool,
    references: str,
    out: Path,
    as_json: bool,
) -> None:
    """Rank the models that were measured here on a benchmark, each by its run with most answers on the board.

    A run that has asked all of its suite goes before one of a part. A model that was measured on several suites has a row for each; suites
    of one name whose content differs are several. Scope A: all of General-Bench; B: one or several modalities; C: one
    modality and one paradigm; D: one skill. Other benchmarks have a board of their own.
    """
    from genlevel.documents.leaderboard import BoardAsked, general_board, published_document

    benchmark = benchmark or (GENERAL_BENCH if published else "")
    asked = BoardAsked(scope or "", modalities, paradigm or "", skill, level, suite, references, published, benchmark)
    settings = settings_of(ctx)
    if published and benchmark == GENERAL_BENCH and out == DEFAULT_FOLDER and nothing_stored(settings, out):
        document = published_document(asked)
    else:
        if benchmark in ("", GENERAL_BENCH):
            general_board(asked)  # what does not exist is said before anything is looked for
        need_run_folder(settings, out)
        document = run_async(_over_runs(settings, out, asked))
    if as_json:
        print_json(document)
    else:
        _print(document)


async def _over_runs(settings: Settings, folder: Path, asked: BoardAsked) -> Document:
    from genlevel.documents.leaderboard import leaderboard_document

    async with stored(settings, folder) as ports:
        return await leaderboard_document(ports, asked)


def _print(document: Document) -> None:
    out = console()
    references = f", references: {document['references']}" if len(document["levels"]) > 1 else ""
    out.print(f"Scope {document['scope']}: {document['board']} ({document['tasks']} tasks{references})", style="bold")
    models = document["models"]
    if not models:
        out.print("No model is on this board." + ("" if document["published_source"] else " --published shows those of the paper."))
    for part in (False, True):
        listed = [model for model in models if model["part"] is part and not model["early"]]
        _print_models(out, document, listed, "of a part of their suite, " if part else "")
    _print_models(out, document, [model for model in models if model["early"]], "")
    if document["published_source"]:
        out.print(f"published: figures of {document['published_source']}; not measured here.", soft_wrap=True)
    for model in models:
        if model["note"]:
            out.print(f"* {model['model']}: {model['note']}", soft_wrap=True)
    for note in document["notes"]:
        out.print(f"note: {note}", soft_wrap=True)


def _print_models(out: Console, document: Document, models: list[Document], of: str) -> None:
    suites = shown_suites((model["suite"], model["suite_hash"] or "") for model in document["models"] if model["suite"])
    several = len(suites) > 1
    certified = [">certified"] if any(model["certified"] for model in document["models"]) else []

    def told(model: Document) -> str:
        level = document["level"] or model["level"]
        stands = "no level" if level is None else f"Level {level}"
        return _EARLY if model["early"] else f"{of}{stands}"

    for said in dict.fromkeys(map(told, models)):
        group = [model for model in models if told(model) == said]
        out.print(said[:1].upper() + said[1:], style="bold green" if "Level" in said else "bold")
        scores = [f">Level {key}" for key in document["levels"]]
        rows = table(">#", "model", *certified, *scores, ">supported", ">wins", ">asked", "source", *(["suite"] if several else []), "")
        for model in group:
            rows.add_row(
                "-" if model["rank"] is None else str(model["rank"]),
                harmless(model["model"]),
                *([_certified(model)] if certified else []),
                *(number(model["scores"][str(key)]) for key in document["levels"]),
                *("-" if model[key] is None else str(model[key]) for key in ("supported", "wins", "asked")),
                "published" if model["published"] else f"run {model['run']}",
                *([suites.get((model["suite"], model["suite_hash"] or ""), "-")] if several else []),
                _marks(model),
            )
        out.print(rows)


def _certified(model: Document) -> str:
    """The level that is certified above published figures; none: none is; a dash: nothing is certified of it."""
    if model["certified"] is None:
        return "-"
    return str(model["certified"]["verdict"] or "none")


def _marks(model: Document) -> str:
    marks = [*([model["early"]] if model["early"] else []), *(name for name in ("partial", "incomplete") if model[name])]
    return ", ".join(marks + (["*"] if model["note"] else []))

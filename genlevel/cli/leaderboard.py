"""``genlevel leaderboard``: measured models, and published ones on request, ranked within their levels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from genlevel.cli.options import json_option, need_run_folder, out_option, print_json, references_option, run_async, settings_of
from genlevel.cli.printing import console, table
from genlevel.cli.suite_names import chosen_suites, shown_suites
from genlevel.connection.services import DEFAULT_FOLDER, nothing_stored, stored, verdict_of
from genlevel.documents.runs import has_outcomes
from genlevel.documents.words import harmless, number
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc

if TYPE_CHECKING:
    from genlevel.runtime.documents import Document
    from genlevel.runtime.settings import Settings
    from scorer.reports.leaderboard import Board, Candidate

_MODALITIES = ["image", "video", "audio", "3d", "language"]


@click.command("leaderboard")
@click.option("--scope", type=click.Choice(["A", "B", "C", "D"], case_sensitive=False), help="Default: what the filters below ask for.")
@click.option("--modality", "modalities", type=click.Choice(_MODALITIES), multiple=True, help="Scope B (may be repeated), or C.")
@click.option("--paradigm", type=click.Choice(["comprehension", "generation"]), help="Scope C.")
@click.option("--skill", metavar="TEXT", default="", help="Scope D: a skill's id (I-C-17) or its name.")
@click.option("--level", type=click.IntRange(2, 5), help="Only the list of this level.")
@click.option("--suite", metavar="NAME[@HASH]", default="", help="Only runs on this suite; of several of one name, those of this content.")
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
    published: bool,
    references: str,
    out: Path,
    as_json: bool,
) -> None:
    """Rank the models that were measured here on General-Bench, each by its run with most answers on the board.

    A run that has asked all of its suite goes before one of a part. A model that was measured on several suites has a row for each; suites
    of one name whose content differs are several. Scope A: all of General-Bench; B: one or several modalities; C: one
    modality and one paradigm; D: one skill.
    """
    from genlevel.benchmark.catalogue import general_bench
    from genlevel.benchmark.model import Modality, Paradigm
    from scorer.reports.leaderboard import Scope, make_board
    from scorer.reports.leaderboard_report import build_leaderboard, leaderboard_json

    board = make_board(
        general_bench(),
        scope=Scope(scope.upper()) if scope else None,
        modalities=[Modality(name) for name in modalities],
        paradigm=Paradigm(paradigm) if paradigm else None,
        skill=skill,
    )
    settings = settings_of(ctx)
    candidates: list[Candidate] = []
    notes: list[str] = []
    if not (published and out == DEFAULT_FOLDER and nothing_stored(settings, out)):
        need_run_folder(settings, out)
        candidates, notes = run_async(_candidates(settings, out, board, suite))
    document = leaderboard_json(build_leaderboard(board, candidates, published=published, references=references, level=level))
    document["notes"] += notes
    if as_json:
        print_json(document)
    else:
        _print(document)


async def _candidates(settings: Settings, folder: Path, board: Board, suite: str) -> tuple[list[Candidate], list[str]]:
    """The runs of General-Bench that a board shows, and notes on those that it leaves out. suite: as asked for; "" = all."""
    from genlevel.benchmark.catalogue import general_bench
    from genlevel.benchmark.model import GENERAL_BENCH
    from scorer.reports.leaderboard_report import candidate_of, choose_runs

    verdicts: list[sc.GetVerdictResponse] = []
    unscored: list[ev.Run] = []
    others = 0
    async with stored(settings, folder) as ports:
        listed = (await ports.evaluator.list_runs(ev.ListRunsRequest())).runs  # the newest first
        wanted = chosen_suites(suite, [(run.suite, run.suite_hash) for run in listed]) if suite else set()
        for run in listed:
            if wanted and (run.suite, run.suite_hash) not in wanted:
                continue
            if run.benchmark != GENERAL_BENCH:
                others += 1
                continue
            if has_outcomes(run) and (verdict := await verdict_of(ports, run.run_id)).tasks:
                verdicts.append(verdict)
            else:
                unscored.append(run)
    shown, notes = choose_runs(verdicts, board, general_bench())
    known = {(verdict.model, verdict.suite) for verdict in shown}
    for run in unscored:
        if (run.specification.model, run.suite) not in known:
            notes.append(f"run {run.run_id} of {run.specification.model} has no scored task yet")
    if others:
        notes.append(f"{others} run{'s' if others > 1 else ''} of other benchmarks left out: they are not ranked with General-Bench's")
    return [candidate_of(verdict, general_bench()) for verdict in shown], notes


def _print(document: Document) -> None:
    out = console()
    title = f"Scope {document['scope']}: {document['board']} ({document['tasks']} tasks, references: {document['references']})"
    out.print(title, style="bold")
    models = document["models"]
    if not models:
        out.print("No model is on this board." + ("" if document["published_source"] else " --published shows those of the paper."))
    suites = shown_suites((model["suite"], model["suite_hash"] or "") for model in models if model["suite"])
    several = len(suites) > 1
    for level in dict.fromkeys(document["level"] or model["level"] for model in models):
        group = [model for model in models if (document["level"] or model["level"]) == level]
        out.print("No level" if level is None else f"Level {level}", style="bold green" if level else "bold")
        scores = [f">Level {key}" for key in document["levels"]]
        rows = table(">#", "model", *scores, ">supported", ">wins", ">asked", "source", *(["suite"] if several else []), "")
        for model in group:
            rows.add_row(
                "-" if model["rank"] is None else str(model["rank"]),
                harmless(model["model"]),
                *(number(model["scores"][str(key)]) for key in document["levels"]),
                *("-" if model[key] is None else str(model[key]) for key in ("supported", "wins", "asked")),
                "published" if model["published"] else f"run {model['run']}",
                *([suites.get((model["suite"], model["suite_hash"] or ""), "-")] if several else []),
                _marks(model),
            )
        out.print(rows)
    if document["published_source"]:
        out.print(f"published: figures of {document['published_source']}; not measured here.", soft_wrap=True)
    for model in models:
        if model["note"]:
            out.print(f"* {model['model']}: {model['note']}", soft_wrap=True)
    for note in document["notes"]:
        out.print(f"note: {note}", soft_wrap=True)


def _marks(model: Document) -> str:
    marks = [name for name in ("partial", "incomplete") if model[name]]
    return ", ".join(marks + (["*"] if model["note"] else []))

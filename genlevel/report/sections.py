"""A report as sections of lines, tables, pictures and examples, from which HTML and Markdown are written. Values in, values out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from genlevel.documents.comparisons import biased
from genlevel.documents.decision_words import decision_of, early_head, early_mark, is_completed
from genlevel.documents.words import asked_told, cost_told, one_line, short, span
from genlevel.report.methods import METHODS
from genlevel.views.card import Card
from genlevel.views.card_pictures import Figure, contested_figure, contested_table, levels_figure, places_figure, synergy_figure
from genlevel.views.card_tables import baselines_table, skills_table, tasks_table
from genlevel.views.environment import capital
from genlevel.views.table import Cell, Table, table

if TYPE_CHECKING:
    from genlevel.report.gathering import Gathered, RunPart
    from genlevel.runtime.documents import Document
    from genlevel.v1 import scorer_pb2 as sc

SHOWN = 8
WINS_SHOWN = 40
NEAR = 20


@dataclass(frozen=True, slots=True)
class Section:
    """level: of its heading, 2 or 3. lines: paragraphs. card: what says the same as lines, for who draws it.

    folded: its tables are long, so they are closed at first.
    examples: as scored_document, with a metric's score. code: printed as it is.
    """

    title: str
    level: int = 2
    lines: tuple[str, ...] = ()
    card: Card | None = None
    tables: tuple[Table, ...] = ()
    figures: tuple[Figure, ...] = ()
    examples: tuple[Document, ...] = ()
    code: str = ""
    folded: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """title: names the models. made: when, as text."""

    title: str
    made: str
    sections: tuple[Section, ...]


def make_report(gathered: Gathered, made: str) -> Report:
    """The report of some runs. made: the time, as it is to be printed."""
    sections: list[Section] = []
    if len(gathered.runs) > 1:
        sections.append(_overview(gathered.runs))
        sections += _comparisons(gathered)
    for part in gathered.runs:
        sections += _of_run(part, apart=len(gathered.runs) > 1)
    sections.append(Section("Methods", lines=METHODS))
    sections += [_stamp(part) for part in gathered.runs]
    models = list(dict.fromkeys(one_line(part.run.specification.model, 80) for part in gathered.runs))
    return Report(f"How far is {', '.join(models)} a generalist?", made, tuple(sections))


def _overview(parts: Sequence[RunPart]) -> Section:
    rows: list[tuple[Cell, ...]] = []
    any_early = any(early_mark(part.run) for part in parts)
    for part in parts:
        result = part.card.document
        counts, level, certified = result["instances"], result["level"], result["certified"]
        rows.append(
            (
                result["run"],
                result["model"],
                result["suite"],
                _level(certified and certified["verdict"]),
                *([early_head(found) if (found := decision_of(result)) and not is_completed(result) else None] if any_early else []),
                _level(level and level["verdict"]),
                level["levels"]["2"] if level else None,
                counts["total"],
                counts["failed"] + counts["pending"],
                result["usage"]["usd"],
            )
        )
    columns = [
        "run",
        "model",
        "suite",
        "certified",
        *(["decided early"] if any_early else []),
        "paper's rule",
        ">Level 2 score.2",
        ">instances",
        ">without outcome",
        ">US$.4",
    ]
    return Section("The runs", tables=(table("What was measured", columns, rows),))


def _comparisons(gathered: Gathered) -> Iterator[Section]:
    first = gathered.runs[0].run
    for part, found in zip(gathered.runs[1:], gathered.comparisons, strict=True):
        title = f"{first.run_id} beside {part.run.run_id}"
        if isinstance(found, str):
            yield Section(title, level=3, lines=(f"Not compared: {found}",))
            continue
        early = biased(early_mark(first), early_mark(part.run))
        yield Section(
            title,
            level=3,
            lines=(
                *([f"{early}."] if early else []),
                f"Differences are {one_line(found.model_a, 80)} ({found.run_a}) minus {one_line(found.model_b, 80)} ({found.run_b}),"
                f" on the instances that both have answered or refused; intervals at {100 * (1 - found.alpha):g} %.",
            ),
            tables=(_compared_scores(found), _compared_tasks(found)),
        )


def _compared_scores(found: sc.CompareResponse) -> Table:
    rows = [
        (score.name.replace("_", " "), score.tasks, *_difference(score.difference), score.difference.smallest_detectable or None)
        for score in (*found.levels, *found.modalities)
    ]
    columns = ["score", ">tasks", ">first.2", ">second.2", ">difference.2", "interval", ">p", ">smallest detectable.2"]
    return table("Levels and modalities, over the compared tasks alone", columns, rows)


def _compared_tasks(found: sc.CompareResponse) -> Table:
    told = sorted(
        (task for task in found.tasks if task.HasField("difference")),
        key=lambda task: (task.p_adjusted if task.HasField("p_adjusted") else 1.0, task.task.key),
    )
    rows = [
        (task.task.name, task.shared, *_difference(task.difference)[:-1], task.p_adjusted if task.HasField("p_adjusted") else None)
        for task in told[:SHOWN]
    ]
    columns = ["task", ">instances", ">first.2", ">second.2", ">difference.2", "interval", ">p, adjusted"]
    return table(f"The {len(rows)} tasks that differ most surely, of {len(found.tasks)}", columns, rows)


def _difference(found: sc.Difference) -> tuple[Cell, Cell, Cell, Cell, Cell]:
    ends = span((found.interval.lower, found.interval.upper)) if found.HasField("interval") else "–"
    p = found.p_value if found.HasField("p_value") else None
    return found.score_a, found.score_b, found.difference, ends, p


def _of_run(part: RunPart, *, apart: bool) -> Iterator[Section]:
    card, level = part.card, 3 if apart else 2
    result = card.document
    if apart:
        yield Section(one_line(f"{result['model']} on {result['suite']} (run {result['run']})"))
    yield Section("Verdict", level, lines=_verdict_lines(card), card=card, figures=_drawn(levels_figure(card), places_figure(card)))
    if card.early is not None:
        tables = (card.early.tasks,) if card.early.tasks.rows else ()
        yield Section(card.early.title, level, lines=tuple(map(_sentence, card.early.lines)), tables=tables, folded=bool(tables))
    if (contested := contested_figure(card)) is not None:
        wins, misses = card.wins, card.misses
        counted = f"{len(wins)} tasks are won by points, {len(misses)} are not"
        told = f"{counted}. Intervals are at {100 * (1 - result['certified']['alpha']):g} %, each for its task alone."
        shown = replace(contested, table=contested_table([*wins[:WINS_SHOWN], *misses[:NEAR]]))
        yield Section("Wins and near misses", level, lines=(told,), figures=(shown,))
    yield Section("Strengths and weaknesses", level, tables=_strengths(card), figures=_drawn(synergy_figure(card)))
    if part.examples or part.failures:
        yield Section(
            "Examples of what went wrong", level, lines=_failure_lines(part), tables=_failures(part), examples=tuple(part.examples)
        )
    yield Section("Cost", level, lines=tuple(_cost_lines(result)))
    if card.given_away:
        yield Section("What guessing scores", level, tables=(baselines_table(card.given_away),), folded=True)
    yield Section("All tasks", level, tables=(tasks_table(card.tasks),), folded=True)


def _drawn(*figures: Figure | None) -> tuple[Figure, ...]:
    return tuple(figure for figure in figures if figure is not None)


def _verdict_lines(card: Card) -> tuple[str, ...]:
    """What the parts of a card say, as sentences."""
    result = card.document
    counts = result["instances"]
    outcomes = ("answered", "refused", "unparsable", "failed", "unsupported", "pending")
    shown = ", ".join(f"{counts[name]:,} {name}" for name in outcomes if counts[name])
    verdicts = (f"{part.of}: {part.head}. {capital(part.told)}" for part in card.verdicts)
    asked = f"{asked_told(counts['total'], result['repeats'])}: {shown}. The run is {result['status']}"
    return tuple(map(_sentence, (*verdicts, *card.details, asked, *(remark.told for remark in card.remarks))))


def _strengths(card: Card) -> tuple[Table, ...]:
    """By skill if the benchmark has some, else by task: the best and the worst."""
    if card.skills:
        ordered: list[Table] = [skills_table(card.skills[::-1][:SHOWN]), skills_table(card.skills[:SHOWN])]
        names = ("Skills nearest to the specialists, or before them", "Skills furthest behind the specialists")
        return tuple(replace(found, caption=name) for found, name in zip(ordered, names, strict=True))
    scored = sorted(
        (entry for entry in card.tasks if entry.scored["sigma"] is not None), key=lambda entry: (-entry.scored["sigma"], entry.key)
    )
    half = min(SHOWN, (len(scored) + 1) // 2)
    return tuple(
        table(
            caption,
            ["task", "of", "metric", ">instances", ">score.2", ">sigma.2"],
            [(one.name, one.place or "–", one.scored["metric"], one.scored["n"], one.scored["score"], one.scored["sigma"]) for one in some],
        )
        for caption, some in (("Strongest tasks", scored[:half]), ("Weakest tasks", scored[half:][::-1][:SHOWN]))
        if some
    )


def _failure_lines(part: RunPart) -> tuple[str, ...]:
    if not part.examples:
        return ()
    return ("Of each of the weakest tasks the answer with the lowest score. These are examples; how frequent they are is another thing.",)


def _failures(part: RunPart) -> tuple[Table, ...]:
    if not part.failures:
        return ()
    rows = [(failure.outcome, failure.reason or "not told", failure.answers, failure.example) for failure in part.failures]
    return (
        table("Why there is no answer that could be scored, the most frequent reasons", ["outcome", "why", ">answers", "such as"], rows),
    )


def _cost_lines(result: Document) -> Iterator[str]:
    usage = result["usage"]
    yield (
        f"{short(usage['input_tokens'])} tokens in, {short(usage['output_tokens'])} out:"
        f" {cost_told(usage['usd'], usage['most_usd'], usage['unknown_calls'])}."
    )
    if judging := result["judging"]:
        cost = cost_told(judging["usd"], judging["most_usd"], judging["unknown_calls"])
        yield f"Judged by {one_line(judging['judge'], 80)}: {judging['judged']:,} answers, {cost}."


def _stamp(part: RunPart) -> Section:
    code = json.dumps(part.card.document["stamp"], ensure_ascii=False, indent=2)
    told = "What the result rests on. `genlevel verify` computes it again from the answers and says whether it is the same."
    return Section(f"Stamp of run {part.card.document['run']}", lines=(told,), code=code)


def _sentence(line: str) -> str:
    """A line of a card as a sentence."""
    return line[:1].upper() + line[1:] + ("" if line.endswith(".") else ".")


def _level(verdict: int | None) -> str:
    return "no level" if verdict is None else f"Level {verdict}"

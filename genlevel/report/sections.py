"""A report as sections of lines, tables, pictures and examples, from which HTML and Markdown are written. Values in, values out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from genlevel.documents.verdict_words import certified_details, certified_line, point_line
from genlevel.documents.words import asked_told, cost_told, number, one_line, short, span
from genlevel.report.methods import METHODS
from genlevel.views.table import Cell, Table, table

if TYPE_CHECKING:
    from genlevel.report.gathering import Gathered, RunPart
    from genlevel.runtime.documents import Document
    from genlevel.v1 import scorer_pb2 as sc

GROUPS_SHOWN = 8
WINS_SHOWN = 40
NEAR = 20


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture as SVG within the page, and the table of its numbers."""

    svg: str
    table: Table


@dataclass(frozen=True, slots=True)
class Section:
    """level: of its heading, 2 or 3. lines: paragraphs. folded: its tables are long, so they are closed at first.

    examples: as scored_document, with a metric's score. code: printed as it is.
    """

    title: str
    level: int = 2
    lines: tuple[str, ...] = ()
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
    for part in parts:
        result = part.result
        counts, level, certified = result["instances"], result["level"], result["certified"]
        rows.append(
            (
                result["run"],
                result["model"],
                result["suite"],
                _level(certified and certified["verdict"]),
                _level(level and level["verdict"]),
                level["levels"]["2"] if level else None,
                counts["total"],
                counts["failed"] + counts["pending"],
                result["usage"]["usd"],
            )
        )
    columns = ["run", "model", "suite", "certified", "paper's rule", ">Level 2 score.2", ">instances", ">without outcome", ">US$.4"]
    return Section("The runs", tables=(table("What was measured", columns, rows),))


def _comparisons(gathered: Gathered) -> Iterator[Section]:
    first = gathered.runs[0].run
    for part, found in zip(gathered.runs[1:], gathered.comparisons, strict=True):
        title = f"{first.run_id} beside {part.run.run_id}"
        if isinstance(found, str):
            yield Section(title, level=3, lines=(f"Not compared: {found}",))
            continue
        yield Section(
            title,
            level=3,
            lines=(
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
        for task in told[:GROUPS_SHOWN]
    ]
    columns = ["task", ">instances", ">first.2", ">second.2", ">difference.2", "interval", ">p, adjusted"]
    return table(f"The {len(rows)} tasks that differ most surely, of {len(found.tasks)}", columns, rows)


def _difference(found: sc.Difference) -> tuple[Cell, Cell, Cell, Cell, Cell]:
    ends = span((found.interval.lower, found.interval.upper)) if found.HasField("interval") else "–"
    p = found.p_value if found.HasField("p_value") else None
    return found.score_a, found.score_b, found.difference, ends, p


def _of_run(part: RunPart, *, apart: bool) -> Iterator[Section]:
    from genlevel.report.figures import figures_of

    result = part.result
    level = 3 if apart else 2
    if apart:
        yield Section(one_line(f"{result['model']} on {result['suite']} (run {result['run']})"))
    yield Section(
        "Verdict", level, lines=(*_verdict_lines(result), *_coverage(result)), tables=(_levels(result),), figures=figures_of(part)
    )
    if contested := _wins(result):
        yield Section("Wins and near misses", level, tables=contested)
    yield Section("Strengths and weaknesses", level, lines=_strength_lines(part), tables=_groups(part))
    if part.examples or part.failures:
        yield Section(
            "Examples of what went wrong", level, lines=_failure_lines(part), tables=_failures(part), examples=tuple(part.examples)
        )
    yield Section("Cost", level, lines=tuple(_cost_lines(result)))
    yield Section("All tasks", level, tables=(_tasks(result),), folded=True)


def _verdict_lines(result: Document) -> Iterator[str]:
    referenced = result["level"]["references"] is not None
    yield _sentence(certified_line(result["certified"], result["certified_against_specialists"], referenced=referenced))
    yield _sentence(point_line(result["level"]))
    for line in certified_details(result["certified"], result["certified_against_specialists"], referenced=referenced):
        yield _sentence(line.strip())


def _coverage(result: Document) -> Iterator[str]:
    counts = result["instances"]
    shown = ", ".join(
        f"{counts[name]:,} {name}" for name in ("answered", "refused", "unparsable", "failed", "unsupported", "pending") if counts[name]
    )
    yield f"{asked_told(counts['total'], result['repeats'])} were asked: {shown}. The run is {result['status']}."
    if result["partial"]:
        yield "Partial: only a part of the benchmark was asked; the rest counts as 0 in the levels."
    if counts["failed"] or counts["pending"]:
        yield "Incomplete: tasks with failed or pending instances have bounds instead of a score, and the levels are lower bounds."


def _levels(result: Document) -> Table:
    points, certified, against = result["level"]["levels"], result["certified"], result["certified_against_specialists"]
    caption = f"Levels; intervals at {100 * (1 - certified['alpha']):g} %"
    rows: list[tuple[Cell, ...]] = [
        (f"Level {name}", points[name], span(certified["levels"][name]["interval"]), certified["levels"][name]["status"])
        for name in sorted(points)
    ]
    if result["level"]["references"] is None:  # there is nothing to win against, so the others are 0 by definition
        return table(caption, ["level", ">paper's score.2", "interval", "certified"], rows[:1])
    told = [(*row, against["levels"][name]["status"]) for row, name in zip(rows, sorted(points), strict=True)]
    columns = ["level", ">paper's score.2", "interval", "certified, above published scores", "certified, against specialists"]
    return table(caption, columns, told)


def _wins(result: Document) -> tuple[Table, ...]:
    """Wins, the surest first, then losses, the nearest to their references first. Empty if nothing has a reference."""
    entries = [entry for entry in result["certified"]["tasks"] if entry["reference"] is not None]
    scores = {entry["key"]: entry for entry in result["tasks"]}
    won = [entry for entry in entries if (scores.get(entry["key"]) or {}).get("win")]
    won.sort(key=lambda entry: (entry["win"] != "attained", 1.0 if entry["p_win_adjusted"] is None else entry["p_win_adjusted"]))
    lost = [entry for entry in entries if (scores.get(entry["key"]) or {}).get("win") is False]
    lost.sort(key=lambda entry: _gap(scores[entry["key"]]))
    columns = ["task", ">score.2", ">± s.e..2", ">reference.2", "interval", "certified", ">p, adjusted"]
    return tuple(
        table(caption, columns, [_win_row(scores[entry["key"]], entry) for entry in some])
        for caption, some in (
            (_some("Tasks whose score is at least the published one", len(won), WINS_SHOWN), won[:WINS_SHOWN]),
            (_some("Tasks that came nearest", len(lost), NEAR), lost[:NEAR]),
        )
        if some
    )


def _gap(entry: Document) -> float:
    """How far a score is from its reference, in parts of the reference."""
    return float(abs(entry["score"] - entry["reference"]) / max(abs(entry["reference"]), 1e-9))


def _win_row(score: Document, entry: Document) -> tuple[Cell, ...]:
    ends = span(entry["interval"]) if entry["interval"] else "–"
    why = entry["win"] if not entry["obstacle"] else f"not certified: {entry['obstacle']}"
    return entry["task"], score["score"], score["stderr"] or None, entry["reference"], ends, why, entry["p_win_adjusted"]


def _strength_lines(part: RunPart) -> tuple[str, ...]:
    what = "skills" if part.by == "skill" else "tasks"
    asked = sum(1 for group in part.groups if group["asked"])
    return (f"By mean sigma (a score mapped to 0–100) of what was asked: {asked} of {len(part.groups)} {what}.",)


def _groups(part: RunPart) -> tuple[Table, ...]:
    asked = sorted(
        (group for group in part.groups if group["mean_sigma_asked"] is not None),
        key=lambda group: (-group["mean_sigma_asked"], group["id"]),
    )
    shown = min(GROUPS_SHOWN, (len(asked) + 1) // 2)
    name = part.by
    columns = [name, "modality", "paradigm", ">tasks asked", ">wins", ">mean sigma.2"]
    return tuple(
        table(
            caption,
            columns,
            [
                (group[name], group["modality"], group["paradigm"] or "–", group["asked"], group["wins"], group["mean_sigma_asked"])
                for group in some
            ],
        )
        for caption, some in (("Strongest", asked[:shown]), ("Weakest", asked[shown:][::-1][:shown]))
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


def _tasks(result: Document) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for entry in result["tasks"]:
        bounds = entry["bounds"]
        score = entry["score"] if entry["score"] is not None else span(bounds) if bounds else None
        counts = entry["instances"]
        open_, wrong = counts["failed"] + counts["pending"], counts["refused"] + counts["unparsable"]
        note = "; ".join(text for text in (entry["note"], *entry["remarks"]) if text)
        won = {True: "yes", False: "no", None: "–"}[entry["win"]]
        shown = number(score) if isinstance(score, float) else score
        rows.append(
            (entry["task"], entry["metric"] or "–", entry["n"], shown, entry["stderr"] or None, entry["reference"], won, wrong, open_, note)
        )
    columns = [
        "task", "metric", ">instances", ">score", ">± s.e..2", ">reference.2", "win", ">refused or unreadable", ">without outcome", "note",
    ]  # fmt: skip
    return table(f"All {len(rows)} tasks that were asked", columns, rows)


def _stamp(part: RunPart) -> Section:
    code = json.dumps(part.result["stamp"], ensure_ascii=False, indent=2)
    told = "What the result rests on. `genlevel verify` computes it again from the answers and says whether it is the same."
    return Section(f"Stamp of run {part.result['run']}", lines=(told,), code=code)


def _some(caption: str, there: int, shown: int) -> str:
    return f"{caption}: {there}" if there <= shown else f"{caption}: {shown} of {there}, the surest or nearest first"


def _sentence(line: str) -> str:
    """A line of a card as a sentence."""
    return line[:1].upper() + line[1:] + ("" if line.endswith(".") else ".")


def _level(verdict: int | None) -> str:
    return "no level" if verdict is None else f"Level {verdict}"

"""The level card and the other tables that commands print for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from genlevel.cli.progress import short

_MODALITIES = ("image", "video", "audio", "3d")
_MEANING = {
    2: "a generalist without evidence of synergy",
    3: "beats specialists in comprehension or generation",
    4: "beats specialists in both comprehension and generation of one modality",
    5: "beats specialists in both comprehension and generation of one modality, and in language",
}


def console() -> Console:
    """Where tables go: stdout, plain where it is no terminal. Names are shown as they are, never as markup."""
    plain = Console(markup=False, highlight=False, emoji=False)
    return plain if plain.is_terminal else Console(width=160, markup=False, highlight=False, emoji=False)


def table(*columns: str) -> Table:
    """A table in the house style. A column whose name begins with ">" is aligned to the right."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        made.add_column(column.removeprefix(">"), justify="right" if column.startswith(">") else "left", overflow="fold")
    return made


def number(value: float | None, digits: int = 2) -> str:
    """A value for a person; a dash where there is none. One that so few digits would show as next to nothing has three that count."""
    if value is None:
        return "-"
    value += 0.0  # 0 without a sign
    return f"{value:.3g}" if 0 < abs(value) < 10 ** (1 - digits) else f"{value:.{digits}f}"


def signed(value: float) -> str:
    """A difference for a person."""
    return f"{'+' if value >= 0 else ''}{number(value)}"


def print_card(document: dict[str, Any], places: dict[str, str]) -> None:
    """A run's level card: verdict, levels, tasks, and what to make of it."""
    out = console()
    out.print()
    out.print(Text(f"{document['model']} on {document['suite']}", style="bold"))
    _print_state(out, document)
    if document["level"] is None:
        out.print("No task has been scored yet.")
        return
    referenced = has_references(document["benchmark"], [entry["reference"] for entry in document["tasks"]])
    print_levels(out, document["level"], referenced=referenced)
    print_certified(out, document["certified"], referenced=referenced)
    if document["partial"]:
        out.print("Over the tasks that were asked, alone:")
        print_levels(out, document["level_asked"], verdict=False, referenced=referenced)
    print_tasks(out, document["tasks"])
    for name, place in places.items():
        out.print(f"{name + ':':9}{place}", soft_wrap=True)


def metric_name(entry: dict[str, Any]) -> str:
    """A task's metric, with its variant where it is not the usual one."""
    variant = entry.get("variant")
    return f"{entry['metric']} ({variant})" if variant else entry["metric"] or "-"


def print_tasks(out: Console, entries: list[dict[str, Any]]) -> None:
    """A row a task, and below them why some have no score."""
    tasks = table("task", "metric", ">n", ">score", ">± s.e.", ">reference", "win")
    for entry in entries:
        bounds = entry["bounds"]
        score = number(entry["score"])
        if entry["score"] is None and bounds:
            score = f"{number(bounds[0])} to {number(bounds[1])}"
        win = {True: "yes", False: "no", None: "-"}[entry["win"]]
        error = number(entry["stderr"] or None)  # one of 0, where all answers are alike, is no precision
        tasks.add_row(entry["task"].strip(), metric_name(entry), str(entry["n"]), score, error, number(entry["reference"]), win)
    out.print(tasks)
    for entry in entries:
        if entry.get("note"):
            out.print(f"  {entry['task'].strip()}: {entry['note']}")
        if entry.get("provenance"):
            out.print(f"  {entry['task'].strip()}: measured with {entry['provenance']}")
        if entry.get("ratings"):
            out.print(f"  {entry['task'].strip()}: {_rated(entry['ratings'])}")


def _rated(ratings: dict[str, Any]) -> str:
    """Who rated a task's answers, and how far judge and people agree, in one line."""
    by = f"{ratings['judge']} (prompt {ratings['prompt_version']})" if ratings["by"] == "judge" else "people"
    waiting = "".join(f", {ratings[key]:,} {said}" for key, said in (("failed", "failed"), ("pending", "not yet")) if ratings[key])
    line = f"{ratings['rated']:,} answers rated by {by}{waiting}"
    found = ratings["agreement"]
    if found is None:
        return line
    side = "above" if found["mean_difference"] >= 0 else "below"
    correlations = f"Pearson {number(found['pearson'])}, Kendall {number(found['kendall'])}"
    return f"{line}; judge and people on {found['n']:,}: {correlations}, the judge {abs(found['mean_difference']):.2f} {side}"


def _print_state(out: Console, document: dict[str, Any]) -> None:
    counts = document["instances"]
    shown = ", ".join(
        f"{counts[name]:,} {name}" for name in ("answered", "refused", "unparsable", "failed", "unsupported", "pending") if counts[name]
    )
    usage = document["usage"]
    cost = _cost(usage["usd"], usage["unknown_costs"])
    status = document["status"] + (f" ({document['reason']})" if document["reason"] else "")
    out.print(f"run {document['run']}: {status}; {counts['total']:,} instances: {shown}")
    out.print(f"{short(usage['input_tokens'])} tokens in, {short(usage['output_tokens'])} out; {cost}")
    if judging := document.get("judging"):
        cost = _cost(judging["usd"], judging["unknown_costs"])
        failed = f", failed on {judging['failed']:,}" if judging["failed"] else ""
        tokens = f"{short(judging['input_tokens'])} tokens in, {short(judging['output_tokens'])} out"
        out.print(f"judge {judging['judge']}: {judging['judged']:,} answers rated{failed}; {tokens}; {cost}")
    print_coverage(out, partial=document["partial"], incomplete=bool(counts["failed"] or counts["pending"]))


def print_coverage(out: Console, *, partial: bool, incomplete: bool) -> None:
    """What of a run's benchmark its levels do not rest on."""
    if partial:
        out.print("Partial: only a part of the benchmark was asked; what was not asked counts as 0 below.")
    if incomplete:
        out.print("Incomplete: tasks with failed or pending instances have no score yet, only bounds; levels are lower bounds.")


def _cost(usd: float | None, unknown: int = 0) -> str:
    """What a run has cost, for a person. unknown: answers of which nobody knows it."""
    if usd is None:
        return "cost unknown (no price, or no word of what was used)" if unknown else "cost unknown (no price)"
    return f"at least ${usd:.4f} (the cost of {unknown:,} answers is unknown)" if unknown else f"${usd:.4f}"


def has_references(benchmark: str, asked: Sequence[float | None]) -> bool:
    """Whether there are specialists to win against; asked: the references of the tasks asked, which decide for a suite of one's own."""
    from genlevel.benchmark.suites import load_benchmark

    known = load_benchmark(benchmark)
    return any(one is not None for one in (asked if known is None else (task.reference_workbook for task in known.tasks)))


def print_levels(out: Console, level: dict[str, Any], *, verdict: bool = True, referenced: bool = True) -> None:
    """Overall levels and each modality's. referenced: whether there is anything to win against; all but Level 2 rests on that."""

    def won(value: float, text: str) -> str:
        return text if referenced or value else "-"

    def scores(entry: dict[str, Any]) -> list[str]:
        return [number(entry["2"]), *(won(entry[key], number(entry[key])) for key in ("3", "4"))]

    if verdict:
        reached = level["verdict"]
        text = "no level reached" if reached is None else f"Level {reached}: {_MEANING[reached]}"
        out.print(Text(text, style="bold green" if reached else "bold"))
    rows = table("", ">Level 2", ">Level 3", ">Level 4", ">supported", ">wins", ">tasks")
    for modality in _MODALITIES:
        entry = level["modalities"].get(modality)
        if entry and entry["tasks"]:
            rows.add_row(modality, *scores(entry), str(entry["supported"]), won(entry["wins"], str(entry["wins"])), str(entry["tasks"]))
    language = level["language"]
    if language["tasks"]:
        counts = (str(language["supported"]), won(language["wins"], str(language["wins"])), str(language["tasks"]))
        weight = won(language["w_L"], f"{language['w_L']:.4f}")
        rows.add_row(f"language (w_L {weight})", "", "", "", *counts)
    levels = level["levels"]
    rows.add_row("overall", *scores(levels), "", "", "", style="bold")
    out.print(rows)
    references = level["references"] if referenced else "none, so no task can be won"
    out.print(f"Level 5 score: {won(levels['5'], format(levels['5'], '.2f'))}   rules: {level['rules']}, references: {references}")


def print_certified(out: Console, certified: dict[str, Any], *, referenced: bool = True) -> None:
    """What of the verdict is certain, in one line, and what would decide the rest. referenced: as of ``print_levels``."""
    reached = certified["verdict"]
    verdict = "no level" if reached is None else f"Level {reached}"
    wins = (
        f"{certified['certified_wins']} certified wins, {certified['discovered_wins']} at a false discovery rate of {certified['alpha']:g}"
    )
    out.print(f"certified (error at most {certified['alpha']:g}): {verdict}; {wins if referenced else 'no references to win against'}")
    for level, entry in certified["levels"].items():
        if entry["status"] == "undecided" and (referenced or level == "2"):
            more = f": about {entry['needed']:,} more instances would decide" if entry["needed"] else ""
            out.print(f"  Level {level} is undecided{more}; its score lies within {entry['interval'][0]:.2f} to {entry['interval'][1]:.2f}")


def print_plan(plan: dict[str, Any]) -> None:
    """What ``--dry-run`` shows."""
    out = console()
    rows = table("task", "metric", ">instances", ">tokens in (est.)", ">tokens out (at most)", ">US$ (at most about)")

    def add(name: str, metric: str, entry: dict[str, Any], style: str = "") -> None:
        tokens = (f"{entry[key]:,}" for key in ("instances", "input_tokens", "max_output_tokens"))
        rows.add_row(name, metric, *tokens, number(entry["usd"], 4), style=style)

    for task in plan["tasks"]:
        add(task["task"].strip(), task["metric"] or "-", task)
    add("total", "", plan, "bold")
    out.print(rows)
    if judging := plan["judging"]:
        tokens = f"{judging['input_tokens']:,} tokens in (est.), {judging['max_output_tokens']:,} out (at most)"
        cost = "cost unknown (no price)" if judging["usd"] is None else f"US$ {judging['usd']:.4f}"
        out.print(f"judge {judging['judge']}: {judging['answers']:,} answers, {tokens}, {cost}")
    out.print(f"run {plan['run']} on {plan['benchmark']}; nothing was called")
    if plan["usd"] is None:
        out.print("The model has no price: its cost is unknown, not zero.")
    if not plan["model"]["ready"]:
        out.print(f"The model cannot be called yet: {plan['model']['problem']}")
    for task in plan["tasks"]:
        if task["note"]:
            out.print(f"note: {task['task'].strip()}: {task['note']}")
    for problem in plan["problems"]:
        out.print(f"note: {problem}")

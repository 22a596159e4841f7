"""The level card: a run's or a workbook's verdict, levels, certificate and tasks, for people."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from genlevel.benchmark.model import GENERAL_BENCH
from genlevel.cli.printing import console, table
from genlevel.documents.decision_words import decision_of, early_head, early_lines, early_title, early_told, is_completed, is_in_part
from genlevel.documents.runs import has_no_answer, unscored_answers
from genlevel.documents.verdict_words import certified_details, certified_line, merged_parts, plan_line, point_line
from genlevel.documents.words import asked_told, cost_told, harmless, number, short

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from genlevel.runtime.documents import Document

_MODALITIES = ("image", "video", "audio", "3d")


def print_card(document: Document, places: dict[str, str]) -> None:
    """A run's level card: verdict, levels, tasks, and what to make of it."""
    out = console()
    out.print()
    out.print(harmless(f"{document['model']} on {document['suite']}"), style="bold")
    _print_state(out, document)
    print_early(out, document)
    if has_no_answer(document):
        out.print("No call succeeded: there is nothing to score.")
        return
    counts = document["instances"]
    print_coverage(out, partial=document["partial"], incomplete=bool(counts["failed"] or counts["pending"]))
    if document["level"] is None:
        out.print("No task has been scored yet.")
        return
    if unscored := unscored_answers(document):
        later = "" if document["status"] == "running" else f": `genlevel rescore {document['run']}` scores them"
        out.print(f"{unscored:,} answers are not scored yet{later}")
    print_verdict(out, document)
    if line := plan_line(document):
        out.print(line)
    if parts := merged_parts(document):
        out.print(f"merged from {', '.join(parts)}")
    if document["partial"] and not is_in_part(document):
        out.print("Over the asked tasks alone:")
        print_levels(out, document["level_asked"], own=is_own(document))
    print_tasks(out, document["tasks"], decision_of(document))
    for name, place in places.items():
        out.print(f"{name + ':':9}{place}", soft_wrap=True)


def print_early(out: Console, document: Document) -> None:
    """What was decided before all of a run was asked: its head, then what it rests on. Nothing without a decision."""
    decision = decision_of(document)
    if decision is None:
        return
    title = early_title(document)
    head = title if is_completed(document) else f"{title}: {early_head(decision)} ({early_told(decision)})"
    out.print(head, style="bold", soft_wrap=True)
    for line in early_lines(document):
        out.print(f"  {harmless(line)}", soft_wrap=True)


def print_verdict(out: Console, document: Document) -> None:
    """The verdict of a run or of predictions: its head, levels, and what is certain of them."""
    level, certified, against = document["level"], document["certified"], document["certified_against_specialists"]
    print_head(out, level, certified, against, in_part=is_in_part(document))
    print_levels(out, level, own=is_own(document))
    print_certified(out, certified, against, referenced=level["references"] is not None)


def metric_name(entry: Document) -> str:
    """A task's metric, with its variant if it is not the usual one."""
    variant = entry.get("variant")
    return f"{entry['metric']} ({variant})" if variant else entry["metric"] or "-"


def print_tasks(out: Console, entries: list[Document], decision: Document | None = None) -> None:
    """A row a task, and below them why some have no score. decision: what was decided of them before all was asked."""
    decided = {entry["key"]: entry for entry in decision["tasks"]} if decision else {}
    unasked = [entry for entry in entries if decided and _is_unasked(entry)]
    entries = [entry for entry in entries if not (decided and _is_unasked(entry))]
    given_away = any(entry.get("best_constant") is not None for entry in entries)
    varying = any(entry.get("variation") for entry in entries)
    further = [*([">chance / constant"] if given_away else []), *([">answers vary"] if varying else [])]
    further += ["decided early", ">asked for it"] if decided else []
    tasks = table("task", "metric", ">n", ">score", ">± s.e.", ">reference", "win", *further)
    for entry in entries:
        bounds = entry["bounds"]
        score = number(entry["score"])
        if entry["score"] is None and bounds:
            score = f"{number(bounds[0])} to {number(bounds[1])}"
        win = {True: "yes", False: "no", None: "-"}[entry["win"]]
        error = number(entry["stderr"] or None)  # 0 if all answers are alike, which says nothing of precision
        constant = [f"{number(entry['chance'])} / {number(entry['best_constant'])}" if entry.get("best_constant") is not None else "-"]
        varies = [_varies(entry["variation"]) if entry.get("variation") else "-"]
        told = [str(entry["n"]), score, error, number(entry["reference"]), win]
        told += [*(constant if given_away else []), *(varies if varying else []), *(_decided(decided, entry["key"]) if decided else [])]
        tasks.add_row(entry["task"].strip(), metric_name(entry), *told)
    if entries or not unasked:
        out.print(tasks)
    if unasked:
        out.print(_unasked_told(unasked, decided), soft_wrap=True)
    for entry in entries:
        if entry.get("note") and not (decided and _is_as_decided(entry)):
            out.print(f"  {entry['task'].strip()}: {entry['note']}")
        for remark in entry.get("remarks", []):
            out.print(f"  {entry['task'].strip()}: {remark}")
        if entry.get("provenance"):
            out.print(f"  {entry['task'].strip()}: measured with {entry['provenance']}")
        if entry.get("ratings"):
            out.print(f"  {entry['task'].strip()}: {_rated(entry['ratings'])}")


def _is_unasked(entry: Document) -> bool:
    """Whether no instance of a task has an outcome."""
    return bool(entry["instances"]["pending"] == entry["instances"]["total"])


def _is_as_decided(entry: Document) -> bool:
    """Whether the note of a task says no more than that a part of it was asked, as its row does."""
    return bool(entry["note"].startswith("incomplete: ") and entry["instances"]["pending"] and not entry["instances"]["failed"])


def _unasked_told(entries: list[Document], decided: Mapping[str, Document]) -> str:
    """How many tasks of which nothing was asked there are, by what was decided of them."""
    counts = Counter(decided[entry["key"]]["state"] if entry["key"] in decided else "not told" for entry in entries)
    told = ", ".join(f"{count:,} {state}" for state, count in counts.most_common())
    return f"Nothing was asked of {len(entries):,} task{'' if len(entries) == 1 else 's'}: {told}"


def _decided(decided: Mapping[str, Document], key: str) -> tuple[str, str]:
    """What was decided of a task, and how much of it was asked for that."""
    entry = decided.get(key)
    return ("-", "-") if entry is None else (entry["state"], f"{entry['asked']:,} of {entry['total']:,}")


def _varies(variation: Document) -> str:
    """How many instances have answers that do not score alike, and the standard deviation within instances."""
    deviation = variation["deviation"]
    return f"{100 * variation['differing']:.1f} %" + ("" if deviation is None else f", s.d. {number(deviation)}")


def _rated(ratings: Document) -> str:
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


def _print_state(out: Console, document: Document) -> None:
    counts = document["instances"]
    shown = ", ".join(
        f"{counts[name]:,} {name}" for name in ("answered", "refused", "unparsable", "failed", "unsupported", "pending") if counts[name]
    )
    usage = document["usage"]
    cost = cost_told(usage["usd"], usage["most_usd"], usage["unknown_calls"])
    status = document["status"] + (f" ({document['reason']})" if document["reason"] else "")
    out.print(f"run {document['run']}: {status}; {asked_told(counts['total'], document['repeats'])}: {shown}")
    out.print(f"{short(usage['input_tokens'])} tokens in, {short(usage['output_tokens'])} out; {cost}")
    if judging := document.get("judging"):
        cost = cost_told(judging["usd"], judging["most_usd"], judging["unknown_calls"])
        failed = f", failed on {judging['failed']:,}" if judging["failed"] else ""
        tokens = f"{short(judging['input_tokens'])} tokens in, {short(judging['output_tokens'])} out"
        out.print(f"judge {judging['judge']}: {judging['judged']:,} answers rated{failed}; {tokens}; {cost}")


def print_coverage(out: Console, *, partial: bool, incomplete: bool) -> None:
    """What the levels of a run do not count."""
    if partial:
        out.print("Partial: only a part of the benchmark was asked; the rest counts as 0 below.")
    if incomplete:
        out.print("Incomplete: tasks with failed or pending instances have bounds instead of a score; levels are lower bounds.")


def is_own(document: Document) -> bool:
    """Whether a result is of a suite that is its own benchmark, with references of its own if any."""
    return bool(document["benchmark"] != GENERAL_BENCH)


def print_levels(out: Console, level: Document, *, own: bool = False) -> None:
    """Overall levels and each modality's; dashes if there is nothing to win against, which all levels but 2 need. own: as of ``is_own``."""
    referenced = level["references"] is not None

    def won(value: float, text: str) -> str:
        return text if referenced or value else "-"

    def scores(entry: Document) -> list[str]:
        return [number(entry["2"]), *(won(entry[key], number(entry[key])) for key in ("3", "4"))]

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
    references = ("the suite's own" if own else level["references"]) if referenced else "none, so no task can be won"
    out.print(f"Level 5 score: {won(levels['5'], format(levels['5'], '.2f'))}   rules: {level['rules']}, references: {references}")


def print_head(out: Console, level: Document, certified: Document | None, against: Document | None, *, in_part: bool = False) -> None:
    """The certified verdict, and below it the paper's by points.

    certified, against: the two readings; None if neither was drawn. in_part: as of ``point_line``.
    """
    if certified is not None and against is not None:
        line = certified_line(certified, against, referenced=level["references"] is not None)
        line = f"of what was asked alone, {line}" if in_part else line
        reached = max(certified["verdict"] or 0, against["verdict"] or 0)
        out.print(line, style="bold green" if reached >= 3 else "bold", soft_wrap=True)
    out.print(point_line(level, in_part=in_part), soft_wrap=True)


def print_certified(out: Console, certified: Document, against: Document, *, referenced: bool = True) -> None:
    """What is certain beside the levels: wins, and what would decide the rest. referenced: whether there is anything to win against."""
    for line in certified_details(certified, against, referenced=referenced):
        out.print(line, soft_wrap=True)

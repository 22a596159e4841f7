"""How single answers are printed for people: all that models and datasets say is cut and made harmless."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from genlevel.cli.answers import NOT_KEPT
from genlevel.cli.printing import number, one_line, say

if TYPE_CHECKING:
    from genlevel.runtime.documents import Document


def name_of(entry: Mapping[str, object]) -> str:
    """Task and id of an answer, and which answer of the instance it is if it is not the plain one."""
    which = ", ".join(f"{name} {entry[name]}" for name in ("variant", "repeat", "shuffle") if entry.get(name))
    return one_line(f"{entry['task']}/{entry['id']}" + (f" ({which})" if which else ""))


def value_text(value: object, options: list[str]) -> str:
    """A label, or an answer that was read: a letter with its option, texts as they are, all else as JSON."""
    if isinstance(value, list) and value and all(isinstance(part, str) for part in value):
        return " | ".join(value)
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    number_of = ord(value) - ord("A") if len(value) == 1 else -1
    return f"{value} ({options[number_of]})" if 0 <= number_of < len(options) else value


def read_text(entry: Document) -> str:
    """What was read in an answer, or why nothing was."""
    if entry["parsed"] is not None:
        return value_text(entry["parsed"], entry["options"]) + (" (cut)" if entry["parsed_cut"] else "")
    if entry["outcome"] != "answered":
        return "nothing" + (f": {entry['error']}" if entry["error"] else "")
    return "nothing yet" if entry["why"] == "not scored yet" else NOT_KEPT


def label_text(entry: Document) -> str:
    """The label; why there is none to show."""
    if entry["label"] is None:
        return "not known (the suite is no longer where it was)" if entry["prompt"] is None else "none (closed set)"
    return value_text(entry["label"], entry["options"])


def score_text(score: float | None, why: str) -> str:
    """A score and what it means."""
    return why if score is None else f"{number(score)}: {why}"


def print_wrong(entry: Document) -> None:
    """An answer that is not right, in a few lines."""
    told = one_line(entry["why"]) if entry["outcome"] == "answered" else entry["outcome"]
    say(f"\n{name_of(entry)}: {number(entry['score'])}, {told}")
    say(f"  read:   {one_line(read_text(entry))}")
    say(f"  label:  {one_line(label_text(entry))}")
    if entry["outcome"] == "unparsable" and entry["answer"].strip():
        say(f"  answer: {one_line(entry['answer'].strip().splitlines()[0])}")


def print_instances(entries: list[Document]) -> None:
    """All that is known of one instance: an entry for each of its answers."""
    for entry in entries:
        _print_whole(entry)


def _print_whole(entry: Document) -> None:
    """All that is known of an answer."""
    say(f"{name_of(entry)}: {entry['outcome']}" + (f" ({entry['error']})" if entry["error"] else ""))
    cost = "cost unknown" if entry["usd"] is None else f"${entry['usd']:.6f}"
    tokens = f"{entry['input_tokens']} tokens in, {entry['output_tokens']} out"
    say(f"attempts {entry['attempts']}, {tokens}, {entry['upstream_s']:.2f} s, {cost}")
    for path in entry["media"]:
        say(f"media: {path}")
    say(f"\n--- asked\n{entry['prompt'] or '(the suite is no longer where it was)'}")
    say("\n--- answered")
    for file in entry["files"]:
        say(f"file: {file['path']}" if "path" in file else f"file: {file['sha256']} in the blob store, {file['bytes']:,} bytes")
    if entry["answer"] or not entry["files"]:
        say(entry["answer"])
    say(f"\n--- read\n{read_text(entry)}")
    say(f"\n--- label\n{json.dumps(entry['label'], ensure_ascii=False)}")
    say(f"\n--- score\n{score_text(entry['score'], entry['why'])}\n")
    for rating in entry["ratings"]:
        by = f"{rating['judge']} (prompt {rating['prompt_version']})" if rating["judge"] else rating["rater"]
        given = f"{rating['rating']:g}" if rating["rating"] is not None else rating["error"] or "not yet"
        say(f"rated by {by}: {given}")

"""How single answers are printed for people: all that models and datasets say is cut and made harmless."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from genlevel.cli.printing import say
from genlevel.documents.answer_words import label_text, name_of, read_text, score_text
from genlevel.documents.words import number, one_line

if TYPE_CHECKING:
    from genlevel.runtime.documents import Document


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

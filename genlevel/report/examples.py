"""A wrong answer as a report shows it: short texts, whatever a model wrote."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from genlevel.documents.answer_words import label_text, name_of, read_text, score_text
from genlevel.documents.words import harmless
from genlevel.runtime.shown import cut

if TYPE_CHECKING:
    from genlevel.runtime.documents import Document

LONGEST = 600


def example_of(entry: Document) -> Sequence[tuple[str, str]]:
    """What is told of it, by name: the texts are harmless and at most 600 characters long."""
    told = [
        ("instance", name_of(entry)),
        ("asked", entry["prompt"] or "(the suite is no longer where it was)"),
        ("media", ", ".join(path.rpartition("/")[2] for path in entry["media"])),
        ("answered", entry["answer"] or ("a file" if entry["files"] else "")),
        ("read", read_text(entry)),
        ("label", label_text(entry)),
        ("score", score_text(entry["score"], entry["why"])),
    ]
    return [(name, cut(harmless(text.strip()), LONGEST)) for name, text in told if text]

"""A run's name, tags and notes: what people call it and say of it. None of them is part of what it asks, nor of its stamp.

A name may be given to several runs; it then means none of them. Who names or tags a run ``keep`` keeps it from being deleted by its age.
"""

from __future__ import annotations

import re

from evaluator.journal.descriptions import Description
from genlevel.runtime.errors import UsageError
from genlevel.runtime.shown import quoted
from genlevel.v1 import evaluator_pb2 as ev

LONGEST_NAME = 200
LONGEST_NOTES = 10_000
LONGEST_TAG = 50
MOST_TAGS = 50
KEEP = "keep"
"""The tag of a run that is not deleted by its age."""

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def described(before: Description, request: ev.DescribeRunRequest) -> Description:
    """What becomes of a description. Raises UsageError for what it cannot have.

    >>> described(Description("first", ("a",)), ev.DescribeRunRequest(name="", add_tags=["b"], remove_tags=["a"]))
    Description(name='', tags=('b',), notes='')
    """
    name = _name(request.name) if request.HasField("name") else before.name
    notes = _notes(request.notes) if request.HasField("notes") else before.notes
    removed = set(request.remove_tags)
    tags = dict.fromkeys([*(tag for tag in before.tags if tag not in removed), *map(_tag, request.add_tags)])
    if len(tags) > MOST_TAGS:
        raise UsageError(f"a run has at most {MOST_TAGS} tags, and this one would have {len(tags)}")
    return Description(name, tuple(tags), notes)


def _name(text: str) -> str:
    text = text.strip()
    if len(text) > LONGEST_NAME or not text.isprintable():
        raise UsageError(f"the name {quoted(text)} is no name of a run: take one line of at most {LONGEST_NAME} characters")
    return text


def _notes(text: str) -> str:
    if len(text) > LONGEST_NOTES:
        raise UsageError(f"the notes have {len(text):,} characters; take at most {LONGEST_NOTES:,}")
    if found := _CONTROLS.search(text.replace("\r\n", "\n")):
        raise UsageError(f"the notes have the character {found[0]!r}, which cannot be shown; leave it out")
    return text.replace("\r\n", "\n")


def _tag(text: str) -> str:
    if not 0 < len(text) <= LONGEST_TAG or not text.isprintable() or " " in text or "," in text:
        raise UsageError(f"{quoted(text)} is no tag: take one word of at most {LONGEST_TAG} characters, without a comma")
    return text

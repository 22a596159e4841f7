"""Reads code: the fenced block that was asked for, else all of the text."""

from __future__ import annotations

import re

from scorer.parsers.text import everything_after_marker
from scorer.parsers.values import Unparsable

# A language stands alone on the fence's line: "```x = 1```" has none.
_OPENING = re.compile(r"[ \t]*([\w+#.-]*)[ \t]*\r?\n")
_FENCE = "```"
# What is shown beside the code rather than being it: how it is run, and what it prints.
_BESIDE = frozenset(("bash", "sh", "shell", "console", "terminal", "text", "txt", "plaintext", "output", "stdout", "none"))


def parse_code(text: str) -> str | Unparsable:
    """The only fenced block (the one after "Answer:" if there is a marker); without fences, all of the text.

    A block of shell commands or output beside another one does not count. A block that is never closed goes to the end, as at a token
    limit. Several different blocks are not an answer. Line breaks around the code fall away, its indentation stays.

    >>> parse_code("Here you are:\\n```python\\ndef f(x):\\n    return x\\n```\\nIt returns x.")
    'def f(x):\\n    return x'
    """
    marked = everything_after_marker(text)
    if marked is not None and text[: len(text) - len(marked)].count(_FENCE) % 2:
        marked = None  # it stands in the code itself
    for part in (text,) if marked is None else (marked, text):
        blocks = _blocks(part)
        code = [block for language, block in blocks if language not in _BESIDE] or [block for _language, block in blocks]
        if code and all(block == code[0] for block in code):
            return code[0]
        if code:
            return code[0] if part is marked else Unparsable(f"it has {len(code)} different blocks of code")
    head, colon, rest = text.partition(":")
    plain = (rest if colon and head.strip("*_# ").casefold() in ("answer", "final answer", "code") else text).strip("\r\n")
    return plain if plain.strip().strip("`") else Unparsable("there is no code in it")


def _blocks(text: str) -> list[tuple[str, str]]:
    """(language, code) of the fenced blocks that hold any."""
    pieces = text.split(_FENCE)
    blocks = []
    for piece in pieces[1::2]:
        opening = _OPENING.match(piece)
        language, code = (opening[1].casefold(), piece[opening.end() :]) if opening is not None else ("", piece)
        if code.strip():
            blocks.append((language, code.rstrip().strip("\r\n")))
    return blocks

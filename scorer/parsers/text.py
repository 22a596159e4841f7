"""What all parsers share: the visible part of an answer, answer markers, code fences, quotes, normal forms."""

from __future__ import annotations

import re
import unicodedata

MAX_CHARACTERS = 400_000
"""Longer answers are read up to here: no answer is longer, and hostile ones must not cost minutes."""

_TAGS = "think|thinking|thought|reasoning|reflection|scratchpad"
_REASONING_TAG = re.compile(rf"<(/?)(?:{_TAGS})>", re.IGNORECASE)
# "Answer:", "**Final answer:**", "Answer**: "; the ideographic forms are Chinese and Japanese answers'.
_MARKER = re.compile(r"(?:(?<![^\W_])answer[*_]{0,3}\s{0,3}[:：]|答案[是为為]?\s?[:：]?|答え[は]?\s?[:：])[*_]{0,3}", re.IGNORECASE)
_BOXED = re.compile(r"\\boxed\s?\{")
_FENCE = re.compile(r"```[\w+-]*[ \t]*\n?(.*?)```", re.DOTALL)
_QUOTES = {'"': '"', "'": "'", "“": "”", "‘": "’", "«": "»", "「": "」", "`": "`"}
_SURROUNDING = re.compile(r"^[\W_]+|[\W_]+$")
_SPACES = re.compile(r"\s+")


def visible_text(raw: str) -> str:
    """The answer without reasoning in tags, trimmed. An unclosed tag hides the rest, an unopened one what precedes it.

    >>> visible_text("<think>Rome? No.</think> Paris")
    'Paris'
    """
    text = raw[-MAX_CHARACTERS:]
    kept: list[str] = []
    position, hidden = 0, False
    for tag in _REASONING_TAG.finditer(text):
        if tag.group(1):
            if not hidden:
                kept.clear()
            position, hidden = tag.end(), False
        elif not hidden:
            kept.append(text[position : tag.start()])
            hidden = True
    if not hidden:
        kept.append(text[position:])
    return "".join(kept).strip()


def last_match(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    """The last place where the pattern matches."""
    found = None
    for match in pattern.finditer(text):
        found = match
    return found


def after_marker(text: str) -> str | None:
    """The first line with content after the last "Answer:" (or inside the last \\boxed{}); None without either.

    >>> after_marker("Two and two.\\nAnswer: four\\nBecause they add up.")
    'four'
    """
    marker, boxed = last_match(_MARKER, text), last_match(_BOXED, text)
    if boxed is not None and (marker is None or boxed.start() > marker.start()):
        return _braced(text, boxed.end())
    if marker is None:
        return None
    rest = text[marker.end() :].strip()
    return rest if rest.startswith("```") else rest.split("\n", 1)[0].strip()


def everything_after_marker(text: str) -> str | None:
    """All text after the last "Answer:", for answers of several lines; None without a marker."""
    marker = last_match(_MARKER, text)
    return None if marker is None else text[marker.end() :].strip()


def without_wrapping(text: str) -> str:
    """Trimmed of one code fence, of emphasis marks and of one pair of quotes around all of it.

    >>> without_wrapping("**'Solution A'**")
    'Solution A'
    """
    text = text.strip()
    fenced = _FENCE.fullmatch(text)
    if fenced is not None:
        text = fenced.group(1).strip()
    for mark in ("**", "__", "*"):
        if len(text) > 2 * len(mark) and text.startswith(mark) and text.endswith(mark) and mark not in text[len(mark) : -len(mark)]:
            text = text[len(mark) : -len(mark)].strip()
    closing = _QUOTES.get(text[:1])
    if closing is not None and len(text) > 1 and text.endswith(closing) and closing not in text[1:-1]:
        text = text[1:-1].strip()
    return text


def fenced_blocks(text: str) -> list[str]:
    """The contents of the code fences in order."""
    return [block.strip() for block in _FENCE.findall(text)]


def normal_text(text: str) -> str:
    """NFKC, case folded, white space collapsed, surrounding punctuation dropped: how labels are compared.

    Text that is nothing but punctuation stays as it is.

    >>> normal_text("  The Ｃat. ")
    'the cat'
    """
    folded = _SPACES.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()
    return _SURROUNDING.sub("", folded) or folded


def _braced(text: str, start: int) -> str:
    depth = 1
    for position in range(start, min(len(text), start + 2_000)):
        depth += {"{": 1, "}": -1}.get(text[position], 0)
        if depth == 0:
            return re.sub(r"^\\(?:text|mathrm|textbf)\s?\{(.*)\}$", r"\1", text[start:position].strip())
    return text[start : start + 2_000].split("\n", 1)[0].strip()

"""Reads a label whose options are not known: the name that an answer states, with what a model says around it taken off."""

from __future__ import annotations

import re

from scorer.parsers.languages import WHY, any_of
from scorer.parsers.refusals import gives_up
from scorer.parsers.text import without_wrapping
from scorer.parsers.values import Unparsable
from scorer.parsers.words import parse_short_text

_KEY = re.compile(
    r"^(?:(?:the|my|predicted|final|correct|most\slikely|best|main|primary|image|object|dominant)\s){0,3}"
    r"(?:categor(?:y|ies)|class(?:ification)?|label|prediction|result|brand|make|species|type|genre|style|artist|painter|author|emotion|sentiment|name|object|"
    rf"identification|recognition|classification\sresult|choice|verdict|conclusion|类别|類別|标签|標籤|分类|分類|品牌|名称|名稱|catégorie|categoría|kategorie|categoria|категория|{any_of('answer')})(?:\s(?:name|label))?\s?[:：=]\s*(?=\S)",
    re.IGNORECASE,
)
_BOLD = re.compile(r"\*\*([^*\n]{1,80})\*\*|__([^_\n]{1,80})__")
_BULLET = re.compile(r"^(?:[-–—>#]+\s+|\*\s+|[•‣→⇒➜▶👉✅✓✔]\ufe0f?\s*)")
# "The painting is by X.", "This looks like a X", "It's X": one sentence whose end is a name.
_SENTENCE = re.compile(
    r"^(?:(?:so|thus|therefore|hence|based\son\s[^,.]{1,80}|in\sthis\simage|here|sure|certainly|of\scourse)\b[,!.]?\s+)?"
    r"(?:(?:I\s(?:think|believe|would\ssay)\s(?:that\s)?)?(?:(?:the|this|that)\s(?:[\w'’-]{1,20}\s){0,8}?|it\s?|this\s|that\s)"
    r"(?:is|['’]s|was|appears\sto\sbe|seems\sto\sbe|looks\slike|belongs\sto|shows|depicts):?"
    r"|I\s(?:would\s)?(?:identify|classify|label|recogni[sz]e|see)(?:\sthis|\sit)?(?:\sas)?)\s"
    r"(?:(?:most\slikely|probably|clearly|definitely)\s)?(?:painted\s|created\s|made\s|drawn\s|classified\s|labell?ed\s|called\s)?(?:by\s|as\s|from\s|of\s)?(?:an?\s|the\s)?"
    r"(?P<name>[^.!?\n]{1,60})[.!]?$",
    re.IGNORECASE,
)
_IS_RIGHT = re.compile(
    r"^([^.!?\n]{1,60}?)\sis\s(?:the|my)\s(?:(?:most|very|final|right|correct|best|likely|appropriate)\s){0,3}(?:answer|label|class|category|choice)[.!]?$",
    re.IGNORECASE,
)
_REFUSES = re.compile(r"\W*(?:sorry|unfortunately|I|I['’]m|we|it|as\san)\b", re.IGNORECASE)
_NO_NAME = re.compile(
    r"\b(?:not|no|or|either|neither|because|that|which|but|if|unclear|unknown|difficult|hard|impossible|cannot|possible)\b|n['’]t\b",
    re.IGNORECASE,
)
_EXPLANATION = re.compile(rf"\s[-–—]\s|\s\((?=[^()]{{0,200}}\)?[.\s]*$)|,?\s(?={WHY}\b)", re.IGNORECASE)
_VERB = re.compile(r"\b(?:is|are|was|were|has|have|can|do|does)\b", re.IGNORECASE)
_MOST_WORDS = 6
_LISTED = 3
"""From so many lines on that are names, none of them is the label."""


def parse_name(text: str) -> str | Unparsable:
    """What follows the last "Answer:" or "The answer is"; else a line "Category: X"; else the only emphasis; else a short first or last
    line with explanations around it; else what one sentence says it is; else all of the text.

    >>> parse_name("**Land Rover**\\nIt has a green oval.")
    'Land Rover'
    >>> parse_name("The painting is by Claude Monet.")
    'Claude Monet'
    """
    read = parse_short_text(text)
    if isinstance(read, Unparsable):
        return read
    if gives_up(text):
        return Unparsable("it says that there is no answer") if _REFUSES.match(text) is not None else read
    if read != without_wrapping(text):
        return _name(read) or read
    lines = [_BULLET.sub("", line.strip(), count=1) for line in text.splitlines() if line.strip()]
    keyed = [line[key.end() :] for line in map(_plain, lines) if (key := _KEY.match(line)) is not None]
    if keyed:
        return _name(keyed[0]) or read
    bold = {(found[1] or found[2]).strip(" .:") for found in _BOLD.finditer(text)}
    if len(bold) == 1 and (len(lines) == 1 or _BOLD.match(lines[0]) or _BOLD.match(lines[-1])) and _is_short(only := bold.pop()):
        return only
    if len(lines) > 1:
        if len({_name(line).casefold() for line in lines}) > 1 and len(lines) >= _LISTED and all(_is_name(_plain(line)) for line in lines):
            return Unparsable("it is a list of names")
        return next((_name(line) for line in (lines[0], lines[-1]) if _is_name(_plain(line))), read) or read
    return _name(lines[0]) or read if lines else read


def _name(line: str) -> str:
    """A line as a name: less emphasis, a sentence around it and an explanation behind it; "" if nothing is left."""
    line = _plain(line)
    right = _IS_RIGHT.match(line)
    if right is not None:
        return without_wrapping(right[1])
    sentence = _SENTENCE.match(line)
    if sentence is not None and _NO_NAME.search(line) is None:
        line = sentence["name"]
    explanation = _EXPLANATION.search(line)
    if explanation is not None and _is_short(head := line[: explanation.start()]) and _VERB.search(head) is None:
        line = head
    return without_wrapping(line[:-1] if line.endswith(".") and line.count(".") == 1 and _is_short(line) else line)


def _plain(line: str) -> str:
    return line.replace("**", "").replace("__", "").strip(" \t*`")


def _is_name(line: str) -> bool:
    return _is_short(line) and not line.endswith(":") and _VERB.search(line) is None


def _is_short(line: str) -> bool:
    return 0 < len(line.split()) <= _MOST_WORDS

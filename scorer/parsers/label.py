"""Reads a label: the option that an answer settles on, in whatever words, or without options the name that it states."""

from __future__ import annotations

import re
from collections.abc import Sequence

from scorer.parsers.deciding import WRONG, decided, is_meant, one, turns
from scorer.parsers.echo import without_echo
from scorer.parsers.free_label import parse_name
from scorer.parsers.languages import WHY, word_set
from scorer.parsers.markup import without_markup
from scorer.parsers.naming import MOST_CHARACTERS, Mention, Names, Words, ends_clause
from scorer.parsers.refusals import gives_up
from scorer.parsers.text import statements, without_wrapping
from scorer.parsers.values import Unparsable

NAMES_NONE = "it names none of the options"
_BULLET = re.compile(r"^(?:[-–—>#]+\s+|\*\s+|[•‣→⇒➜▶👉✅✓✔]\ufe0f?\s*|\(?\d{1,2}[.)]\s+)")
_EMPHASIS = re.compile(r"\*{1,3}|(?<!\w)_{1,3}(?=\S)|(?<=\S)_{1,3}(?!\w)|`|\$")
# What may end a name and begin an explanation.
_END_OF_NAME = re.compile(rf"[,;:.!(\[：，。；！（]|\s[-–—=]+>?\s|\s(?={WHY}\b)", re.IGNORECASE)
_KEY = re.compile(r"^[^:：\n]{1,60}[:：]\s*(?=\S)")
# What is named besides the answer: "Alternative: X", "Secondary emotion: X".
_SECOND = re.compile(
    r"\W*(?:alternatives?|secondary|second|others?|runner[- ]up|background|less\slikely|not)\b[^:\n]{0,30}:\s*\S", re.IGNORECASE
)
_UNDECIDED = word_set("maybe unknown unclear uncertain undecided")
_MOST_NAMES = 12
_PASSED_OVER = word_set("a an the")
_NEXT_TO = 6
_FAR = 24


def parse_label(text: str, options: Sequence[str]) -> str | Unparsable:
    """The option that the text settles on, as it is written among the options; without options what ``parse_name`` reads.

    Looked for, in this order: the last "Answer: X", "\\\\boxed{X}" or "the answer is X"; the whole text or one of its lines being an
    option, alone, behind a key ("Category: X") or before an explanation; sentences that state one option ("The painting is by X."); the
    only option that is named at all. Denied ones and those in questions do not count. Several that stay possible are unparsable.

    >>> parse_label("**Land Rover**\\nIt has a green oval.", ["Rover", "Land Rover"])
    'Land Rover'
    >>> parse_label("It's not a cat.", ["cat", "dog"])
    Unparsable(reason='it names none of the options')
    """
    options = tuple(option for option in options if option.strip())
    text = without_markup(text, tags=not any("<" in option for option in options)).strip()
    if not options:
        return parse_name(text)
    text = without_echo(text, options, lettered=False).strip()
    names = Names(options)
    whole = names.of_text(without_wrapping(text))
    if whole:
        return one(whole) if not text.endswith(("?", "？")) or text in whole else Unparsable("it asks rather than answers")
    for _start, stated, firm in statements(text):
        read = _read(stated, names)
        if read is not None:
            return read
        if firm and stated:
            return Unparsable(_refused(stated) or NAMES_NONE)
    lines = [line for line in text.splitlines() if line.strip() and _SECOND.match(line) is None]
    read_lines = [named for line in lines if (named := _of_line(line, names)) is not None]
    if read_lines:
        problem = next((named for named in read_lines if isinstance(named, Unparsable)), None)
        return problem or one({named for named in read_lines if isinstance(named, str)})
    return decided(text, names) or Unparsable(_refused(text) or NAMES_NONE)


def _refused(text: str) -> str:
    return "it says that there is no answer" if gives_up(text) else ""


def _read(stated: str, names: Names) -> str | Unparsable | None:
    """What follows an answer marker as an option; None if it is none."""
    return _of_line(stated, names) or decided(stated, names)


def _of_line(line: str, names: Names) -> str | Unparsable | None:
    """A line that is an option, alone, behind a key, or before an explanation that does not take it back."""
    line = without_wrapping(_BULLET.sub("", without_wrapping(line), count=1))
    read = _with_explanation(line, names)
    if read is None:
        key = _KEY.match(line)
        read = _with_explanation(line[key.end() :], names) if key is not None else None
    return read


def _with_explanation(line: str, names: Names) -> str | Unparsable | None:
    line = _EMPHASIS.sub("", line).strip()
    if line.startswith("{"):
        return None
    ends = [len(line), *(end.start() for _, end in zip(range(_MOST_NAMES), _END_OF_NAME.finditer(line), strict=False))]
    for end in sorted(ends, reverse=True):
        found = names.of_text(without_wrapping(line[:end])) if line[:end].strip() else set()
        if found:
            return _unless_taken_back(one(found), line[end:], names)
    return None


def _unless_taken_back(read: str | Unparsable, rest: str, names: Names) -> str | Unparsable:
    """The option, unless what follows denies it, names another one beside it or puts another one in its place."""
    if isinstance(read, Unparsable) or not rest.strip():
        return read
    words = Words.of(rest[:MOST_CHARACTERS])
    said = words.said
    content = [word for word in said[:4] if not ends_clause(word)]
    mentions = list(names.mentions(words))
    of_another = bool(mentions) and mentions[0].option != read and mentions[0].start < _NEXT_TO
    if "?" in said[:1] or (content and content[0] in WRONG and not of_another):
        return Unparsable(f"it takes {read} back")
    if read.casefold() not in _UNDECIDED and gives_up(rest.lstrip(" ,.;:-–—(")):
        return Unparsable("it says that there is no answer")
    beside = {read}
    for mention in mentions:
        if mention.option == read or not is_meant(said, mention):
            continue
        if turns(said[max(0, mention.start - _FAR) : mention.start]):
            read, beside = mention.option, {mention.option}
        elif _is_beside(said, mention):
            beside.add(mention.option)
    return one(beside)


def _is_beside(said: Sequence[str], mention: Mention) -> bool:
    """Whether an option is named at once behind another one, or behind "or"."""
    before = [word for word in said[max(0, mention.start - _NEXT_TO) : mention.start] if word not in _PASSED_OVER and not ends_clause(word)]
    if mention.start < _NEXT_TO and before in ([], ["and"]):
        return mention.end == len(said) or ends_clause(said[mention.end]) or said[mention.end] in {"and", "or"}
    return "or" in before

"""Multiple choice: the options an item offers, wherever they stand, and its label as one letter, whatever form it has."""

from __future__ import annotations

import ast
import re
import string

from genlevel.benchmark.labels import LabelKinds, text_of
from genlevel.benchmark.texts import normal_text

LETTERS = string.ascii_uppercase

_EMBEDDED = re.compile(
    r"\b(?:the\s)?candidate\s+(?:choices|answers|options)\s+are\s*:?\s*(?P<list>\[.*\])\s*\.?\s*$", re.IGNORECASE | re.DOTALL
)
_LETTER = re.compile(r"(?:option|choice|answer)?\s*[(\[]?\s*(?P<letter>[A-Za-z])\s*[)\]]?\s*[.:]?", re.IGNORECASE)
_LETTERED = re.compile(r"\s*[(\[]?(?P<letter>[A-Za-z])[)\].:]\s*(?P<text>\S.*)", re.DOTALL)
_MARK = re.compile(r"(?:(?<=\s)|^)[(\[]?(?P<letter>[A-Z])[)\].:]\s+(?=\S)")
_LONGEST_LIST = 20_000


def embedded_options(question: str) -> tuple[str, tuple[str, ...]]:
    """Splits "... The candidate choices are ['x', 'y']." into the question and its options; no options if it has none."""
    match = _EMBEDDED.search(question[-_LONGEST_LIST:]) if "[" in question else None
    if match is None:
        return question, ()
    options = _parse_list(match["list"])
    if len(options) < 2:
        return question, ()
    start = max(len(question) - _LONGEST_LIST, 0) + match.start()
    return question[:start].rstrip(), options


def lettered_options(question: str) -> tuple[str, tuple[str, ...]]:
    """Splits "Which one? (A) same (B) other" into the question and its options; no options if it does not end with such a list.

    The letters go from A without a gap, each on a line of its own or not; text on a line below the last option belongs to no option.
    """
    end = question[-_LONGEST_LIST:].rstrip()
    marks: list[re.Match[str]] = []
    for mark in _MARK.finditer(end):
        if mark["letter"] == "A":
            marks = [mark]
        elif len(marks) < len(LETTERS) and mark["letter"] == LETTERS[len(marks)]:
            marks.append(mark)
    ends = [*(mark.start() for mark in marks[1:]), len(end)]
    options = tuple(end[mark.end() : after].strip().rstrip(",;") for mark, after in zip(marks, ends, strict=False))
    if len(options) < 2 or not all(options) or "\n" in options[-1]:
        return question, ()
    start = max(len(question) - _LONGEST_LIST, 0) + marks[0].start()
    return question[:start].rstrip(), options


def _parse_list(written: str) -> tuple[str, ...]:
    try:
        parsed = ast.literal_eval(written)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        # Quotes inside an option ("children's") that the list does not escape.
        inner = written.strip()[1:-1].strip()
        if inner[:1] not in "'\"" or inner[-1:] != inner[:1]:
            return ()
        parsed = re.split(r"(?<=['\"]),\s*(?=['\"])", inner)
        parsed = [part.strip()[1:-1] for part in parsed]
    if not isinstance(parsed, list) or any(isinstance(part, list | dict | set | tuple) for part in parsed):
        return ()
    return tuple(text_of(part).strip() for part in parsed)


def listed_options(value: object) -> tuple[str, ...]:
    """The options of an item's `options` field: a list, a mapping by letter, or lines. Letters before them are taken off."""
    match value:
        case list():
            texts = [part.strip() if isinstance(part, str) else text_of(_option(part)).strip() for part in value]
        case dict():
            keys = sorted(value) if all(isinstance(key, str) and len(key) == 1 for key in value) else list(value)
            texts = [text_of(value[key]).strip() for key in keys]
        case str():
            texts = [line.strip() for line in value.splitlines() if line.strip()]
        case _:
            return ()
    return _without_letters(texts)


def _option(part: object) -> object:
    if isinstance(part, dict):
        return next((part[key] for key in ("text", "content", "option", "value") if key in part), part)
    return part


def _without_letters(texts: list[str]) -> tuple[str, ...]:
    lettered = []
    for text, letter in zip(texts, LETTERS, strict=False):
        match = _LETTERED.fullmatch(text)
        if match is None or match["letter"].upper() != letter:
            break
        lettered.append(match["text"].strip())
    return tuple(lettered if len(lettered) == len(texts) else texts)


def to_letter(label: object, options: tuple[str, ...], kinds: LabelKinds) -> str:
    """The letter of a choice label. Raises ValueError saying why there is none.

    label: "B", "(B)", "B. text", the option's text, or its index (kinds tells whether the task counts from 0 or 1).
    """
    if isinstance(label, list):
        letters = {to_letter(part, options, kinds) for part in label}
        if len(letters) != 1:
            raise ValueError(f"{len(letters)} options are marked right; one is expected")
        return letters.pop()
    if len(options) > len(LETTERS):
        raise ValueError(f"{len(options)} options; at most {len(LETTERS)} have letters")
    text = text_of(label).strip()
    letter = _as_letter(text, options)
    if letter and not all(len(normal_text(option)) == 1 for option in options):
        return letter
    same = [position for position, option in enumerate(options) if option.strip() == text]
    if not same:
        normal = normal_text(text)
        same = [position for position, option in enumerate(options) if normal_text(option) == normal]
    if letter and not same:
        return letter
    if len(same) == 1:
        return LETTERS[same[0]]
    if len(same) > 1:
        raise ValueError(f"label {text[:60]!r} is the text of {len(same)} options")
    if isinstance(label, int) and not isinstance(label, bool):
        return _by_index(label, options, kinds)
    raise ValueError(f"label {text[:60]!r} is not one of the {len(options)} options" if options else f"label {text[:60]!r} is not a letter")


def _as_letter(text: str, options: tuple[str, ...]) -> str:
    if match := _LETTER.fullmatch(text):
        letter = match["letter"].upper()
        return letter if not options or LETTERS.index(letter) < len(options) else ""
    if (match := _LETTERED.fullmatch(text)) and options:
        position = LETTERS.index(match["letter"].upper())
        if position < len(options) and normal_text(options[position]) == normal_text(match["text"]):
            return LETTERS[position]
    return ""


def _by_index(label: int, options: tuple[str, ...], kinds: LabelKinds) -> str:
    if kinds.lowest_index == 0 and not kinds.beyond_options:
        position = label
    elif kinds.beyond_options and kinds.lowest_index >= 1:
        position = label - 1
    else:
        raise ValueError(f"label {label} is an index, but the file does not show whether it counts from 0 or from 1")
    if not 0 <= position < len(options):
        raise ValueError(f"label {label} is an index outside the {len(options)} options")
    return LETTERS[position]

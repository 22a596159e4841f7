"""Splitting a text into the items it lists: label sets, entities, relations, tuples, even if its brackets are broken.

Labels and answers are split by the same rules, so the scorer uses this for what a model writes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

from genlevel.benchmark.labels import text_of

_SEPARATORS = " \t\r\n,;.|()[]"
_BRACKET = re.compile(r"[()]")
_NAME_AND_KIND = re.compile(r"\s*(?P<name>[^()\n]*)(?P<kind>\([^()]*\))?")


@dataclass(frozen=True, slots=True)
class ItemsRead:
    """items: in order, spaces collapsed. unreadable: pieces of text that are not items.

    unbalanced: whether the text's round brackets do not match.
    """

    items: list[str]
    unreadable: int = 0
    unbalanced: bool = False


def read_items(value: object) -> ItemsRead:
    """The items of a label: a list (each entry one item), a JSON text, or a text that lists them.

    Texts: relations "(a (T) => r => b (T))", tuples "(a, b), (c, d)" (items "a, b" and "c, d"), else parts between "<p>", newlines or ", ".
    """
    read = listed_items(value)
    return ItemsRead(list(dict.fromkeys(read.items)), read.unreadable, read.unbalanced)


def listed_items(value: object) -> ItemsRead:
    """The same with the repeats that an answer has."""
    if isinstance(value, str):
        return _read_text(value)
    if isinstance(value, list):
        return ItemsRead(_tidy(_entry(part) for part in value))
    if isinstance(value, dict):
        lists = [part for part in value.values() if isinstance(part, list)]
        if len(lists) == len(value) == 1:
            return listed_items(lists[0])
        named = ((key, part) for key, parts in value.items() for part in (parts if isinstance(parts, list) else [parts]))
        return ItemsRead(_tidy(f"{key}: {_entry(part)}" for key, part in named))
    return ItemsRead(_tidy([text_of(value)]))


def _entry(part: object) -> str:
    """One entry of a structure as an item: a tuple or an object is its values, joined by ", "."""
    match part:
        case list():
            return ", ".join(text for inner in part if (text := _entry(inner)))
        case dict():
            return _entry(list(part.values()))
        case _:
            return text_of(part)


def _tidy(texts: Iterable[str]) -> list[str]:
    return [item for text in texts if (item := " ".join(text.split()))]


def _read_text(text: str) -> ItemsRead:
    stripped = text.strip()
    if stripped[:1] in ("[", "{"):
        try:
            parsed = json.loads(stripped)
        except (ValueError, RecursionError):
            parsed = None
        if isinstance(parsed, list | dict):
            return listed_items(parsed)
    unbalanced = not _balanced(stripped)
    if "=>" in stripped:
        return _read_relations(stripped, unbalanced)
    if stripped.startswith("("):
        return _read_tuples(stripped, unbalanced)
    separator = r"<p>" if "<p>" in stripped else r"\n|,\s+"
    return ItemsRead(_tidy(part.strip(" ,") for part in re.split(separator, stripped)), unbalanced=unbalanced)


def _balanced(text: str) -> bool:
    depth = 0
    for bracket in _BRACKET.findall(text):
        depth += 1 if bracket == "(" else -1
        if depth < 0:
            return False
    return depth == 0


def _read_relations(text: str, unbalanced: bool) -> ItemsRead:
    """Relations "(head => relation => tail)", cut at the arrows so that missing brackets do not matter. Linear in the text."""
    parts = text.split("=>")
    items, unreadable = [], int(len(parts) % 2 == 0)
    head, left = _head(parts[0])
    unreadable += left
    for position in range(1, len(parts) - 1, 2):
        relation = parts[position].strip(_SEPARATORS)
        last = position + 2 >= len(parts)
        tail, rest = _tail(parts[position + 1], last)
        if head and relation and tail and "(" not in relation:
            items.append(f"{head} => {relation} => {tail}")
        else:
            unreadable += 1
        if last:
            unreadable += bool(rest.strip(_SEPARATORS))
        else:
            head, left = _head(rest)
            unreadable += left
    return ItemsRead(_tidy(items), unreadable, unbalanced)


def _head(text: str) -> tuple[str, bool]:
    """The entity that ends a text, with its "(TYPE)", and whether something unread stands before it."""
    text = text.rstrip()
    kind = ""
    if text.endswith(")"):
        opening = text.rfind("(")
        if opening < 0:
            return "", True
        kind, text = " " + text[opening:], text[:opening]
    start = max(text.rfind("("), text.rfind(")"), text.rfind("\n")) + 1
    name = text[start:].strip(_SEPARATORS + "*-")
    return (name + kind if name else ""), bool(text[:start].strip(_SEPARATORS))


def _tail(text: str, last: bool) -> tuple[str, str]:
    """The entity that begins a text, with its "(TYPE)", and what follows it."""
    match = _NAME_AND_KIND.match(text)
    assert match is not None
    name, kind, rest = match["name"].strip(), match["kind"] or "", text[match.end() :]
    if not last and not kind and not rest.strip():
        # Without brackets or types, "b, c" is the end of one relation and the start of the next.
        for separator in ("; ", ", "):
            if name.count(separator) == 1:
                name, rest = name.split(separator)
                break
    name = name.strip(_SEPARATORS)
    return (f"{name} {kind}".strip() if name else ""), rest


def _read_tuples(text: str, unbalanced: bool) -> ItemsRead:
    """Top-level groups "(...)"; what stands outside a closed group cannot be read."""
    items, unreadable, depth, start, outside = [], 0, 0, 0, 0
    for position, character in enumerate(text):
        if character == "(":
            if depth == 0:
                unreadable += bool(text[outside:position].strip(_SEPARATORS))
                start = position
            depth += 1
        elif character == ")" and depth > 0:
            depth -= 1
            if depth == 0:
                items.append(text[start : position + 1])
                outside = position + 1
    unreadable += bool(text[start if depth else outside :].strip(_SEPARATORS))
    return ItemsRead(_tidy(_even(item) for item in items), unreadable, unbalanced)


def _even(group: str) -> str:
    """(a,b) and ( a , b ) as a, b: like the same tuple in a structure."""
    return ", ".join(part.strip() for part in group[1:-1].split(","))

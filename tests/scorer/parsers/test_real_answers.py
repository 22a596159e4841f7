"""Answers of real models to published evaluations are read as these evaluations read them, and what was right there is right here.

The collection holds one JSON object a line: source, type (of the answer), options, raw, expected (what the source's own extraction read;
null: nothing) and gold (the right answer, null if the source has none).
"""

from __future__ import annotations

import gzip
import json
import math
import re
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from scorer.parsers import Unparsable, parse_answer

MOST_RIGHT_ONES_LOST = 0.02
MOST_READ_DIFFERENTLY = 0.01


@pytest.mark.full
def test_real_answers_are_read_as_their_evaluations_read_them(real_answers: Path) -> None:
    counts: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    with gzip.open(real_answers, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            counts[row["source"], row["type"]].update(outcomes(row))
    whole = sum(counts.values(), Counter())
    table = "\n".join([shown("source", "type", None), *(shown(*key, counts[key]) for key in sorted(counts)), shown("all", "", whole)])
    print(table)
    assert min(whole["read"], whole["right there"]) > 0, "there is nothing to compare with"
    assert whole["lost"] <= MOST_RIGHT_ONES_LOST * whole["right there"], f"right answers are lost\n{table}"
    assert whole["different"] <= MOST_READ_DIFFERENTLY * whole["read"], f"answers are read differently\n{table}"


def outcomes(row: dict[str, object]) -> set[str]:
    """What one answer counts as: read here and there, differently, right there, and lost (right there, not here)."""
    kind, expected, gold = str(row["type"]), row["expected"], row.get("gold")
    options = row["options"]
    read = parse_answer(kind, str(row["raw"]), options if isinstance(options, list) else ())  # type: ignore[arg-type]
    parsed = not isinstance(read, Unparsable)
    both = parsed and expected is not None
    right_there = gold is not None and expected is not None and is_same(kind, expected, gold)
    return {
        name
        for name, holds in {
            "n": True,
            "read": both,
            "different": both and not is_same(kind, read, expected),
            "right there": right_there,
            "lost": right_there and not (parsed and is_same(kind, read, gold)),
        }.items()
        if holds
    }


def is_same(kind: str, read: object, wanted: object) -> bool:
    if kind == "number":
        one, other = as_number(read), as_number(wanted)
        return one is not None and other is not None and math.isclose(one, other, rel_tol=1e-6, abs_tol=1e-9)
    if kind == "items":
        listed = wanted if isinstance(wanted, list) else [part for part in re.split(r"[\[\],'\"]+", str(wanted)) if part.strip()]
        return isinstance(read, list | tuple) and sorted(map(plain, read)) == sorted(map(plain, listed))
    return plain(read) == plain(wanted)


def as_number(value: object) -> float | None:
    top, _, bottom = str(value).strip().rstrip(".").lstrip("$").rstrip("%").replace(",", "").partition("/")
    try:
        return float(top) / float(bottom or 1)
    except (ValueError, ZeroDivisionError):
        return None


def plain(value: object) -> str:
    return re.sub(r"[\s\"'`*.$]+", " ", str(value)).strip().casefold()


def shown(source: str, kind: str, counts: Counter[str] | None) -> str:
    """One line of the table: source, type, answers, and in % the right ones lost and the readings that differ."""
    if counts is None:
        return f"{source:24} {kind:12} {'n':>6} {'lost %':>8} {'different %':>12}"
    lost, different = (100 * counts[part] / max(1, counts[all_]) for part, all_ in (("lost", "right there"), ("different", "read")))
    return f"{source:24} {kind:12} {counts['n']:6} {lost:8.2f} {different:12.2f}"


def test_what_counts_as_lost_and_as_different() -> None:
    right = {"type": "number", "options": None, "raw": "Answer: 5", "expected": "5", "gold": "5.0"}
    assert outcomes(right) == {"n", "read", "right there"}
    assert outcomes(right | {"raw": "5 or 6"}) == {"n", "right there", "lost"}
    assert outcomes(right | {"raw": "Answer: 6"}) == {"n", "read", "different", "right there", "lost"}
    assert outcomes(right | {"expected": "6"}) == {"n", "read", "different"}
    assert outcomes(right | {"expected": None}) == {"n"}
    assert outcomes({"type": "items", "options": None, "raw": "a, b", "expected": ["b", "a"], "gold": None}) == {"n", "read"}
    assert outcomes({"type": "choice", "options": ["x", "y"], "raw": "(B)", "expected": "B", "gold": "A"}) == {"n", "read"}

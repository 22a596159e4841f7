"""A small part of the fuzz that tests/performance/fuzz_parsers.py runs at full size."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest

from genlevel.benchmark.answer_kinds import KINDS, AnswerType, Shape
from scorer.parsers import parse_answer

FUZZ = runpy.run_path(str(Path(__file__).parents[2] / "performance" / "fuzz_parsers.py"), run_name="fuzz_parsers")


@pytest.mark.parametrize("kind", AnswerType)
def test_right_answers_are_read(kind: AnswerType) -> None:
    if KINDS[kind].shape is Shape.FILES:  # its answer is the files that come with it
        return
    for answer in FUZZ["EXAMPLES"]["right_answers"](kind):
        text = answer if isinstance(answer, str) else json.dumps(answer)
        assert FUZZ["check"](kind, text), (text, parse_answer(kind, text, FUZZ["OPTIONS"]))


@pytest.mark.parametrize("seed", [1, 2])
def test_no_answer_of_a_few_hundred_hostile_ones_breaks_a_parser(seed: int) -> None:
    assert FUZZ["fuzz"](250, seed, say=False) == []


def test_the_fuzz_notices_a_parser_that_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    def raising(*_: object) -> None:
        raise KeyError("a parser that breaks")

    monkeypatch.setitem(FUZZ["check"].__globals__, "parse_answer", raising)
    assert len(FUZZ["fuzz"](5, 1, say=False)) == 5

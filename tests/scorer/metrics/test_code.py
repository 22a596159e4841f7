"""CodeBLEU is that of the codebleu package, whose values are kept beside: it pins a parser that is older than the one used here."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from scorer.metrics import NotComparable, Question, create
from scorer.metrics.text.code import CodeBleu, language_of
from scorer.metrics.text.code_languages import LANGUAGES
from scorer.metrics.text.syntax_trees import data_flow, subtrees, syntax_tree

KEPT = json.loads((Path(__file__).parent / "codebleu_values.json").read_text("utf-8"))
CASES: list[tuple[str, str, str, list[float | None]]] = [tuple(case) for case in KEPT["cases"]]


def code(language: str, *references: str) -> Question:
    return Question("code", list(references), details={"language": language})


def parts(rows: list[tuple[str, Any]], metric: CodeBleu) -> list[float]:
    found = list(metric.parts(rows).values())
    # Without any data flow in the references the package writes 0 as the part, and counts 1.
    return [*found[:3], 0.0 if not sum(row[21] for _id, row in rows) else found[3]]


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_all_four_parts_are_those_of_the_package(language: str) -> None:
    metric = CodeBleu()
    cases = [case for case in CASES if case[0] == language]
    assert len(cases) == 12
    for _language, answer, reference, expected in cases:
        found = parts([("a", metric.statistic(answer, code(language, reference)))], metric)
        for value, known in zip(found, expected, strict=True):
            assert known is None or value == pytest.approx(known, abs=1e-9), (answer, reference)


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_a_corpus_scores_as_in_the_package(language: str) -> None:
    metric = create("code_bleu", {}, "official")
    assert isinstance(metric, CodeBleu)
    cases = [case for case in CASES if case[0] == language]
    rows = [(str(index), metric.statistic(case[1], code(language, case[2]))) for index, case in enumerate(cases)]
    *expected, whole = KEPT["corpora"][language]
    for value, known in zip(parts(rows, metric), expected, strict=True):
        assert known is None or value == pytest.approx(known, abs=1e-9)
    assert whole is None or metric.compute(rows).score == pytest.approx(100.0 * whole, abs=1e-7)


def test_most_of_the_kept_values_are_certain() -> None:
    assert sum(value is not None for case in CASES for value in case[3]) > 450
    assert sum(values[4] is not None for values in KEPT["corpora"].values()) >= 2


def test_data_flow_that_is_all_wrong_counts_as_nothing_but_in_the_official_variant() -> None:
    question = code("python", "def f(a):\n    b = a + 1\n    return b")
    for variant, expected in (("default", 0.0), ("official", 1.0)):
        metric = create("code_bleu", {}, variant)
        assert isinstance(metric, CodeBleu)
        assert metric.parts([("a", metric.statistic("pass", question))])["data_flow"] == expected


def test_names_and_comments_do_not_count_in_syntax_and_flow() -> None:
    one = syntax_tree("def f(a):\n    '''Adds one.'''\n    # surely\n    return a + 1", "python")
    other = syntax_tree("def g(b):\n    return b + 2", "python")
    known: dict[Any, int] = {}
    assert subtrees(one, known) == subtrees(other, known)
    assert subtrees(syntax_tree("def g(b):\n    return b - f(2)", "python"), known) != subtrees(one, known)
    flow = data_flow(syntax_tree("a = 1\nb = a\nc = b + a", "python"), "python")
    assert flow == data_flow(syntax_tree("x = 1 # one\ny = x\nz = y + x", "python"), "python")
    assert flow


def test_the_reference_that_suits_the_answer_best_counts_and_is_worth_all() -> None:
    metric = CodeBleu()
    reference, other = CASES[0][2], "def g(n):\n    while n:\n        n = n - 1\n    return n\n"
    question = code("python", other, reference)
    assert metric.compute([("a", metric.statistic(reference, question))]).score == pytest.approx(100.0)
    assert metric.compute([("a", metric.worst(question))]).score == 0.0


@pytest.mark.parametrize(
    ("name", "language"), [("Python", "python"), ("C++", "cpp"), ("c#", "c_sharp"), ("JS", "javascript"), ("golang", "go")]
)
def test_the_language_is_the_instances_own(name: str, language: str) -> None:
    assert language_of(code(name, "x"), ["x"]) == language
    with pytest.raises(NotComparable, match="COBOL"):
        language_of(code("COBOL", "x"), ["x"])


def test_a_language_that_is_not_named_is_the_one_that_reads_the_reference() -> None:
    for language, _answer, reference, _values in CASES[::12]:
        found = language_of(Question("code", [reference]), [reference])
        # C is C++ too, and many a C# method is a Java one.
        assert found == language or {found, language} in ({"c", "cpp"}, {"java", "c_sharp"})


def test_the_standard_error_is_about_that_of_a_bootstrap() -> None:
    metric = CodeBleu()
    rows = [(str(index), metric.statistic(case[1], code(case[0], case[2]))) for index, case in enumerate(CASES)]
    generator = random.Random(1)
    draws = [metric.compute([(str(index), generator.choice(rows)[1]) for index in range(len(rows))]).score for _draw in range(400)]
    mean = sum(draws) / len(draws)
    spread = (sum((draw - mean) ** 2 for draw in draws) / (len(draws) - 1)) ** 0.5
    assert metric.compute(rows).standard_error == pytest.approx(spread, rel=0.15)
    import numpy as np

    assert metric.weighted(rows)(np.ones(len(rows))) == pytest.approx(metric.compute(rows).score / 100.0)


@pytest.mark.parametrize(
    "text",
    ["(" * 60_000, "if a:\n b\n" * 8_000, "a+" * 40_000 + "a", "{" * 50_000, "\x00\ud800é", "", "for i in x:\n " * 40 + "y = 1"],
)
def test_hostile_code_ends_soon_and_without_an_error(text: str) -> None:
    metric = CodeBleu()
    row = metric.statistic(text, code("python", CASES[0][2]))
    assert 0.0 <= metric.compute([("a", row)]).score <= 100.0
    nested = "".join(" " * depth + f"for i{depth} in x:\n" for depth in range(40)) + " " * 40 + "y = i1\n"
    assert not data_flow(syntax_tree(nested, "python"), "python")

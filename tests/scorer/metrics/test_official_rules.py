"""The official variants of text metrics, so that published numbers can be met."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nltk.tokenize import NLTKWordTokenizer
from nltk.translate.bleu_score import sentence_bleu
from rouge_score.rouge_scorer import RougeScorer

from scorer.metrics import Question, create
from scorer.parsers import Parsed
from scorer.predictions.scoring import score_predictions

any_text = st.text(alphabet="abc AB éß今天.,'n't 1-", max_size=50)


def score(metric_id: str, answer: Parsed, question: Question, variant: str = "official", **parameters: str) -> object:
    metric = create(metric_id, parameters, variant)
    assert metric is not None
    return metric.statistic(answer, question)


@settings(max_examples=200)
@given(any_text, st.lists(any_text, min_size=1, max_size=3))
def test_rouge_is_that_of_rouge_score_on_any_text(answer: str, references: list[str]) -> None:
    expected = RougeScorer(["rouge1", "rougeL"], use_stemmer=True).score_multi(references, answer)
    question = Question("long_text", references)
    assert score("rouge_1", answer, question) == pytest.approx(expected["rouge1"].fmeasure, abs=1e-9)
    assert score("rouge_l", answer, question) == pytest.approx(expected["rougeL"].fmeasure, abs=1e-9)


@settings(max_examples=200)
@given(any_text, any_text)
def test_bleu_is_that_of_nltk_on_any_text(answer: str, reference: str) -> None:
    tokenize = NLTKWordTokenizer().tokenize
    expected = sentence_bleu([tokenize(reference)], tokenize(answer), weights=(1.0,)) if tokenize(answer) else 0.0
    found = score("bleu_1", answer, Question("long_text", [reference]))
    assert found == pytest.approx(float(expected) if expected > 1e-20 else 0.0, abs=1e-9)


@pytest.mark.parametrize(
    ("answer", "reference", "default", "official", "contained"),
    [
        ("Paris", "Paris", 1.0, 1.0, 1.0),
        (" Paris\n", "Paris ", 1.0, 1.0, 1.0),
        ("paris", "Paris", 1.0, 0.0, 0.0),
        ("Paris.", "Paris", 1.0, 0.0, 1.0),
        ("It is Paris", "Paris", 0.0, 0.0, 1.0),
    ],
)
def test_accuracy_keeps_case_and_punctuation(answer: str, reference: str, default: float, official: float, contained: float) -> None:
    question = Question("short_text", ["nowhere", reference])
    assert score("accuracy", answer, question, "default") == default
    assert score("accuracy", answer, question) == official
    assert score("accuracy", answer, question, match="contained") == contained


def test_f1_counts_distinct_words_over_all_words_and_keeps_case() -> None:
    assert score("f1", "the cat the dog", Question("short_text", ["the cat the dog"])) == 0.75
    assert score("f1", "The cat", Question("short_text", ["the cat"])) == 0.5
    assert score("f1", "cat.", Question("short_text", ["cat"])) == 0.0


def test_micro_f1_splits_on_its_mark_and_lower_cases_labels_alone() -> None:
    assert score("micro_f1", "joy<p>fear", Question("label", ["Joy <p> Fear"])) == [2, 0, 0]
    assert score("micro_f1", "Joy", Question("label", ["Joy"])) == [0, 1, 1]
    assert score("micro_f1", "joy, fear", Question("label", ["joy, fear"])) == [1, 0, 0]
    assert score("micro_f1", ("joy", "Fear"), Question("items", ["joy", "fear"])) == [1, 1, 1]


def test_predictions_are_scored_by_the_official_rules_where_they_exist_and_marked(tmp_path: Path) -> None:
    def write(folder: str, name: str, document: object) -> None:
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / name).write_text(json.dumps(document), encoding="utf-8")

    for key, question, answer in (("nlp/Counterfactual-Reasoning", "Which?", "the cat the dog"), ("nlp/Time-Series", "How many?", "7")):
        data = [{"id": "q0", "input": {"question": question}, "output": {"answer": answer}}]
        write(f"a/{key}", "annotation.json", {"task": key, "type": "OpenQA", "modality": {"in": ["text"], "out": ["text"]}, "data": data})
        write(f"p/{key}", "prediction.json", [{"id": "q0", "prediction": answer}])
    found = {
        variant: {
            task.score.task.name: task.score for task in score_predictions(tmp_path / "a", tmp_path / "p", "M", variant=variant).tasks
        }
        for variant in ("default", "official")
    }
    name = "Counterfactual Reasoning"
    assert (found["default"][name].task.metric_label, found["default"][name].score) == ("F1", 100.0)
    assert (found["official"][name].task.metric_label, found["official"][name].score) == ("F1 (official)", 75.0)
    assert dict(found["official"][name].task.metric_parameters)["variant"] == "official"
    (other,) = {key for key in found["default"] if key != name}
    assert found["official"][other].task.metric_label == found["default"][other].task.metric_label

"""Text metrics are those of the field: nltk and rouge-score are the oracles, on real prose and on made text."""

from __future__ import annotations

import itertools
import json
import random
import string
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from nltk.stem.porter import PorterStemmer
from nltk.tokenize import NLTKWordTokenizer
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu
from rouge_score.rouge_scorer import RougeScorer

from scorer.metrics import Question, create
from scorer.metrics.text.overlap import caption_tokens, common, common_grams
from scorer.metrics.text.porter import stem
from scorer.metrics.text.treebank import treebank_tokens
from scorer.metrics.text.words import words as words_of

ALPHABET = "ab c.,:;'\"`-()[]?!*’”“«»\n 1 3.8 n't's'll cannot gonna 'tis wanna--"
made_text = st.text(alphabet=ALPHABET, max_size=60)
prose = st.text(alphabet=string.ascii_letters + string.digits + " .,'-\n", max_size=120)


def question(*references: str) -> Question:
    return Question("long_text", list(references))


def score(metric_id: str, answer: str, *references: str, **parameters: str) -> float:
    metric = create(metric_id, parameters)
    assert metric is not None
    return float(metric.statistic(answer, question(*references)))


@pytest.fixture(scope="module")
def documents(repository: Path) -> list[str]:
    """Real prose that lies in the repository: paragraphs of its documents and licence."""
    files = [repository / "LICENSE", *sorted(repository.glob("docs/*.md")), repository / "pyproject.toml"]
    paragraphs = [part for file in files for part in file.read_text("utf-8").split("\n\n")]
    return [*paragraphs, *(line for part in paragraphs for line in part.splitlines())]


def openset_texts(folder: Path) -> Iterator[str]:
    def walk(value: Any) -> Iterator[str]:
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict | list):
            for entry in value.values() if isinstance(value, dict) else value:
                yield from walk(entry)

    for file in sorted(folder.rglob("*.json")):
        yield from walk(json.loads(file.read_text("utf-8")))


def test_tokens_of_real_documents_are_those_of_nltk(documents: list[str]) -> None:
    oracle = NLTKWordTokenizer()
    assert len(documents) > 200
    for text in documents:
        assert treebank_tokens(text, False) == tuple(oracle.tokenize(text))


@settings(max_examples=600)
@given(made_text)
def test_tokens_of_made_text_are_those_of_nltk(text: str) -> None:
    assert treebank_tokens(text) == tuple(NLTKWordTokenizer().tokenize(text))


@pytest.mark.full
def test_tokens_and_stems_of_the_open_set_are_those_of_nltk(openset: Path) -> None:
    tokenizer, stemmer = NLTKWordTokenizer(), PorterStemmer()
    texts = list(openset_texts(openset))
    assert len(texts) > 5000
    words: set[str] = set()
    for text in texts:
        if not any("\u3040" <= character <= "\u9fff" for character in text):
            tokens = treebank_tokens(text)
            assert tokens == tuple(tokenizer.tokenize(text))
            words.update(token.lower() for token in tokens if token.isascii() and token.isalnum())
    assert [(word, stem(word)) for word in words if stem(word) != stemmer.stem(word)] == []


def test_stems_are_those_of_nltk_for_every_ending(documents: list[str]) -> None:
    oracle = PorterStemmer()
    generator = random.Random(0)
    endings = (
        *("", "s", "ed", "ing", "ation", "alli", "fulli", "logi", "ies", "ied", "ness", "ement", "ion", "y", "ll", "ize"),
        *("eed", "ational", "bli", "abli", "sses", "ative", "iciti", "ousli", "eli", "biliti"),
    )
    roots = sorted({word.lower() for text in documents for word in text.split() if word.isalpha() and word.isascii()})
    roots += ["".join(generator.choices("aeiouystlrngbdfpw", k=generator.randrange(1, 9))) for _ in range(3000)]
    words = {root + ending for root in roots for ending in endings}
    assert len(words) > 50_000
    assert [word for word in words if stem(word) != oracle.stem(word)] == []


@settings(max_examples=300)
@given(made_text, st.lists(made_text, min_size=1, max_size=3))
def test_sentence_bleu_is_that_of_nltk_against_the_best_single_reference(answer: str, references: list[str]) -> None:
    tokenize = NLTKWordTokenizer().tokenize
    smooth = SmoothingFunction().method4
    for metric_id, weights in (("bleu_1", (1.0,)), ("bleu_4", (0.25,) * 4)):
        best = 0.0
        for reference in references:
            tokens = tokenize(answer)
            smoothing = smooth if len(tokens) < len(weights) else None
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                value = sentence_bleu([tokenize(reference)], tokens, weights=weights, smoothing_function=smoothing) if tokens else 0.0
            # A short text is smoothed even against itself; here it is right.
            best = max(best, 1.0 if tokens and tokens == tokenize(reference) else float(value))
        # Without a match of some order nltk says about 1e-78; here that is 0.
        expected = best if best > 1e-20 else 0.0
        assert score(metric_id, answer, *references) == pytest.approx(expected, abs=1e-9)


@settings(max_examples=300)
@given(prose, st.lists(prose, min_size=1, max_size=3))
def test_rouge_is_that_of_rouge_score_on_ascii_text(answer: str, references: list[str]) -> None:
    oracle = RougeScorer(["rouge1", "rougeL"], use_stemmer=True)
    expected = oracle.score_multi(references, answer)
    # Texts without a word are compared as they stand, which the package does not.
    signs = answer.split() and not words_of(answer) and any(answer.split() == reference.split() for reference in references)
    for metric_id, key in (("rouge_1", "rouge1"), ("rouge_l", "rougeL")):
        assert score(metric_id, answer, *references) == pytest.approx(1.0 if signs else expected[key].fmeasure, abs=1e-9)


@pytest.mark.parametrize(("text", "official"), [("yes", 1.0), ("a cat", 0.2213885886), ("a black cat", 0.5757197301), ("a b c d", 1.0)])
def test_a_perfect_answer_has_a_perfect_bleu_however_short(text: str, official: float) -> None:
    question = Question("long_text", ["something else", text])
    assert score("bleu_4", text, "something else", text) == 1.0
    metric = create("bleu_4", {}, variant="official")
    assert metric is not None
    assert metric.statistic(text, question) == pytest.approx(official)
    assert score("bleu_4", f"not {text}", text) < 1.0


def test_rouge_of_signs_alone_compares_them_as_they_stand() -> None:
    assert [score("rouge_l", given, "!!!") for given in ("!!!", " !!! ", "!!", "yes")] == [1.0, 1.0, 0.0, 0.0]
    assert score("rouge_1", "!!!", "yes") == score("rouge_1", "yes", "!!!") == 0.0
    metric = create("rouge_1", {}, variant="official")
    assert metric is not None
    assert metric.statistic("!!!", Question("long_text", ["!!!"])) == 0.0


def test_rouge_of_real_paragraphs_is_that_of_rouge_score(documents: list[str]) -> None:
    oracle = RougeScorer(["rouge1", "rougeL"], use_stemmer=True)
    paragraphs = [text for text in documents if text.isascii() and len(text) > 80]
    for answer, reference in itertools.pairwise(paragraphs[:60]):
        expected = oracle.score(reference, answer)
        assert score("rouge_1", answer, reference) == pytest.approx(expected["rouge1"].fmeasure, abs=1e-9)
        assert score("rouge_l", answer, reference) == pytest.approx(expected["rougeL"].fmeasure, abs=1e-9)


@pytest.mark.parametrize("metric_id", ["bleu_1", "rouge_1", "rouge_l", "f1", "anls"])
@pytest.mark.parametrize("text", ["今天天气很好，我们去公园。", "Привет, мир!", "नमस्ते दुनिया", "東京へ行きます", "über Straßen"])
def test_a_perfect_answer_in_any_script_scores_one(metric_id: str, text: str) -> None:
    assert score(metric_id, text, text) == pytest.approx(1.0)


def test_chinese_is_compared_by_character() -> None:
    assert score("rouge_1", "今天天气", "今天下雨") == pytest.approx(0.5)
    assert score("bleu_1", "今天天气", "今天下雨") == pytest.approx(0.5)


def test_corpus_bleu_follows_its_formula_over_sums() -> None:
    metric = create("bleu_1", {"level": "corpus"})
    assert metric is not None
    first = metric.statistic("A dog runs fast.", question("the dog runs", "a cat sleeps on the mat"))
    second = metric.statistic("no", question("yes it is"))
    assert (first, second) == ([3, 4, 3], [0, 1, 3])
    # 3 of 5 tokens match; 5 tokens against 6 in the nearest references.
    assert metric.compute([("a", first), ("b", second)]).score == pytest.approx(100 * 0.8187307530779818 * 3 / 5)


@settings(max_examples=200)
@given(st.lists(st.tuples(prose, st.lists(prose, min_size=1, max_size=3)), min_size=1, max_size=4))
def test_corpus_bleu_is_that_of_nltk_for_single_tokens(pairs: list[tuple[str, list[str]]]) -> None:
    from nltk.translate.bleu_score import corpus_bleu

    metric = create("bleu_1", {"level": "corpus"})
    assert metric is not None
    rows = [(str(index), metric.statistic(answer, question(*references))) for index, (answer, references) in enumerate(pairs)]
    answers = [list(caption_tokens(answer)) for answer, _references in pairs]
    references = [[list(caption_tokens(text)) for text in texts] for _answer, texts in pairs]
    assume(all(answers))  # nltk counts an empty answer as one token
    expected = corpus_bleu(references, answers, weights=(1.0,))
    assert metric.compute(rows).score == pytest.approx(100.0 * float(expected), abs=1e-9)


def test_anls_ignores_case_and_cuts_off_at_half() -> None:
    assert score("anls", "GOOGLE", "google") == 1.0
    assert score("anls", "gogle", "google") == pytest.approx(5 / 6)
    assert score("anls", "abxy", "abcd") == 0.0
    assert score("anls", "abcx", "zzzz", "abcd") == pytest.approx(0.75)


def test_token_f1_counts_repeated_words_as_often_as_they_stand() -> None:
    assert score("f1", "the cat the dog", "the cat the dog") == 1.0
    assert score("f1", "the", "the cat the dog") == pytest.approx(0.4)
    assert score("f1", "", "the cat") == 0.0
    assert score("f1", "?", "?") == 1.0


few_tokens = st.lists(st.sampled_from("abc"), max_size=30).map(tuple)


@settings(max_examples=300)
@given(few_tokens, few_tokens)
def test_n_grams_are_counted_as_multisets(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    def grams(tokens: tuple[str, ...], size: int) -> Counter[tuple[str, ...]]:
        return Counter(zip(*(tokens[start:] for start in range(size)), strict=False))

    expected = [(grams(one, size) & grams(other, size)).total() for size in range(1, 5)]
    assert common_grams(one, other, 4) == expected
    assert common(one, other) == expected[0]
    long = other + ("d",) * 1001
    assert common_grams(one, long, 4) == expected

"""CIDEr is that of its paper and, in the official variant, that of the COCO caption evaluation."""

from __future__ import annotations

import math
import random
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scorer.metrics import Metric, Question, create
from scorer.metrics.text.overlap import caption_tokens

caption = st.lists(st.sampled_from(["a", "the", "dog", "cat", "runs", "sleeps", "on", "mat", "grass", "quickly"]), max_size=9).map(" ".join)
tasks = st.lists(st.tuples(caption, st.lists(caption, min_size=1, max_size=3)), min_size=1, max_size=8)
Task = list[tuple[str, list[str]]]

# Of "texts(seed)" below: seed -> pycocoevalcap 1.2, Cider().compute_score.
PUBLISHED = {0: 1.896802094957127, 1: 2.090571754894262, 2: 1.9608704511317256}


def metric_of(variant: str = "default") -> Metric[Any]:
    metric = create("cider", {"of": "text"}, variant)
    assert metric is not None
    return metric


def value(task: Task, variant: str = "default") -> float:
    metric = metric_of(variant)
    rows = [(str(index), metric.statistic(answer, Question("long_text", references))) for index, (answer, references) in enumerate(task)]
    return metric.compute(rows).score / 100.0


def texts(seed: int) -> Task:
    generator = random.Random(seed)
    words = ["a", "the", "dog", "cat", "runs", "sleeps", "on", "under", "mat", "grass", "quickly"]
    words += ["while", "bird", "sings", "near", "old", "red", "house"]

    def text(least: int) -> str:
        return " ".join(generator.choices(words, k=generator.randint(least, 14)))

    def changed(reference: str) -> str:
        return " ".join(word if generator.random() < 0.7 else generator.choice(words) for word in reference.split())

    found = []
    for _index in range(40):
        references = [text(3) for _reference in range(generator.randint(1, 4))]
        found.append((changed(references[0]) if generator.random() < 0.8 else text(0), references))
    return found


def by_definition(task: Task, *, clipped: bool) -> float:
    """The formulas of the paper's section 3, word for word."""

    def grams(text: str) -> list[Counter[tuple[str, ...]]]:
        tokens = caption_tokens(text)
        return [Counter(zip(*(tokens[start:] for start in range(size)), strict=False)) for size in range(1, 5)]

    documents: Counter[tuple[str, ...]] = Counter()
    for _answer, references in task:
        documents.update({gram for reference in references for counts in grams(reference) for gram in counts})

    def weights(counts: Counter[tuple[str, ...]]) -> dict[tuple[str, ...], float]:
        return {gram: count * math.log(len(task) / max(1, documents[gram])) for gram, count in counts.items()}

    total = 0.0
    for answer, references in task:
        for reference in references:
            for given_counts, wanted_counts in zip(grams(answer), grams(reference), strict=True):
                given, wanted = weights(given_counts), weights(wanted_counts)
                norms = math.hypot(*given.values()) * math.hypot(*wanted.values()) if given and wanted else 0.0
                dot = sum((min(given[gram], wanted[gram]) if clipped else given[gram]) * wanted[gram] for gram in given if gram in wanted)
                cosine = dot / norms if norms else 0.0
                if clipped:
                    delta = sum(grams(answer)[1].values()) - sum(grams(reference)[1].values())
                    cosine *= math.exp(-(delta**2) / (2 * 6.0**2))
                total += 10.0 / 4 / len(references) * cosine
    return total / len(task)


@settings(max_examples=150)
@given(tasks)
def test_it_follows_its_definition(task: Task) -> None:
    assert value(task) == pytest.approx(by_definition(task, clipped=False), abs=1e-9)
    assert value(task, "official") == pytest.approx(by_definition(task, clipped=True), abs=1e-9)


@pytest.mark.parametrize("seed", sorted(PUBLISHED))
def test_the_official_variant_gives_the_values_of_the_caption_evaluation(seed: int) -> None:
    assert value(texts(seed), "official") == pytest.approx(PUBLISHED[seed], abs=1e-9)


@pytest.mark.full
def test_the_official_variant_is_pycocoevalcap_and_without_its_length_factor_and_clipping_it_is_the_default() -> None:
    from pycocoevalcap.cider.cider import Cider

    def oracle(task: Task, sigma: float) -> float:
        references = {index: [" ".join(caption_tokens(text)) for text in texts] for index, (_answer, texts) in enumerate(task)}
        answers = {index: [" ".join(caption_tokens(answer))] for index, (answer, _texts) in enumerate(task)}
        scorer = Cider()
        if sigma != 6.0:
            # Its scorer takes the standard deviation; no word twice in an answer means that nothing is clipped.
            from pycocoevalcap.cider.cider_scorer import CiderScorer

            inner = CiderScorer(n=4, sigma=sigma)
            for index, answer in answers.items():
                inner += (answer[0], references[index])
            return float(inner.compute_score()[0])
        return float(scorer.compute_score(references, answers)[0])

    for seed in range(6):
        task = texts(seed)
        assert value(task, "official") == pytest.approx(oracle(task, 6.0), abs=1e-9)
        assert PUBLISHED.get(seed, oracle(task, 6.0)) == pytest.approx(oracle(task, 6.0), abs=1e-12)
        once = [(" ".join(dict.fromkeys(answer.split())), references) for answer, references in task]
        assert value(once) == pytest.approx(oracle(once, 1e9), abs=1e-9)


@pytest.mark.parametrize("variant", ["default", "official"])
def test_influences_are_the_slopes_of_the_score_by_the_instances_weights(variant: str) -> None:
    from scorer.metrics.text.cider import _Corpus

    metric = metric_of(variant)
    rows = [metric.statistic(answer, Question("long_text", references)) for answer, references in texts(7)]
    corpus = _Corpus(rows, variant == "official")
    ones = np.ones(len(rows))
    slopes = []
    for index in range(len(rows)):
        step = np.zeros(len(rows))
        step[index] = 1e-6
        # Forward: n-grams of one document alone weigh log N until a second comes.
        slopes.append((corpus.score(ones + step) - corpus.score(ones)) / 1e-6)
    expected = np.array(slopes) - np.mean(slopes)
    score, alone = corpus.measured(ones)
    assert score == pytest.approx(corpus.score(ones))
    assert alone.sum() == pytest.approx(0.0, abs=1e-12)
    # Exact but for n-grams that only one instance has, whose weight has a bend there.
    assert np.corrcoef(alone, expected)[0, 1] > 0.97


def test_the_standard_error_is_about_that_of_a_bootstrap() -> None:
    metric = metric_of()
    rows = [
        (f"{seed}-{index}", metric.statistic(answer, Question("long_text", references)))
        for seed in range(4)
        for index, (answer, references) in enumerate(texts(seed))
    ]
    share = metric.weighted(rows)  # type: ignore[attr-defined]
    generator = np.random.default_rng(3)
    draws = [100.0 * share(generator.multinomial(len(rows), np.full(len(rows), 1 / len(rows)))) for _draw in range(300)]
    assert share(np.ones(len(rows))) == pytest.approx(metric.compute(rows).score / 100.0)
    assert metric.compute(rows).standard_error == pytest.approx(float(np.std(draws, ddof=1)), rel=0.2)


def test_chinese_captions_count_by_character() -> None:
    task = [("今天天气很好", ["今天天气很好"]), ("一只狗在跑步", ["一只狗在跑步"])]
    assert value(task) == pytest.approx(10.0)

"""Example answers for metrics of text, labels and label sets. See test_metric_states.py for the fields of a row."""

from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from scorer.metrics import Question
from scorer.parsers import Structured

WORDS = ["red", "green fox", "the dog ran", "Blue", "2", ""]
texts = st.tuples(st.sampled_from(WORDS), st.lists(st.sampled_from(WORDS[:-1]), min_size=1, max_size=3)).map(
    lambda pair: (pair[0], Question("short_text", pair[1]))
)
items = st.tuples(st.lists(st.sampled_from("abc"), max_size=3), st.lists(st.sampled_from("abc"), min_size=1, max_size=3)).map(
    lambda pair: (tuple(pair[0]), Question("items", pair[1]))
)

choices = st.tuples(st.sampled_from("ABC"), st.sampled_from("ABC"), st.permutations(["cause", "effect", "none"])).map(
    lambda case: (case[0], Question("choice", case[1], tuple(case[2])))
)
scores = st.tuples(st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.sampled_from(["0", "1"])).map(
    lambda case: (case[0], Question("number", [case[1]]))
)
CODE = [
    "def total(values):\n    result = 0\n    for value in values:\n        result = result + value\n    return result",
    "def f(a, b):\n    c = a * b\n    while c > 10:\n        c = c - b\n    return c",
]
programs = st.tuples(st.sampled_from([*CODE, "return", "x = (", ""]), st.lists(st.sampled_from(CODE), min_size=1, max_size=2)).map(
    lambda pair: (pair[0], Question("code", pair[1], details={"language": "python"}))
)


def maps(folder: Path) -> list[tuple[Structured, Question]]:
    """Grey pictures as answers to a mask."""
    generator = np.random.default_rng(5)
    paths = [folder / f"infection{index}.npy" for index in range(4)]
    for index, path in enumerate(paths):
        np.save(path, (generator.random((4, 5)) < 0.5) * 1.0 if index < 2 else generator.random((4, 5)))
    return [(Structured([{"file": str(answer)}]), Question("media", {"file": str(label)})) for answer in paths for label in paths[:2]]


EXAMPLES = [
    {"metric": "accuracy", "pairs": texts},
    {"metric": "exact_match", "pairs": texts},
    {"metric": "f1", "pairs": texts},
    {"metric": "f1", "parameters": {"of": "items"}, "pairs": items},
    {"metric": "micro_f1", "pairs": st.one_of(texts, items)},
    {"metric": "bleu_1", "pairs": texts},
    {"metric": "bleu_1", "parameters": {"level": "corpus"}, "pairs": texts},
    # Texts of fewer than four tokens are smoothed, so even the label itself stays below 100.
    {"metric": "bleu_4", "pairs": texts, "best": None},
    {"metric": "rouge_1", "pairs": texts},
    {"metric": "rouge_l", "pairs": texts},
    {"metric": "anls", "pairs": texts},
    # The official rules: a label may score below the best against itself.
    {"metric": "accuracy", "variant": "official", "pairs": texts},
    {"metric": "accuracy", "parameters": {"match": "contained"}, "variant": "official", "pairs": texts},
    {"metric": "f1", "variant": "official", "pairs": texts, "best": None},
    {"metric": "micro_f1", "variant": "official", "pairs": st.one_of(texts, items), "best": None},
    {"metric": "bleu_1", "variant": "official", "pairs": texts},
    {"metric": "bleu_4", "variant": "official", "pairs": texts, "best": None},
    {"metric": "rouge_1", "variant": "official", "pairs": texts},
    {"metric": "rouge_l", "variant": "official", "pairs": texts},
    {"metric": "code_bleu", "pairs": programs},
    {"metric": "code_bleu", "variant": "official", "pairs": programs, "worst": None},
    {"metric": "macro_accuracy", "pairs": st.one_of(choices, texts)},
    {"metric": "wer", "parameters": {"of": "text"}, "pairs": texts, "worst": 100.0, "bounds": False},
    # An n-gram that all instances have weighs nothing, so the label itself may have any score.
    {"metric": "cider", "parameters": {"of": "text"}, "pairs": texts, "best": None},
    {"metric": "cider", "parameters": {"of": "text"}, "variant": "official", "pairs": texts, "best": None},
    # Without both kinds of label there is no ranking, and no score says so.
    {"metric": "auc", "parameters": {"of": "roc"}, "pairs": scores, "best": None, "worst": None},
    {"metric": "auc", "parameters": {"of": "roc"}, "pairs": maps},
    {"metric": "average_precision", "parameters": {"of": "anomaly_score"}, "pairs": scores, "best": None},
]

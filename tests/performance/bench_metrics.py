"""Text metrics against the packages of the field, and a full-size language run, in the same process with the same values.

Prints:
  1. 20,000 answers by BLEU-1, BLEU-4, ROUGE-1, ROUGE-L, F1, WER and CIDEr: seconds here and in the loop over nltk, rouge-score, jiwer and
     pycocoevalcap (`make test-full` installs the last), CPU time, and the ratio (aim: 20). Every value is asserted equal first.
  2. 57,920 answers of all language tasks of General-Bench, from raw answers to scores, on one core (aim: under 30 s on two).
Texts are sentences of this project's documents with words changed, so vocabulary and punctuation are those of prose.
"""

from __future__ import annotations

import json
import random
import re
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

ANSWERS = 20_000
LANGUAGE_ANSWERS = 57_920
REPOSITORY = Path(__file__).resolve().parents[2]
Pairs = list[tuple[str, str]]


def sentences() -> list[str]:
    files = [REPOSITORY / "LICENSE", REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
    text = "\n\n".join(file.read_text("utf-8") for file in files).encode("ascii", "ignore").decode()
    found = [" ".join(part.split()) for part in re.split(r"(?<=[.:;])\s+|\n\n", text)]
    return [part for part in found if 5 <= len(part.split()) <= 60 and re.search(r"[a-z]{3}", part) and "|" not in part]


def pairs(count: int, seed: int) -> Pairs:
    """(answer, reference): a sentence with a third of its words changed and some left out, and the sentence with a few changed."""
    generator = random.Random(seed)
    known = sentences()
    words = [word for sentence in known for word in sentence.split()]

    def changed(sentence: str, share: float) -> str:
        kept = (generator.choice(words) if generator.random() < share else word for word in sentence.split())
        return " ".join(word for word in kept if generator.random() > share / 5)

    texts = [" ".join(generator.sample(known, generator.choice((1, 1, 2, 4)))) for _text in range(count)]
    return [(changed(text, 0.35), changed(text, 0.15)) for text in texts]


def ours(metric_id: str, parameters: dict[str, str], variant: str, texts: Pairs) -> tuple[float, list[Any], float]:
    """Seconds, statistics and the score."""
    from scorer.metrics import MetricState, Question, create
    from scorer.metrics.text.words import forget_texts

    metric = create(metric_id, parameters, variant)
    assert metric is not None
    forget_texts()  # words and their stems stay, as they do from task to task
    started = time.process_time()
    state = MetricState(metric)
    for index, (answer, reference) in enumerate(texts):
        state.update(f"{index:06}", metric.statistic(answer, Question("long_text", [reference])))
    score = state.compute().score
    return time.process_time() - started, list(state.statistics.values()), score


def bleu(order: int) -> Callable[[Pairs], list[float]]:
    def run(texts: Pairs) -> list[float]:
        from nltk.tokenize import NLTKWordTokenizer
        from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu

        tokenize, smooth, weights = NLTKWordTokenizer().tokenize, SmoothingFunction().method4, (1.0 / order,) * order
        found = []
        for answer, reference in texts:
            tokens = tokenize(answer)
            found.append(sentence_bleu([tokenize(reference)], tokens, weights, smooth if len(tokens) < order else None))
        # nltk says 1e-78 or so where an order has no match.
        return [float(value) if value > 1e-20 else 0.0 for value in found]

    return run


def rouge(kind: str, stemmed: bool) -> Callable[[Pairs], list[float]]:
    def run(texts: Pairs) -> list[float]:
        from rouge_score.rouge_scorer import RougeScorer

        scorer = RougeScorer([kind], use_stemmer=stemmed)
        return [scorer.score(reference, answer)[kind].fmeasure for answer, reference in texts]

    return run


def wer(texts: Pairs) -> list[float]:
    import jiwer

    fold = jiwer.Compose(
        [jiwer.ToLowerCase(), jiwer.RemovePunctuation(), jiwer.RemoveMultipleSpaces(), jiwer.Strip(), jiwer.ReduceToListOfListOfWords()]
    )
    return [jiwer.wer(reference, answer, reference_transform=fold, hypothesis_transform=fold) for answer, reference in texts]


def cider(texts: Pairs) -> float:
    from nltk.tokenize import NLTKWordTokenizer
    from pycocoevalcap.cider.cider import Cider

    def tokens(text: str) -> str:
        return " ".join(token for token in tokenize(text.lower()) if any(character.isalnum() for character in token))

    tokenize = NLTKWordTokenizer().tokenize
    answers = {index: [tokens(answer)] for index, (answer, _reference) in enumerate(texts)}
    references = {index: [tokens(reference)] for index, (_answer, reference) in enumerate(texts)}
    return float(Cider().compute_score(references, answers)[0])


def compared() -> None:
    texts = pairs(ANSWERS, 1)
    warm = pairs(200, 2)
    rows: list[tuple[str, str, dict[str, str], str, Callable[[Pairs], Any]]] = [
        ("BLEU-1", "bleu_1", {}, "nltk", bleu(1)),
        ("BLEU-4", "bleu_4", {}, "nltk", bleu(4)),
        ("ROUGE-1", "rouge_1", {}, "rouge-score", rouge("rouge1", True)),
        ("ROUGE-L", "rouge_l", {}, "rouge-score", rouge("rougeL", True)),
        ("F1", "f1", {}, "rouge-score unstemmed", rouge("rouge1", False)),
        ("WER", "wer", {"of": "text"}, "jiwer", wer),
        ("CIDEr", "cider", {"of": "text"}, "pycocoevalcap", cider),
    ]
    print(f"{ANSWERS:,} answers, {sum(len(a.split()) + len(b.split()) for a, b in texts) / 2 / ANSWERS:.0f} words each:")
    totals, of_loop = [0.0, 0.0], [0.0, 0.0]
    for name, metric_id, parameters, package, loop in rows:
        variant = "official" if metric_id == "cider" else "default"
        try:
            loop(warm)
        except ImportError as missing:
            print(f"  {name:8} not compared: {missing.name} is not installed")
            continue
        ours(metric_id, parameters, variant, warm)
        seconds, values, score = min((ours(metric_id, parameters, variant, texts) for _run in range(3)), key=lambda run: run[0])
        started = time.process_time()
        expected = loop(texts)
        theirs = time.process_time() - started
        if isinstance(expected, float):
            assert abs(score / 100.0 - expected) < 1e-9, (name, score, expected)
        else:
            assert all(abs(one - other) < 1e-9 for one, other in zip(values, expected, strict=True)), name
        for sums in (totals, of_loop) if package in ("nltk", "rouge-score") else (totals,):
            sums[0] += seconds
            sums[1] += theirs
        print(f"  {name:8} {seconds:6.2f} s here, {theirs:7.2f} s by {package}: {theirs / seconds:5.1f} times as fast")
    shown = f"{of_loop[0]:6.2f} s here, {of_loop[1]:7.2f} s by nltk and rouge-score"
    print(f"  BLEU and ROUGE {shown}: {of_loop[1] / of_loop[0]:5.1f} times as fast")
    print(f"  together {totals[0]:6.2f} s here, {totals[1]:7.2f} s by the packages: {totals[1] / totals[0]:5.1f} times as fast")


def language_run() -> None:
    """All language tasks, each with its share of the answers, in the types that their metrics ask for."""
    from genlevel.benchmark.catalogue import general_bench
    from genlevel.benchmark.model import Modality
    from scorer.metrics import create
    from scorer.metrics.text.words import forget_texts
    from scorer.scoring.task_scoring import AnsweredInstance, Outcome, TaskScoring

    generator = random.Random(3)
    texts = pairs(LANGUAGE_ANSWERS, 4)
    emotions = ["joy", "fear", "anger", "sadness", "surprise"]
    code = ["def total(values):\n    result = 0\n    for value in values:\n        result += value\n    return result\n"]
    tasks = [task for task in general_bench().tasks if task.modality is Modality.LANGUAGE]

    def instance(metric: str, index: int) -> AnsweredInstance:
        answer, reference = texts[index]
        kind, raw, label, options, details = "long_text", f"Answer: {answer}", [reference], (), {}
        if metric == "accuracy":
            kind, raw, label, options = "choice", generator.choice(["The answer is B.", "Answer: C", "B"]), "B", ("one", "two", "three")
        elif metric == "micro_f1":
            kind, raw, label = "items", json.dumps(generator.sample(emotions, 2)), generator.sample(emotions, 2)
        elif metric == "code_bleu":
            raw = code[0].replace("result", generator.choice(["result", "total", "sum"])).replace("0", str(generator.randint(0, 5)))
            kind, raw, label, details = "code", f"```python\n{raw}```", code, {"language": "python"}
        elif metric in ("rmse", "mae"):
            kind, raw, label = "number", f"{generator.random():.4f}", [f"{generator.random():.4f}"]
        return AnsweredInstance(str(index), Outcome.ANSWERED, raw, kind, label, options, details=details)

    forget_texts()
    seconds, done, lengths, unscored = 0.0, 0, 0, []
    for index, task in enumerate(tasks):
        count = LANGUAGE_ANSWERS // len(tasks) + (index < LANGUAGE_ANSWERS % len(tasks))
        instances = [instance(task.metric.id, item) for item in range(done, done + count)]
        lengths += sum(len(one.raw_answer.split()) for one in instances)
        done += count
        started = time.process_time()
        metric = create(task.metric.id, dict(task.metric.parameters))
        scoring = TaskScoring(metric)
        scoring.add(instances)
        outcome = scoring.finish()
        seconds += time.process_time() - started
        if outcome.score is None:
            unscored.append(f"{task.id} ({task.metric.id}: {outcome.note})")
    assert done == LANGUAGE_ANSWERS
    print(
        f"{done:,} answers of {len(tasks)} language tasks, {lengths / done:.0f} words each: parsed and scored in {seconds:.1f} s, one core"
    )
    for line in unscored:
        print(f"  without a score: {line}")


def main() -> None:
    warnings.simplefilter("ignore")
    chosen = sys.argv[1:] or ["compared", "language"]
    if "compared" in chosen:
        compared()
    if "language" in chosen:
        language_run()


if __name__ == "__main__":
    main()

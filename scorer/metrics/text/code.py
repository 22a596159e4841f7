"""CodeBLEU: whether code says the same as a reference in tokens, syntax and data flow."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence

from genlevel.benchmark.answer_kinds import AnswerType
from scorer.metrics.base import AnyMetric, Factories, Floats, NotComparable, Parameters, Question, RatioMetric, Value, texts
from scorer.metrics.nature import POOLED
from scorer.metrics.text.code_languages import LANGUAGES, language_named, parser_of
from scorer.metrics.text.overlap import texts_of_label
from scorer.metrics.text.syntax_trees import Forms, data_flow, subtrees, syntax_tree
from scorer.parsers import Parsed

ORDERS = 4
KEYWORD, OTHER = 1.0, 0.2
"""How much a token of the reference weighs."""
_SMOOTHED = 0.1
# Where the parts of a statistic stand: lengths of answer and reference, then pairs of (matched, all).
_LENGTHS, _GRAMS, _WEIGHED, _SYNTAX, _FLOW, _SIZE = 0, 2, 10, 18, 20, 22

Row = list[float]
"""[answer tokens, reference tokens, then (matched, all) of 1- to 4-grams, of weighed 1- to 4-grams, of subtrees, of data flows]."""


class CodeBleu(RatioMetric[Row]):
    """100 * (BLEU + weighted BLEU + syntax match + data-flow match) / 4, each over the sums of all instances.

    BLEU: corpus BLEU-4 of white-space tokens. Weighted BLEU: the same with recall in place of precision, and single tokens weighed
    1 for keywords of the language and 0.2 else. In both an order without any match counts as 0.1 matches. Syntax match: the share of the
    reference's subtrees that the answer has too, names left out. Data-flow match: the share of the reference's data flows that
    the answer has, variables numbered in their order; 1 if no reference has any. Comments and docstrings do not count in
    syntax and flow. The language is the instance's own (details["language"]), else the one in which the reference has the fewest
    errors. Of several references the one that suits the answer best counts.
    Source: Ren et al. 2020, sections 3.1 to 3.4; equal to the codebleu package 0.7, which has the published evaluator's rules.
    Variant "official" is as that package also if no data flow of the answers matches: it counts as 1.
    Standard error: delta method on the sums.

    >>> metric = CodeBleu()
    >>> question = Question("code", ["def add(a, b):\\n    return a + b"], details={"language": "python"})
    >>> row = metric.statistic("def sum(first, second):\\n    return second + first", question)
    >>> {name: round(value, 4) for name, value in metric.parts([("a", row)]).items()}
    {'ngram': 0.0435, 'weighted_ngram': 0.0497, 'syntax': 1.0, 'data_flow': 1.0}
    >>> round(metric.compute([("a", row)]).score, 4)
    52.3298
    """

    nature = POOLED

    def __init__(self, official: bool = False) -> None:
        super().__init__("code_bleu")
        self.official = official

    def statistic(self, answer: Parsed, question: Question) -> Row:
        text, references = texts(answer, question)
        if not references:
            raise NotComparable(f"the label {str(question.label)[:80]!r} is not code")
        language = language_of(question, references)
        rows = [_row(text, reference, language) for reference in references]
        return max(rows, key=lambda row: self._score(row)[0])

    def worst(self, question: Question) -> Row:
        """No code: nothing matched."""
        return self.statistic("", Question(AnswerType.CODE, texts_of_label(question), details=question.details))

    def best(self, question: Question) -> Row:
        references = texts_of_label(question)
        return self.statistic(references[0] if references else "", Question(AnswerType.CODE, references, details=question.details))

    def parts(self, statistics: Sequence[tuple[str, Row]]) -> dict[str, float]:
        """The four parts of the score, 0..1 each."""
        values = self._parts(_sums(statistics))[0]
        return dict(zip(("ngram", "weighted_ngram", "syntax", "data_flow"), values, strict=True))

    def compute(self, statistics: Sequence[tuple[str, Row]]) -> Value:
        score, slopes = self._score(_sums(statistics))
        shares = [math.fsum(slope * value for slope, value in zip(slopes, row, strict=True)) for _id, row in statistics]
        mean = math.fsum(shares) / len(shares)
        error = self.delta_error([share - mean for share in shares])
        return Value(100.0 * score, None if error is None else 100.0 * error)

    def weighted(self, statistics: Sequence[tuple[str, Row]]) -> Callable[[Floats], float]:
        """The score 0..1 as a function of how often each instance counts."""
        import numpy as np

        rows = np.array([row for _id, row in statistics], dtype=float)
        return lambda weights: self._score((weights @ rows).tolist())[0]

    def _score(self, sums: Sequence[float]) -> tuple[float, Row]:
        """The score 0..1 of sums, and its slopes by them."""
        values, slopes = self._parts(sums)
        return math.fsum(values) / 4.0, [math.fsum(column) / 4.0 for column in zip(*slopes, strict=True)]

    def _parts(self, sums: Sequence[float]) -> tuple[list[float], list[Row]]:
        found = [_bleu(sums, _GRAMS, brief=True), _bleu(sums, _WEIGHED, brief=False), _share(sums, _SYNTAX), _share(sums, _FLOW)]
        flow = found[3][0]
        if not sums[_FLOW + 1] or (self.official and flow == 0.0):
            found[3] = 1.0, [0.0] * _SIZE
        return [value for value, _slopes in found], [slopes for _value, slopes in found]


def language_of(question: Question, references: Sequence[str]) -> str:
    """The instance's language as a key of LANGUAGES: named in its details, else the one that reads the references with the fewest errors.

    Raises NotComparable for one without a grammar here.
    """
    named = question.details.get("language", "").strip()
    if named:
        found = language_named(named)
        if found is None:
            raise NotComparable(f"CodeBLEU knows no language {named!r}; it knows {', '.join(LANGUAGES)}")
        return found
    # To PHP's grammar anything without its tag is text, and no error.
    tagged = any("<?" in reference for reference in references)
    return min(
        (name for name in LANGUAGES if tagged or name != "php"), key=lambda name: sum(_broken(reference, name) for reference in references)
    )


def _broken(code: str, language: str) -> int:
    """How many bytes of a text its language's grammar cannot place, and one for each thing that it misses."""
    root = parser_of(language).parse(code.encode("utf-8", "replace")[:10_000]).root_node
    if not root.has_error:
        return 0
    count, stack = 0, [root]
    while stack:
        node = stack.pop()
        if node.is_error or node.is_missing:
            count += 1 + node.end_byte - node.start_byte
        elif node.has_error:
            stack.extend(node.children)
    return count


def _row(answer: str, reference: str, language: str) -> Row:
    given, wanted = answer.split(), reference.split()
    keywords = LANGUAGES[language].keywords
    row: Row = [float(len(given)), float(len(wanted))]
    weighed: Row = []
    for size in range(1, ORDERS + 1):
        ours, theirs = _grams(given, size), _grams(wanted, size)
        common = ours & theirs
        row += [float(common.total()), float(max(1, ours.total()))]
        if size == 1:
            matched, whole = (
                math.fsum(count * (KEYWORD if gram[0] in keywords else OTHER) for gram, count in counts.items())
                for counts in (common, theirs)
            )
        else:
            matched, whole = float(common.total()), float(theirs.total())
        weighed += [matched, max(1.0, whole)]
    return [*row, *weighed, *_tree_matches(answer.strip(), reference.strip(), language)]


def _tree_matches(answer: str, reference: str, language: str) -> Row:
    """(matched, all) subtrees and data flows of the reference."""
    given, wanted = syntax_tree(answer, language), syntax_tree(reference, language)
    forms: Forms = {}
    theirs, ours = subtrees(wanted, forms), subtrees(given, forms)
    matched = sum(count for form, count in theirs.items() if form in ours)
    flows = data_flow(wanted, language)
    common = (data_flow(given, language) & flows).total() if flows else 0
    return [float(matched), float(theirs.total()), float(common), float(flows.total())]


def _grams(tokens: Sequence[str], size: int) -> Counter[tuple[str, ...]]:
    return Counter(zip(*(tokens[start:] for start in range(size)), strict=False))


def _sums(statistics: Sequence[tuple[str, Row]]) -> Row:
    return [math.fsum(column) for column in zip(*(row for _id, row in statistics), strict=True)]


def _share(sums: Sequence[float], at: int) -> tuple[float, Row]:
    matched, whole = sums[at], sums[at + 1]
    slopes = [0.0] * _SIZE
    if whole:
        slopes[at], slopes[at + 1] = 1.0 / whole, -matched / whole**2
    return (matched / whole if whole else 0.0), slopes


def _bleu(sums: Sequence[float], at: int, *, brief: bool) -> tuple[float, Row]:
    """BP * exp(mean of log(matched / all)) of the orders that stand from ``at``, and its slopes by the sums. brief: with a BP."""
    given, wanted = sums[_LENGTHS], sums[_LENGTHS + 1]
    slopes = [0.0] * _SIZE
    if not given or not sums[at]:
        return 0.0, slopes
    orders = range(at, at + 2 * ORDERS, 2)
    short = brief and given <= wanted
    logs = [math.log((sums[place] or _SMOOTHED) / sums[place + 1]) for place in orders]
    score = (math.exp(1.0 - wanted / given) if short else 1.0) * math.exp(math.fsum(logs) / ORDERS)
    for place in orders:
        slopes[place] = score / ORDERS / sums[place] if sums[place] else 0.0
        slopes[place + 1] = -score / ORDERS / sums[place + 1]
    if short:
        slopes[_LENGTHS], slopes[_LENGTHS + 1] = score * wanted / given**2, -score / given
    return score, slopes


def _code_bleu(_parameters: Parameters, variant: str) -> AnyMetric | None:
    return CodeBleu(variant == "official") if variant in ("default", "official") else None


FACTORIES: Factories = {"code_bleu": _code_bleu}

"""The score of guessing and of the best constant answer, from a task's questions alone."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from itertools import product
from statistics import fmean

import pytest

from genlevel.benchmark.answer_kinds import AnswerType
from genlevel.benchmark.metrics import Direction, Kind
from genlevel.benchmark.outcomes import Outcome
from scorer.metrics import Question, create
from scorer.scoring.answered import options_offered
from scorer.scoring.baselines import MOST_CANDIDATES, Baselines, baselines
from scorer.scoring.task_scoring import AnsweredInstance, TaskScoring


def metric(name, **parameters):
    made = create(name, parameters)
    assert made is not None
    return made


ACCURACY, MACRO, MICRO, TOKENS = metric("accuracy"), metric("macro_accuracy"), metric("micro_f1"), metric("f1", of="tokens")


def choice(label, options=("w", "x", "y", "z")):
    return Question(AnswerType.CHOICE, label, options)


def label(*texts, options=()):
    return Question(AnswerType.LABEL, list(texts), options)


def test_of_choices_the_best_letter_and_a_guess_among_each_questions_options():
    asked = [*map(choice, "AABCD"), choice("A", ("w", "x"))]
    found = baselines(ACCURACY, asked)
    assert found.chance == pytest.approx(100 * (5 * 0.25 + 0.5) / 6)
    assert found.best_constant == pytest.approx(100 * 3 / 6)


def test_a_letter_that_is_no_option_of_a_question_is_wrong_there():
    assert baselines(ACCURACY, [choice("D"), choice("A", ("w", "x"))]).best_constant == 50.0


def test_without_options_chance_is_not_known_and_letters_are_those_of_labels():
    assert baselines(ACCURACY, [choice("B", ()), choice("B", ()), choice("C", ())]) == Baselines(None, pytest.approx(200 / 3))
    assert baselines(ACCURACY, [choice("B"), choice("B", ())]).chance is None


def test_of_labels_the_most_frequent_one_however_it_is_written():
    asked = [label("Cat"), label("cat."), label("dog"), label("The bird"), label("dog", "CAT")]
    assert baselines(ACCURACY, asked) == Baselines(None, pytest.approx(60.0))


def test_of_labels_with_options_a_guess_is_one_of_these():
    asked = [label("cat", options=("cat", "dog", "bird", "fish")), label("dog", options=("cat", "dog"))]
    assert baselines(ACCURACY, asked) == Baselines(pytest.approx(37.5), pytest.approx(50.0))


def test_of_a_mean_over_classes_each_class_counts_alike():
    asked = [label("a")] * 90 + [label("b")] * 10
    assert baselines(MACRO, asked).best_constant == pytest.approx(50.0), "whichever of the two"
    offered = [label("a", options=("a", "b", "c"))] * 90 + [label("b", options=("a", "b"))] * 10
    assert baselines(MACRO, offered).chance == pytest.approx(100 * (1 / 3 + 1 / 2) / 2)


def test_a_pooled_score_is_computed_by_the_metric_itself():
    asked = [label("joy, fear"), label("joy"), label("anger")]
    assert baselines(MICRO, asked).best_constant == pytest.approx(100 * 2 * 3 / (2 * 3 + 4))


def test_partial_credit_counts():
    assert baselines(TOKENS, [label("red car"), label("red bus")]).best_constant == pytest.approx(100 * (1 + 0.5) / 2)
    asked = [label(f"red {thing}", options=("red", "blue")) for thing in ("car", "bus", "van", "cab")]
    assert baselines(TOKENS, asked).best_constant == pytest.approx(100 * 2 / 3), "an option that no label names"


def test_of_choices_and_labels_the_best_letter_with_the_best_text():
    asked = [choice("B"), choice("B"), choice("A"), label("cat"), label("cat"), label("dog")]
    assert baselines(ACCURACY, asked).best_constant == pytest.approx(100 * 4 / 6)
    choices = [*[choice("A", ("yes", "x"))] * 3, choice("B", ("x", "no")), choice("B", ("x", "maybe"))]
    labels = [label("cat"), label("cat"), label("fish", "dog"), label("bird", "dog")]
    found = baselines(MACRO, [*choices, *labels]).best_constant
    assert found == pytest.approx(100 * 4 / 6), "B and dog, though neither is the most frequent: no, maybe, fish and bird of six classes"


def test_of_an_error_the_best_constant_answer_is_the_lowest():
    class Errors(type(ACCURACY)):
        direction = Direction.LOWER

    assert baselines(Errors(), [*map(choice, "AAB")]).best_constant == 0.0, "C is never right"


@pytest.mark.parametrize(
    "asked",
    [
        [],
        [Question(AnswerType.SHORT_TEXT, ["a"])],
        [label("a"), Question(AnswerType.NUMBER, ["3"])],
        [label()],
        [Question(AnswerType.CHOICE, None, ("a", "b"))],
    ],
)
def test_other_answers_and_questions_without_a_label_have_none(asked):
    assert baselines(ACCURACY, asked) == Baselines()


@pytest.mark.parametrize("name", ["gpt_score", "mos"])
def test_what_somebody_rates_has_none(name):
    assert baselines(metric(name), [label("a")]) == Baselines()


def test_networks_are_not_asked():
    class Network(type(ACCURACY)):
        def statistic(self, answer, question):
            raise AssertionError("it was asked")

    network = Network()
    network.info = replace(network.info, kind=Kind.MODEL)
    assert baselines(network, [label("a")]) == Baselines()


@pytest.mark.parametrize("scored", [ACCURACY, MACRO, MICRO, TOKENS], ids=lambda scored: scored.id)
def test_they_are_what_trying_everything_finds(scored):
    generator = random.Random(7)
    for _ in range(30):
        words = generator.sample(["a", "b", "a b", "c", "d c", "e"], generator.randint(2, 5))
        asked = [label(generator.choice(words), options=tuple(words)) for _ in range(generator.randint(1, 4))]

        def score(answers, asked=asked):
            return scored.compute(
                [(str(n), scored.statistic(text, one)) for n, (text, one) in enumerate(zip(answers, asked, strict=True))]
            ).score

        found = baselines(scored, asked)
        assert found.best_constant == pytest.approx(max(score([word] * len(asked)) for word in words))
        if scored is not MICRO:  # a ratio's expectation is not that of its parts
            guesses = fmean(score(guess) for guess in product(*(one.options for one in asked)))
            assert found.chance == pytest.approx(guesses)


def test_of_very_many_labels_only_the_most_frequent_are_tried():
    names = [f"name {number}" for number in range(300)]
    asked = [label(name) for name in names] + [label("name 299")] * 2
    tried = Counter()

    class Counting(type(ACCURACY)):
        def statistic(self, answer, question):
            tried[answer] += 1
            return super().statistic(answer, question)

    assert baselines(Counting(), asked).best_constant == pytest.approx(100 * 3 / 302)
    assert (len(tried), max(tried.values())) == (MOST_CANDIDATES, 300), "each label once, however many questions have it"
    tried.clear()
    baselines(Counting(), [label(f"{number}") for number in range(4000)])
    assert tried.total() <= 20_000


def instance(id_, raw, outcome=Outcome.ANSWERED, right="A", **fields):
    return AnsweredInstance(id_, outcome, raw, AnswerType.CHOICE, right, ("yes", "no"), **fields)


def test_a_tasks_outcome_has_them_whatever_was_answered():
    scoring = TaskScoring(ACCURACY)
    scoring.add([instance("1", "B"), instance("2", "?"), instance("3", "", Outcome.PENDING), instance("4", "A", right="B")])
    found = scoring.finish()
    assert (found.score, found.chance, found.best_constant) == (None, 50.0, 75.0)
    scoring.add([instance("3", "A")])
    assert (scoring.finish().score, scoring.finish().best_constant) == (25.0, 75.0)


def test_a_question_that_is_asked_several_times_counts_once_and_one_with_other_options_for_itself():
    scoring = TaskScoring(ACCURACY)
    scoring.add([instance("1", "B", repeat=repeat) for repeat in range(3)] + [instance("2", "A", right="B")])
    assert scoring.finish().best_constant == 50.0
    scoring.add([instance("1", "B", right="B", shuffle=1)])
    assert scoring.finish().best_constant == pytest.approx(200 / 3)


def test_an_outcome_without_a_score_for_a_reason_has_none():
    scoring = TaskScoring(None, "why")
    scoring.add([instance("1", "A")])
    assert (scoring.finish().chance, scoring.finish().best_constant) == (None, None)


def constant_scores(scored, asked, answers):
    """What a model scores that always says the same, for each of these, read and measured as any model's answers are."""
    outcomes = []
    for raw in answers:
        scoring = TaskScoring(scored)
        scoring.add(
            AnsweredInstance(f"{number}", Outcome.ANSWERED, raw, one.answer_type, one.label, one.options)
            for number, one in enumerate(asked)
        )
        outcomes.append(scoring.finish())
    return [outcome.score for outcome in outcomes], outcomes[0].best_constant


def test_a_letter_beyond_a_questions_options_cannot_be_read_there_and_is_no_wrong_item():
    asked = [choice("E", tuple("vwxyz")), choice("B", tuple("wx"))]
    scores, best = constant_scores(MICRO, asked, "ABE")
    assert scores == [0.0, pytest.approx(50.0), pytest.approx(200 / 3)]
    assert best == pytest.approx(200 / 3)


def test_a_constant_label_is_what_each_question_reads_in_it():
    asked = [
        label("dog", options=("dog", "fish")),
        label("hot dog", options=("hot dog", "dog", "fish")),
        label("hot dog", options=("hot dog", "fish")),
    ]
    scores, best = constant_scores(ACCURACY, asked, ["dog", "hot dog", "fish"])
    assert best == max(scores) == 100.0, "hot dog is read as dog if that is offered and hot dog is not"


@pytest.mark.parametrize("scored", [ACCURACY, MACRO, MICRO, TOKENS, metric("exact_match"), metric("rouge_l")], ids=lambda scored: scored.id)
def test_who_always_says_the_same_scores_the_best_constant_answer_and_never_more(scored):
    generator = random.Random(11)
    texts = ["cat", "The Cat", "naive", "Naïve", "joy, fear", "fear", "hot dog", "dog", "not toxic", "toxic", "N/A", "3", "ﬁsh", "fish"]
    for number in range(60):
        words = generator.sample(texts, generator.randint(2, 5))
        asked = []
        for _ in range(generator.randint(1, 5)):
            options = tuple(generator.sample(words, generator.randint(2, len(words))))
            right = generator.choice(options)
            asked.append(choice("ABCDE"[options.index(right)], options) if number % 2 else label(right, options=options))
        scores, best = constant_scores(scored, asked, "ABCDE" if number % 2 else words)
        assert best == pytest.approx(max(scores)), asked


def test_what_a_question_offers_is_found_once_whatever_answers_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[object] = []

    def counted(answer_type: AnswerType, label: object, options: tuple[str, ...]) -> tuple[str, ...]:
        found.append(label)
        return options_offered(answer_type, label, options)

    monkeypatch.setattr("scorer.scoring.baselines.options_offered", counted)
    options = tuple(f"bird {number}" for number in range(30))
    asked = [Question(AnswerType.LABEL, label, options) for label in options * 2]
    metric = create("accuracy", {}, measuring=False)
    assert metric is not None
    assert baselines(metric, asked).best_constant == pytest.approx(100 / 30)
    assert sorted(map(str, found)) == sorted(options)

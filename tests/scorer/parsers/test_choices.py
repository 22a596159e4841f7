"""Choices as models write them, in many languages: the letter that a careful reader would note, or none."""

from __future__ import annotations

from string import ascii_uppercase

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from genlevel.benchmark.answer_kinds import AnswerType
from scorer.parsers import Unparsable, parse_answer
from scorer.parsers.choice import parse_choice

CITIES = ["Paris", "London", "Rome", "Berlin"]
WRITTEN = [
    ("Final answer: London (B)", "B"),
    ("Ans: B", "B"),
    ("Therefore B", "B"),
    ("Therefore, B.", "B"),
    ('{"choice": "B"}', "B"),
    ("<b>B</b>", "B"),
    ("【答案】B", "B"),
    ("正确选项是B", "B"),
    ("정답: B", "B"),
    ("Antwort: B", "B"),
    ("Réponse : B", "B"),
    ("Ответ: B", "B"),
    ("Answer: \\( B \\)", "B"),
    ("The answer to the question is (B) 54.", "B"),
    ("Answer: A. Hmm, on reflection it should be C.", "C"),
    ("I choose A. Actually I change my mind to D.", "D"),
    ("Answer: B\nWait, that's wrong. Answer: C", "C"),
    ("A", "A"),
    ("option 2", "B"),
    ("第二项", "B"),
    ("第二个选项", "B"),
    ("The second option", "B"),
    ("the last option", "D"),
    ("Ｂ", "B"),
    ("（Ｂ）", "B"),
    ("b)", "B"),
    ("(b)", "B"),
    ("answer: b", "B"),
    ("b", "B"),
    ("The capital is London.", "B"),
    ("London is the capital of England.", "B"),
    ("Looking at it... <answer>B</answer>", "B"),
    ("La respuesta es B", "B"),
    ("La respuesta correcta es la B.", "B"),
    ("La réponse est B.", "B"),
    ("La bonne réponse est la B", "B"),
    ("Die richtige Antwort ist B.", "B"),
    ("Die Antwort lautet B", "B"),
    ("A resposta é B", "B"),
    ("A resposta correta é a letra B.", "B"),
    ("Правильный ответ — B", "B"),
    ("Правильный ответ: B", "B"),
    ("Ответ — вариант B", "B"),
    ("सही उत्तर B है", "B"),
    ("उत्तर (B) है।", "B"),
    ("सही उत्तर: (B)", "B"),
    ("الإجابة الصحيحة هي B", "B"),
    ("الجواب: B", "B"),
    ("সঠিক উত্তর হলো B", "B"),
    ("সঠিক উত্তর: B", "B"),
    ("درست جواب B ہے", "B"),
    ("جواب: B", "B"),
    ("答えはBです。", "B"),
    ("正解はBです", "B"),
    ("正解: B", "B"),
    ("정답은 B입니다.", "B"),
    ("답: B", "B"),
    ("La risposta corretta è B.", "B"),
    ("Doğru cevap B.", "B"),
    ("Cevap: B", "B"),
    ("Đáp án đúng là B.", "B"),
    ("Đáp án: B", "B"),
    ("Jawaban yang benar adalah B.", "B"),
    ("Jawabannya B", "B"),
    ("答案是B。", "B"),
    ("答案为B", "B"),
    ("故选B", "B"),
    ("故选：B", "B"),
    ("因此选B。", "B"),
    ("所以答案是 B", "B"),
    ("选B", "B"),
    ("选项B正确", "B"),
    ("B选项正确", "B"),
    ("应选B", "B"),
    ("本题选择B。", "B"),
    ("正确答案：B", "B"),
    ("正确答案是：B. London", "B"),
    ("【解答】因为...\n【答案】B", "B"),
    ("Correct answer: B", "B"),
    ("The correct answer is option B: London.", "B"),
    ("So, the final answer is $\\boxed{B}$.", "B"),
    ("My answer is B", "B"),
    ("I'd go with B", "B"),
    ("Selected: B", "B"),
    ("Choice: B", "B"),
    ("B is my answer", "B"),
    ("B it is.", "B"),
    ("=> B", "B"),
    ("**Answer: (B) London**", "B"),
    ("### Answer\nB", "B"),
    ("### Final Answer\n\n**B**", "B"),
    ("Answer\n\nB. London", "B"),
    ("The answer:\n\n(B)", "B"),
    ("\\text{B}", "B"),
    ("$$\\boxed{\\text{(B) London}}$$", "B"),
    ("\\boxed{\\mathrm{B}}", "B"),
    ("<answer> (B) </answer>", "B"),
    ("<option>B</option>", "B"),
    ("[B]", "B"),
    ("{B}", "B"),
    ("Answer - B", "B"),
    ("Answer = B", "B"),
    ("answer is b", "B"),
    ("Answer B", "B"),
    ("The answer is clearly B", "B"),
    ("The right one is B", "B"),
    ("Hence, option (B) is correct.", "B"),
    ("Thus (B).", "B"),
    ("So it's B.", "B"),
    ("I believe the answer is B, because A is too small and C is too big.", "B"),
    ("Option A is incorrect because it is in France. Option B is correct. Option C is incorrect.", "B"),
    ("A) Paris - wrong\nB) London - correct\nC) Rome - wrong\nD) Berlin - wrong", "B"),
    ('{"answer": "B", "explanation": "x"}', "B"),
    ('{"selected_option": "B"}', "B"),
    ('{"answer": {"letter": "B", "text": "London"}}', "B"),
    ('{"answer": "London"}', "B"),
    ('{"option": "B. London"}', "B"),
]
OF_OTHER_OPTIONS = [
    ("The answer to the question is (B) 54.", ["12", "54"], "B"),
    ("Yes, it is.", ["yes", "no"], "A"),
    ("No. It is not beneath.", ["yes", "no"], "B"),
    ("Yes", ["yes", "no"], "A"),
    ("The answer is vitamin C.", ["vitamin A", "vitamin B", "vitamin C"], "C"),
    ("Vitamin C", ["vitamin C", "vitamin A"], "A"),
    ("I", ["x", "x", "x", "x", "x", "x", "x", "x", "x"], "I"),
    ("A cat", ["dog", "cat"], "B"),
    ("A cat is sitting there.", ["dog", "cat"], "B"),
    ("I see a cat.", ["dog", "cat"], "B"),
]
NONE = [
    "A dog is running",
    "I think that it is hard to say",
    "Vitamin C is good",
    "I cannot answer.",
    "I'm sorry, but I can't help with that.",
    "A, B",
    "A and B",
    "Both A and B",
    "The answer is (A) and (B).",
    "The answer is A. The answer is B.",
    "Answer: A\nAnswer: B",
    "Final answer: A\nFinal answer: B",
    "Either A or B",
    "Not A",
    "A is wrong",
    "None of the above",
    "It could be London or Rome",
    "maybe B?",
    "(A) no\n(B) yes\n(C) no",
]


@pytest.mark.parametrize(("raw", "letter"), WRITTEN)
def test_a_letter_is_read_in_all_usual_forms(raw: str, letter: str) -> None:
    assert parse_answer("choice", raw, CITIES) == letter


@pytest.mark.parametrize(("raw", "options", "letter"), OF_OTHER_OPTIONS)
def test_letters_that_are_words_or_texts_too_are_told_apart(raw: str, options: list[str], letter: str) -> None:
    assert parse_answer("choice", raw, options) == letter


@pytest.mark.parametrize("raw", NONE)
def test_what_names_no_one_option_is_unparsable(raw: str) -> None:
    assert isinstance(parse_answer("choice", raw, CITIES), Unparsable)


PROSE = [
    ("Box B more accurately localizes the train. Box A, on the other hand, is smaller than the train.", ["Box A", "Box B"], "B"),
    ("Point C in the second picture corresponds to the marked one. Both are on a roof.", ["Point A", "Point B", "Point C"], "C"),
    (
        "- Point A is on the rim.\n- Point B is on the handle.\n\nTherefore, the corresponding point is Point B.",
        ["Point A", "Point B"],
        "B",
    ),
    (
        "The second image shows a dog. The third image shows a cat. Therefore, the second image is most similar.",
        ["the second image", "the third image"],
        "A",
    ),
    ("Based on this, the third image (B) seems to be the more appropriate choice.", ["the second image", "the third image"], "B"),
    ("It is difficult to determine with certainty. However, my assessment is that it is (C).", ["a", "b", "c"], "C"),
    ("A is darker. Point A is on a wall, while point B is on a white window.", ["A is darker", "B is darker"], "A"),
    ("No. The cat is not beneath the table; it is on it.", ["yes", "no"], "B"),
    ("The most likely cause is B. Spinal stenosis.", ["Anxiety", "Spinal stenosis"], "B"),
]
NO_PROSE = [
    ("Therefore, the second and third images are alike.", ["the second image", "the third image"]),
    ("Let I(t) be the integral, and A is the area where F = 6.", ["one", "two", "three"]),
    ("Based on the analysis, picture A and picture B are the most likely.", ["picture A", "picture B"]),
    ("The answer is (A). Then b) follows. The answer is (B).", ["one", "two"]),
    ("Therefore, the best one is (C). It is based on a lie.", ["It is based on a lie.", "It is dry.", "It is wet."]),
    ("Therefore, the best statement is (C). It will rain.", ["It will rain.", "It is dry.", "It is wet."]),
]


@pytest.mark.parametrize(("raw", "options", "letter"), PROSE)
def test_the_deciding_sentence_of_prose_is_read(raw: str, options: list[str], letter: str) -> None:
    assert parse_answer("choice", raw, options) == letter


@pytest.mark.parametrize(("raw", "options"), NO_PROSE)
def test_prose_that_decides_for_none_or_several_is_unparsable(raw: str, options: list[str]) -> None:
    assert isinstance(parse_answer("choice", raw, options), Unparsable)


@pytest.mark.parametrize(
    ("raw", "read"),
    [
        ("No, both lines are of the same length. The arrows might make them seem different.", "B"),
        ("Yes, all arcs have one diameter. They may appear to be parts of different circles, perhaps.", "A"),
        ("Yes, or maybe no.", None),
        ("No, wait, yes.", None),
        ("No idea; it might be either.", None),
    ],
)
def test_a_verdict_that_opens_an_answer_holds_whatever_the_explanation_weighs(raw: str, read: str | None) -> None:
    found = parse_answer(AnswerType.CHOICE, raw, ["Yes", "No"])
    assert (found if isinstance(found, str) else None) == read


@pytest.mark.parametrize("between", ["、", "，", "和", " und ", " et ", " y ", " и "])
def test_letters_joined_in_any_language_are_several(between: str) -> None:
    found = parse_answer(AnswerType.CHOICE, f"【答案】A{between}C", ["①②", "①④", "②③", "③④"])
    assert found == Unparsable("it names several letters: A, C")


OPTION = st.one_of(
    st.sampled_from(
        ["A", "b", "C.", "(B)", "dog", "<b>A</b>", "", " ", "2", "first", "A, B", "A is right", "\\text{B}", "Ａ", "\u200bA", "A\nB"]
    ),
    st.text("AB. ()[]*:ab?\\", max_size=5),
    st.text(max_size=5),
)


@given(
    st.sampled_from(["{}", "{}.", "({})", "{})", "({}", "({}).", "{}:", "({}):"]),
    st.sampled_from(ascii_uppercase),
    st.lists(OPTION, max_size=30),
)
@example("{}", "Z", [])
def test_an_answer_that_is_just_a_letter_is_read_at_once_as_it_is_read_among_words(form: str, letter: str, options: list[str]) -> None:
    raw = form.format(letter)
    assert parse_answer(AnswerType.CHOICE, raw, options) == parse_choice(raw, options)

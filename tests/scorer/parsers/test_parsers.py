"""Raw answers become answers of the asked type, or say why not; nothing is guessed and nothing raises."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genlevel.benchmark.answer_kinds import AnswerType
from genlevel.benchmark.texts import normal_text
from scorer.parsers import Box, Unparsable, parse_answer

OPTIONS = ["dry", "wet", "A man walks"]


@pytest.mark.parametrize(
    ("raw", "letter"),
    [
        ("B", "B"),
        ("b", "B"),
        (" (B) ", "B"),
        ("**B**", "B"),
        ("B.", "B"),
        ("B. wet", "B"),
        ("B wet", "B"),
        ("Option B", "B"),
        ("Answer: B", "B"),
        ("answer:B", "B"),
        ("**Answer:** B", "B"),
        ("**Final answer**: (b)", "B"),
        ("\\boxed{B}", "B"),
        ("$\\boxed{\\text{B}}$", "B"),
        ("The answer is B", "B"),
        ("So the best answer is: (B) wet.", "B"),
        ("The correct option is B because it rains.", "B"),
        ("答案：B", "B"),
        ("Ｂ", "B"),
        ("wet", "B"),
        ("Wet.", "B"),
        ("Answer: wet", "B"),
        ("I looked at it.\n\nB", "B"),
        ("Answer: A\nNo, wait.\nAnswer: B", "B"),
        ("<think>Answer: A</think>B", "B"),
        ("it says A or so</think>Answer: B", "B"),
        ("A man walks", "C"),
        ("Answer: A man walks.", "C"),
        ("Answer: A", "A"),
        ("Option: B", "B"),
        ("option B is correct", "B"),
        ("B is the correct answer because it rains.", "B"),
        ("I choose B", "B"),
        ("I would go with B.", "B"),
        ("I think it's B", "B"),
        ("likely B", "B"),
        ("It is probably B.", "B"),
        ("The answer is most likely B.", "B"),
        ("Answer: I choose B", "B"),
        ("答案是：B", "B"),
        ("答案选B", "B"),
        ("我选择B。", "B"),
        ("- B", "B"),
        ("I choose A. Actually, I choose B.", "B"),
        ("→ B", "B"),
        ("• B", "B"),
        ("✅ B", "B"),
        ("$B$", "B"),
        (r"\text{B}", "B"),
        ("B -> wet", "B"),
        ("B (wet)", "B"),
        ("Answer: B (not A)", "B"),
        ("Correct option: B", "B"),
        ("B\nThe answer is clear because A is dry.", "B"),
        ("B\nIt does not give the date, so it is wet.", "B"),
        ("B. There is no A in it.", "B"),
        ("B, not A", "B"),
        ("B (not A)", "B"),
        ("B!", "B"),
        ("Answer: B!", "B"),
        ("B, wet", "B"),
        ("B, a wet man", "B"),
        ("C, a man walks", "C"),
        ("C, A man walks", "C"),
        ("Answer: C; A man walks.", "C"),
        ("B because A is wrong", "B"),
        ("A is incorrect, B is correct.", "B"),
        ("A. dry\nB. wet\nI choose B", "B"),
        ("The answer is wet because it rains", "B"),
        ("I am not sure, but the answer is B.", "B"),
        ("Since A is wrong the answer is B.", "B"),
        ("There is no doubt that the answer is B", "B"),
        ("As it is not dry the answer is B", "B"),
        ("None of the others fit so the answer is B", "B"),
        ("C. A man walks and sings", "C"),
    ],
)
def test_a_stated_choice_is_read(raw: str, letter: str) -> None:
    assert parse_answer("choice", raw, OPTIONS) == letter


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "   ",
        "I do not know.",
        "A man runs",
        "A or B",
        "Answer: B or C",
        "A. dry\nB. wet\nC. A man walks",
        "E",
        "Answer: E",
        "B. dry",
        "The answer is not B",
        "Answer:",
        "<think>B",
        "<think>B</think>",
        "dry\nwet",
        *(
            "(A) is incorrect.",
            "A is wrong",
            "A is likely incorrect",
            "I don't think A is correct",
            "neither A nor B is correct",
            "I don't think the answer is A",
            "I doubt that the answer is A",
            "The wrong answer is A",
            "I am not so sure the answer is A",
            "It is not the case that the answer is A",
            "The least likely option is A",
            "Not A",
            "A?",
        ),
        *("A. I cannot determine", "(A) I cannot determine the answer.", "I cannot determine it.\nA", "A. Not enough information."),
        *("C, a", "C, a and b", "C or a", "C, A dog walks", "B?", "B not sure"),
        *("A, or maybe B", "A, or maybe B is right", "A. dry or B. wet", "A: dry, B: wet", "A: B", "The answer is A or B"),
        *("A is correct. B is correct.", "B\nI choose A", "Answer: B\nA is the best for dry weather."),
    ],
)
def test_what_does_not_settle_on_one_option_is_unparsable_and_never_a(raw: str) -> None:
    assert isinstance(parse_answer("choice", raw, OPTIONS), Unparsable)


@pytest.mark.parametrize(
    "raw", ["B", "b", "(B)", "B.", "Answer: B", "The answer is B because", "Option B", "B because it is", "I choose B", "B. A", "B) A"]
)
def test_a_letter_is_the_place_that_it_is_asked_for_also_where_an_option_is_that_letter(raw: str) -> None:
    assert parse_answer("choice", raw, ["B", "A", "C"]) == "B"


@pytest.mark.parametrize(
    ("raw", "letter"),
    [
        ("It's a dog.", "B"),
        ("The animal in the picture is a hot dog", "C"),
        ("I see a dog and a cat.", None),
        ("It is not a dog.", None),
        ("There is no dog.", None),
        *((text, None) for text in ("Anything but a dog", "Other than the dog, nothing", "A dog is impossible", "The dog is ruled out")),
        *(
            (text, None)
            for text in ("At first I thought of a dog", "A dog? Hmm.", "A dog can be excluded", "Hardly a dog", "Least likely: dog")
        ),
        ("A dog or something like it", None),
        ("I cannot tell whether it is a dog.", None),
        ("It's a dogfish, a bull-dog", None),
        ("Yes, there is.", "D"),
        ("Oh yes", None),
        ("There are 2 of them", "E"),
        ("There are 2.5 of them", None),
        ("A dog. " + "It barks. " * 30, "B"),
    ],
)
def test_the_only_option_that_a_short_text_names_is_its_answer(raw: str, letter: str | None) -> None:
    read = parse_answer("choice", raw, ["cat", "dog", "hot dog", "Yes", "2"])
    assert read == letter if letter else isinstance(read, Unparsable)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("Twelve", 12.0),
        ("two people.", 2.0),
        ("There are three red cars.", 3.0),
        ("The number of cars is **three**.", 3.0),
        ("Answer: zero", 0.0),
        ("one of them", None),
        ("two or three", None),
        ("two hundred", 200.0),
        ("twenty one", 21.0),
        ("two dozen", 24.0),
        *((text, None) for text in ("Two thirds", "two times three", "two squared", "three fifths", "One could say")),
        ("No one", None),
        ("The two dogs are fighting over a bone", None),
    ],
)
def test_a_number_in_words_is_read_where_nothing_else_is_said(raw: str, value: float | None) -> None:
    read = parse_answer("number", raw)
    assert read == value if value is not None else isinstance(read, Unparsable)


def test_a_letter_beyond_the_options_is_the_option_that_is_that_letter() -> None:
    assert parse_answer("choice", "O", ["A", "B", "AB", "O"]) == "D"


def test_a_letter_with_the_text_of_another_option_is_no_answer() -> None:
    assert parse_answer("choice", "B", ["X", "Y", "Z"]) == "B"
    for raw in ("A. C", "A. A", "B. B"):
        assert isinstance(parse_answer("choice", raw, ["B", "A", "C"]), Unparsable)


WRAPPED = [
    "{}<|im_end|>",
    "{}</s>",
    "{}<|eot_id|>\n<|end_of_text|>",
    "{}<｜end▁of▁sentence｜>",
    "\ufeff\u200b{}\u200b",
    "<answer>{}</answer>",
    "<think>x</think>\n<answer>\n{}\n</answer>",
    "It goes in <answer></answer>. <answer>{}</answer> I hope it helps.",
    "{}</answer>",
    "[THINK]no[/THINK]{}",
    "◁think▷no◁/think▷{}",
    '{{"answer": "{}", "explanation": "as seen"}}',
    'Here it is:\n```json\n{{"answer": "{}", "confidence": 0.9}}\n```\nI hope it helps.',
    "So {{'answer': '{}'}} it is.",
    '{{"final_answer": "{}"}}',
]


@pytest.mark.parametrize("wrapping", WRAPPED)
@pytest.mark.parametrize(
    ("answer_type", "raw", "found"), [("choice", "B", "B"), ("label", "a man walks", "A man walks"), ("number", "-5", -5.0)]
)
def test_tags_tokens_and_objects_around_an_answer_are_no_part_of_it(wrapping: str, answer_type: str, raw: str, found: Any) -> None:
    assert parse_answer(answer_type, wrapping.format(raw), OPTIONS) == found


@pytest.mark.parametrize("answer_type", ["choice", "label", "number", "items"])
def test_objects_with_different_answers_are_no_answer(answer_type: str) -> None:
    for between in (" or ", "\n"):
        assert isinstance(parse_answer(answer_type, f'{{"answer": "A"}}{between}{{"answer": "B"}}', OPTIONS), Unparsable)


def test_tags_in_code_are_code() -> None:
    code = "s = '<answer>1</answer>'"
    assert parse_answer("code", f"```python\n{code}\n```") == code


def test_of_many_options_i_is_one_only_where_it_is_no_word() -> None:
    options = [f"option number {place}" for place in range(10)]
    assert parse_answer("choice", "B, I think", options) == "B"
    assert parse_answer("choice", "I", options) == "I"
    assert isinstance(parse_answer("choice", "B, I", options), Unparsable)
    assert isinstance(parse_answer("choice", "B or I", options), Unparsable)


def test_two_options_of_the_same_text_are_no_answer_by_text() -> None:
    assert isinstance(parse_answer("choice", "SAME", ["same", "Same."]), Unparsable)
    assert isinstance(parse_answer("choice", "same", ["same", "same"]), Unparsable)
    assert parse_answer("choice", "B", ["same", "Same."]) == "B"


@pytest.mark.parametrize(
    "texts",
    [
        ("लड़का", "लड़की"),
        ("-5", "5", "+5", "5%", "$5", ".5", "5°"),
        ("A+", "A-", "A", "A*"),
        ("C", "C++", "C#"),
        (".NET", "net"),
        ("a < b", "a > b"),
        ("😀", "😢"),
    ],
)
def test_signs_symbols_and_marks_of_letters_are_part_of_a_text(texts: tuple[str, ...]) -> None:
    assert len({normal_text(text) for text in texts}) == len(texts)


@pytest.mark.parametrize(
    "text",
    [
        "cat",
        "Cat.",
        ' "Cat" ',
        "**Cat**.",
        "(cat)",
        "Cat!",
        "Ｃａｔ",
        "“cat”。",
        "- cat",
        "→ cat",
        "cat…",
        "$cat$",
        "c\u200bat\ufeff",
        "`cat`",
        "  cat\n",
    ],
)
def test_what_stands_around_a_text_is_no_part_of_it(text: str) -> None:
    assert normal_text(text) == "cat"


@pytest.mark.parametrize("text", ["?", "...", "—", '"""', "$", "(", "'"])
def test_a_text_of_nothing_but_punctuation_stays(text: str) -> None:
    assert normal_text(text)


def test_an_options_exact_text_wins_over_one_that_only_folds_to_it() -> None:
    assert parse_answer("choice", "us", ["US", "us"]) == "B"
    assert parse_answer("choice", "Answer: US", ["US", "us"]) == "A"
    assert isinstance(parse_answer("choice", "Us", ["US", "us"]), Unparsable)
    assert [parse_answer("choice", text, ["A+", "A-", "-5", "5"]) for text in ("A-", "A+", "5", "-5")] == ["B", "A", "D", "C"]


@pytest.mark.parametrize(
    ("raw", "number"),
    [
        *(
            (f"0{said}", 0.0)
            for said in (" - there is no evidence of cars", ". There is no evidence of damage.", " (there is no data on any)")
        ),
        ("42", 42.0),
        ("It is 42.", 42.0),
        ("1,234.5", 1234.5),
        ("12 %", 12.0),
        ("-5", -5.0),
        ("−5", -5.0),
        ("1e3", 1000.0),
        ("3/4", 0.75),
        ("Answer: 3 + 4 = 7", 7.0),
        ("There are 3 cats and 4 dogs. Answer: 7", 7.0),
        ("$\\boxed{12}$", 12.0),
        ("7 is 7", 7.0),
        (r"\frac{3}{4}", 0.75),
        (r"$-\frac{1}{2}$", -0.5),
        (r"1\frac12", 1.5),
        (r"12 \text{ cm}^3", 12.0),
        (r"so \boxed{12 \text{ cm}^3} in 3 steps", 12.0),
        ("12 cm³", 12.0),
        ("12cm3", 12.0),
        ("5 m/s^2", 5.0),
        ("1{,}234", 1234.0),
        (r"1\,234", 1234.0),
        ("1 234", 1234.0),
        ("1\u202f234\u202f567.5", 1234567.5),
        ("1\u00a0234", 1234.0),
        ("1’234", 1234.0),
        ("½", 0.5),
        ("1½", 1.5),
        ("1 1/2", 1.5),
        ("-1 1/2", -1.5),
        ("3e3", 3000.0),
        ("3 ×10^3", 3000.0),
        ("3 × 10^3", 3000.0),
        ("3 × 10⁻³", 0.003),
        (r"3 \times 10^{3}", 3000.0),
        ("10³", 1000.0),
        ("2 million", 2e6),
        ("2.5 Million people", 2.5e6),
        ("5k", 5000.0),
        ("$2M", 2e6),
        ("两个地方共5万", 50_000.0),
        ("\u20135", -5.0),
        ("-$5", -5.0),
        ("minus 5", -5.0),
        ("**7**", 7.0),
        ("１２", 12.0),
        ("1\u200b2", 12.0),
        ("5 ± 0.2", 5.0),
        ("5 (since 2 + 3)", 5.0),
        ("5, because 2 + 2 is 4 and 1 more", 5.0),
        ("5\n\nExplanation: there are 2 cats and 3 dogs.", 5.0),
        ("5 out of 10", 5.0),
        ("5 [1]", 5.0),
        ("42 in 2023", 42.0),
        ("In 2023, 42 people came.", 42.0),
        ("It was built in 1998.", 1998.0),
        ("Figure 2 shows 5 cats.", 5.0),
        ("2 + 3 = 5", 5.0),
        ("2x = 10, x = 5", 5.0),
        ("f(2) = 5", 5.0),
        ("5, not 6", 5.0),
        ("There are 5 rows with no data.", 5.0),
        ("There are 3 cats and 4 dogs, so the answer is 7.", 7.0),
        ("3 cats, 4 dogs. The final answer is: about 7", 7.0),
        ("3 cats, 4 dogs.\n**Final answer:** 7 (3 + 4)", 7.0),
        ("5\nThe answer is clear.", 5.0),
    ],
)
def test_a_number_is_read(raw: str, number: float) -> None:
    assert parse_answer("number", raw) == number


@pytest.mark.parametrize(
    "raw",
    [
        *("3 cats and 4 dogs", "10-12", "5–10", "5 to 10", "between 5 and 10", "5 or 6", "5 (or 6)", "5, 6", "Answer: 5 or 6"),
        *("Answer: many", "1" * 5000, "1e9999", "5/0", "v2.0", "1.2.3", "COVID-19", "0x1F", "2M", "±5", "5 and a half"),
        *("3,5", "3,3", "Answer: 3,5", "1.234,567", "12,34,56", "4:04", "3x4", "3 × 4", "2023-05-01", "5 hundred thousand"),
        *("5, but I'm not sure", "5. I cannot determine it", "5 - not sure", "2 values cannot be determined", "5-10 is unclear"),
        *("As of 2023, I do not know", "Figure 2 shows it is unclear", "I cannot determine the 2 values.", "not 5", "The answer is not 5"),
        *("x = 5, y = 3", "The answer is based on 3 figures and 4 texts", "5 = 2 + 3 = 6 - 1 and 4", "5 because of this, but actually 6"),
    ],
)
def test_no_number_or_several_without_marker_are_unparsable(raw: str) -> None:
    assert isinstance(parse_answer("number", raw), Unparsable)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("Paris", "Paris"),
        ("Answer: Paris", "Paris"),
        ("Answer: Paris\nBecause it is.", "Paris"),
        ("Answer: Rome\nAnswer: Paris", "Paris"),
        ('"Paris"', "Paris"),
        ("**Paris**", "Paris"),
        ("```\nParis\n```", "Paris"),
        ("<think>Rome?</think>\nParis", "Paris"),
        ("\\boxed{Paris}", "Paris"),
        ("The answer is Paris.", "Paris"),
        ("It has a tower. So, the answer is: **Paris**.", "Paris"),
        ("My final answer is Paris", "Paris"),
        ("The answer is U.S.", "U.S."),
        ("The answer is no.", "no"),
        ("The answer is because of the lack of drugs.", "because of the lack of drugs"),
        ("The answer is clear because it has a tower.", "The answer is clear because it has a tower."),
        ("Because the answer is no longer valid", "Because the answer is no longer valid"),
        ("The answer is not known", "The answer is not known"),
    ],
)
@pytest.mark.parametrize("answer_type", ["label", "short_text"])
def test_labels_and_short_answers_lose_what_is_wrapped_around_them(answer_type: str, raw: str, text: str) -> None:
    assert parse_answer(answer_type, raw) == text


def test_a_long_answer_keeps_all_of_its_text() -> None:
    assert parse_answer("long_text", "He said: what is the answer: nobody knew.") == "He said: what is the answer: nobody knew."
    assert parse_answer("long_text", "Answer: Certainly, sir.\nAt once.") == "Certainly, sir.\nAt once."


@pytest.mark.parametrize(
    ("raw", "items"),
    [
        ('["a", "b"]', ("a", "b")),
        ('Here:\n```json\n["a", "b"]\n```', ("a", "b")),
        ("a, b", ("a", "b")),
        ("a; b, c", ("a", "b, c")),
        ("1. a\n2. b", ("a", "b")),
        ("Answer:\n- a\n- b", ("a", "b")),
        ("(EU, ORG), (German, MISC)", ("EU, ORG", "German, MISC")),
        ("(EU, ORG)", ("EU, ORG",)),
        ('{"entities": ["a", "b"]}', ("a", "b")),
        ("[]", ()),
        ("[a, b", ("a", "b")),
        ("['a', 'b',]", ("a", "b")),
        ('["a", "b"', ("a", "b")),
        ('["a", "b', ("a",)),
        ('I found ["a", "b"] and nothing else.', ("a", "b")),
        ('["a"], that is ["a"]', ("a",)),
        ('["EU", "ORG"]\n["German", "MISC"]', ("EU, ORG", "German, MISC")),
        ("Emotions:\n- a\n- b", ("a", "b")),
        ("**Emotions:**\n1. a\n2. b", ("a", "b")),
        ("Sure:\n```\na\nb\n```\nI hope it helps.", ("a", "b")),
        ("The emotions are: a, b", ("a", "b")),
        ("Relations:\n(a => r => b)", ("a => r => b",)),
        ("None", ()),
        ("Answer: None.", ()),
        ("- None", ()),
        ("[None]", ()),
        ("There are no relations.", ()),
        ("There are no relations between the speakers.", ()),
        ("No relations were found.", ()),
        ("no emotion", ("no emotion",)),
        ("none, joy", ("none", "joy")),
        (
            "(Speaker 1 (PER) => per:siblings => Ross (PER) (Ross (PER) => per:siblings => Speaker 1 (PER)",
            ("Speaker 1 (PER) => per:siblings => Ross (PER)", "Ross (PER) => per:siblings => Speaker 1 (PER)"),
        ),
        (
            "(Speaker 1 (PER) => per:siblings => Ross (PER)), (Ross (PER) => per:siblings => Speaker 1 (PER))",
            ("Speaker 1 (PER) => per:siblings => Ross (PER)", "Ross (PER) => per:siblings => Speaker 1 (PER)"),
        ),
    ],
)
def test_items_are_read_from_json_tuples_lines_and_separators(raw: str, items: tuple[str, ...]) -> None:
    assert parse_answer("items", raw) == items


@pytest.mark.parametrize("raw", ['["joy"] or ["fear"]', "I cannot determine the emotions.", "Emotions:", "[[]]", '{"answer": null}'])
def test_several_lists_refusals_and_headings_alone_are_no_items(raw: str) -> None:
    assert isinstance(parse_answer("items", raw), Unparsable)


X = Box(1, 2, 3, 4, "x")


@pytest.mark.parametrize(
    ("raw", "boxes"),
    [
        ("[[1, 2, 3, 4]]", (Box(1, 2, 3, 4),)),
        ("[1, 2, 3, 4]", (Box(1, 2, 3, 4),)),
        ('{"bird": [[1, 2, 3, 4], [5, 6, 7, 8]]}', (Box(1, 2, 3, 4, "bird"), Box(5, 6, 7, 8, "bird"))),
        ('[{"Fall": [1, 2, 3, 4]}]', (Box(1, 2, 3, 4, "Fall"),)),
        ('```json\n[{"bbox": [1, 2, 3, 4], "label": "x", "score": 0.4}]\n```', (Box(1, 2, 3, 4, "x", 0.4),)),
        ('{"boxes": [{"x": 1, "y": 2, "width": 3, "height": 4, "confidence": "0.5"}]}', (Box(1, 2, 3, 4, "", 0.5),)),
        ("I see one at (1, 2, 3, 4).", (Box(1, 2, 3, 4),)),
        ("[[1, 2, 3, 4], [5, 6, 7, 8], [9,", (Box(1, 2, 3, 4), Box(5, 6, 7, 8))),
        ("[[1, 2, -3, 4]]", (Box(1, 2, 0, 4),)),
        ('Found: {"bird": [[1, 2, 3, 4]], "count": 1}', (Box(1, 2, 3, 4, "bird"),)),
        ('{"boxes": [{"x": 1, "y": 2, "width": -3, "height": 4}], "image": "a.png"}', (Box(1, 2, 0, 4),)),
        ('[{"label": "x", "box": [1, 2, 3, 4]}, {"label": "y", "box": [5, 6, 7, 8]}, {"label": "z", "bo', (X, Box(5, 6, 7, 8, "y"))),
        ("[{'label': 'x', 'box': [1, 2, 3, 4], 'score': None}]", (X,)),
        ("Sure:\n```json\n[{'label': 'x', 'box': [1, 2, 3, 4]},]\n```", (X,)),
        ('[{"label": "x", "x1": 1, "y1": 2, "x2": 4, "y2": 6}]', (X,)),
        ('{"label": "x", "xmin": 1, "ymin": 2, "xmax": 4, "ymax": 6}', (X,)),
        ('[{"label": "x", "bbox_2d": [1, 2, 4, 6]}]', (X,)),
        ('{"x": {"bbox_2d": [[1, 2, 4, 6]]}}', (X,)),
        ('[{"label": "x", "box": {"x": 1, "y": 2, "width": 3, "height": 4}}]', (X,)),
        ("bird: [[1, 2, 3, 4]]\nfox: [[5, 6, 7, 8]]", (Box(1, 2, 3, 4), Box(5, 6, 7, 8))),
        ("At [1, 2, 3, 4], as [1] says, and at (5, 6, 7, 8).", (Box(1, 2, 3, 4), Box(5, 6, 7, 8))),
        ("[]", ()),
        ('{"bird": []}', ()),
    ],
)
def test_boxes_are_read_in_the_forms_models_write(raw: str, boxes: tuple[Box, ...]) -> None:
    assert parse_answer("boxes", raw) == boxes


@pytest.mark.parametrize(
    "raw",
    [
        *("There is a bird.", "[[1, 2, 3]]", '[{"label": "bird"}]', "[[NaN, 1, 2, 3]]", "[" * 100_000),
        '[{"label": "bird", "box_2d": [100, 200, 300, 400]}]',
        "It is at {'box_2d': [100, 200, 300, 400], 'label' 'bird'}.",
        "It is at {'bbox_2d': [100, 200, 300, 400], 'label' 'bird'}.",
        'First {"bird": [[1, 2, 3, 4]]} came, then {"bird": [[5, 6, 7, 8]]}.',
    ],
)
def test_what_holds_no_box_is_unparsable(raw: str) -> None:
    assert isinstance(parse_answer("boxes", raw), Unparsable)


MARKS = ("Answer:", "answer is", "\\boxed{", "<think>", "</think>", "```", "json", "=>", "A", "B.", "1", "e9", "\n")
pieces = st.sampled_from([*MARKS, *'(){}[]",-.'])
hostile = st.one_of(st.text(max_size=300), st.lists(st.one_of(pieces, st.text(max_size=5)), max_size=60).map("".join))


@settings(max_examples=400)
@given(st.sampled_from([kind.value for kind in AnswerType]), hostile, st.lists(st.text(max_size=20), max_size=30))
def test_no_text_makes_a_parser_raise(answer_type: str, raw: str, options: list[str]) -> None:
    parsed = parse_answer(answer_type, raw, options)
    if isinstance(parsed, Unparsable):
        assert parsed.reason
        assert "\n" not in parsed.reason
    if not raw.strip():
        assert isinstance(parsed, Unparsable)


@pytest.mark.parametrize("answer_type", [kind.value for kind in AnswerType])
@pytest.mark.parametrize("unit", ["[", "{", "(", "1,", "a ", "Answer: ", "<think>", "\\boxed{", "1/", "(a => ", "[1,2,3,", " ", "```"])
def test_long_repetition_ends_in_an_answer_or_a_reason(answer_type: str, unit: str) -> None:
    parse_answer(answer_type, unit * (50_000 // len(unit)), ["dry", "wet"])


@given(st.integers(2, 26).flatmap(lambda count: st.tuples(st.just(count), st.integers(0, count - 1))))
def test_every_letter_among_the_options_is_read_and_none_beyond(case: tuple[int, int]) -> None:
    count, index = case
    options = [f"option text {position}" for position in range(count)]
    letter = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[index]
    assert parse_answer("choice", f"Answer: {letter}", options) == letter
    assert parse_answer("choice", options[index], options) == letter
    assert isinstance(parse_answer("choice", f"Answer: {letter}", options[:1]), Unparsable) == (letter != "A")

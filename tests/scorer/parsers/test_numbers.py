"""Numbers are read in every usual form, and nothing that is a part of something else, a bound or a name is taken for one."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorer.parsers import Unparsable, parse_answer
from scorer.parsers.expressions import OPAQUE, exact, worked_out
from scorer.parsers.number_words import counts_as_digits, value_of


def number(raw: str) -> object:
    return parse_answer("number", raw)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("\\sqrt{4}", 2),
        ("\\frac{3}{4}", 0.75),
        ("2^3", 8),
        ("3/4", 0.75),
        ("1.5e3", 1500),
        ("50 %", 50),
        ("1 1/2", 1.5),
        ("\\boxed{\\frac{3}{4}}", 0.75),
        ("5 km/h", 5),
        ("12 m2", 12),
        ("1,234.5", 1234.5),
        ("1.234,5", 1234.5),
        ("1 234", 1234),
        ("1'234", 1234),
        ("1,23,456", 123456),
        ("−5", -5),
        ("٤٢", 42),
        ("४२", 42),
        ("４２", 42),
        ("四十二", 42),
        ("x = 5", 5),
        ("The answer is therefore 42 apples.", 42),
        ("\\boxed{\\text{42 apples}}", 42),
        ("\\boxed{42\\text{ cm}}", 42),
        ("$18", 18),
        ("\\$18", 18),
        ("18.00", 18),
        ("= 1/2", 0.5),
        ("there are three people older than 60", 3),
        ("Answer: 5. Wait, actually it should be 6.", 6),
        ("The answer is 5. Wait, no, the answer is 6.", 6),
        ("There are 5!", 5),
        ("I count 7 birds in image 1.", 7),
        ("Step 1: count. Step 2: add. The total is 9.", 9),
        ("1. Count the red ones: 3\n2. Count the blue ones: 4\n3. Add them.\nTotal: 7", 7),
        ("**5**", 5),
        ("There are **5** cats: 2 on the left and 3 on the right.", 5),
        ("5\n\nI see 2 on the left and 3 on the right.", 5),
        ("#### 42", 42),
        ("2+2=4\n#### 4", 4),
        ("A: 26", 26),
        ("twenty-one", 21),
        ("one hundred and five", 105),
        ("Zero", 0),
        ("There is one cat.", 1),
        ("I can see four dogs in the picture.", 4),
        ("The number of cars is three", 3),
        ("three", 3),
        ("tres", 3),
        ("drei", 3),
        ("три", 3),
        ("三", 3),
        ("有三只猫。", 3),
        ("तीन", 3),
        ("So, 3 + 4 = 7.", 7),
        ("The result is approximately 3.14", 3.14),
        ("≈ 3.14", 3.14),
        ("approx. 12", 12),
        ("~12", 12),
        ("about 12", 12),
        ("Answer: 12%", 12),
        ("12 percent", 12),
        ("€1.234,50", 1234.5),
        ("1.234.567", 1234567),
        ("1_000_000", 1000000),
        ("-3.5", -3.5),
        ("minus 3", -3),
        ("CO2 levels are 5", 5),
        ("H2O: 18 g", 18),
        ("90^\\circ", 90),
        ("90°", 90),
        ("\\( 5 \\)", 5),
        ("\\[ x = 5 \\]", 5),
        ("$$5$$", 5),
        ("$5$", 5),
        ("`5`", 5),
        ("<b>5</b>", 5),
        ("3 out of 10", 3),
        ("Three of the 10 people are women.", 3),
        ("In 2023, there were 42.", 42),
        ("It weighs 5kg", 5),
        ("5.", 5),
        ("(5)", 5),
        ("[5]", 5),
        ('"5"', 5),
        ("5 apples", 5),
        ("5 apples and no pears", 5),
        ("The correct answer is 5 because 2 + 3 = 5", 5),
        ("R^2 = 0.95", 0.95),
        ("f(2) = 5", 5),
        ("P(X = 2) = 0.25", 0.25),
        ("log_2(8) = 3", 3),
        ("\\log_{10}(100) = 2", 2),
        ("2\\pi \\approx 6.28", 6.28),
        ("\\sqrt{2} \\approx 1.414", 1.414),
        ("5! = 120", 120),
        ("sin 30 = 0.5", 0.5),
        ("Final answer: 5 apples", 5),
        ("The final answer is $\\boxed{12}$.", 12),
        ("Therefore, the number of apples is 12.", 12),
        ("Result: 12", 12),
        ("Count = 12", 12),
        ("So there are 12 of them.", 12),
        ("La respuesta es 12.", 12),
        ("答案是12。", 12),
        ("答案：12", 12),
        ("【答案】12", 12),
        ("Ответ: 12", 12),
        ("共12个", 12),
        ("There are 12 in total: 5 red and 7 blue.", 12),
        ("5 red and 7 blue, for a total of 12.", 12),
        ("2 million", 2000000.0),
        ("3.5 billion", 3500000000.0),
        ("1e-3", 0.001),
        ("3 \\times 10^{-3}", 0.003),
        ("0.5", 0.5),
        (".5", 0.5),
        ("+5", 5),
        ("5 - there are five", 5),
        ("Answer: **5** (five)", 5),
        ("There are no cars.", 0),
        ('{"count": 5}', 5),
        ('{"answer": "5 apples"}', 5),
        ("12 cm²", 12),
        ("3 m³", 3),
        ("5'", 5),
        ("5 ft", 5),
        ("USD 5", 5),
        ("5 USD", 5),
        ("Rs. 500", 500),
        ("₹1,23,456", 123456),
        ("5 ± 1", 5),
        ("\\frac{1}{3}", 0.3333333333333333),
        ("0.333...", 0.333),
        ("The angle is 45 degrees.", 45),
        ("45\\%", 45),
        ("\\boxed{x = \\frac{1}{2}}", 0.5),
        ("\\boxed{-\\frac{5}{2}}", -2.5),
        ("\\boxed{1,234}", 1234),
        ("\\boxed{5\\%}", 5),
        ("\\boxed{\\$5.00}", 5),
        ("\\boxed{3\\sqrt{4}}", 6),
        ("√16", 4),
        ("$\\frac{12}{4} = 3$", 3),
        ("The ratio is 3/4.", 0.75),
        ("Thus x=12", 12),
        ("x=-3", -3),
        ("y equals 7", 7),
        ("I'd say 7.", 7),
        ("My estimate: 7", 7),
        ("Probably 7", 7),
    ],
)
def test_a_number_in_a_usual_form_is_read(raw: str, value: float) -> None:
    assert number(raw) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(
    "raw",
    [
        "2\\pi",
        "5!",
        "log 10",
        "sin 30",
        "more than 5",
        "at least 5",
        "Question 3: unknown",
        "image 1",
        "Step 2",
        "3:45",
        "3-5",
        "CO2",
        "H2O",
        "m2",
        "2023-05-01",
        "May 5, 2023",
        "5 or 6",
        "between 5 and 10",
        "> 5",
        "≥ 5",
        "less than 10",
        "fewer than 3",
        "5+",
        "up to 5",
        "no more than 5",
        "5 or more",
        "\\sqrt{2}",
        "\\frac{2}{a+b}",
        "16-\\pi",
        "\\pm 5",
        "\\pm\\sqrt{2}",
        "x + 5",
        "m - 1",
        "3x + 2 = 5",
        "x^2 = 9",
        "2x",
        "5n",
        "3i",
        "2^x",
        "e^2",
        "x_1",
        "a_{10}",
        "10:30",
        "12/25/2023",
        "I see images 1 and 2",
        "Figure 3",
        "see question 5",
        "Answer: more than 5",
        "Answer: many",
        "I don't know",
        "The answer is 5. Hmm, that is wrong.",
        "5, 6, 7",
        "3 cats and 4 dogs",
        "3D",
        "v2",
        "iPhone12",
        "Option B",
        "two or three",
        "one of them",
        "1. cat",
        "1. red\n2. blue",
        "\\binom{5}{2}",
        "C(5,2)",
        "|x|",
        "5x faster",
        "\\infty",
        "π",
        "2021 +",
        "3 × 4",
        "3*4",
        "(3, 4)",
        "[1, 2]",
        "3²x",
        "y = 2x + 3",
        "\\boxed{5} or \\boxed{6}",
        "first 5 then 6",
        "not 5",
        "The answer is not 5.",
        "Half",
        "a few",
        "several",
        "dozens",
        "1/0",
        "10-20%",
        "5~6",
        "３〜５",
        "从3到5",
        "\\log 10",
        "\\ln 2",
        "x > 5",
        "5 < x",
        "3 ≤ x",
        "x ≤ 3",
        "x \\geq 3",
        "#3",
        "Q3",
        "over 60",
        "under 18",
        "[answer]",
        "<think>5",
    ],
)
def test_what_is_no_number_is_unparsable(raw: str) -> None:
    assert isinstance(number(raw), Unparsable)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (r"2\pi", "it is not clear which number it means"),
        (r"\sqrt{2}", "its number is an expression that is not worked out"),
        ("more than 5", "its numbers are no more than bounds, dates or names"),
        ("image 1", "its numbers are no more than bounds, dates or names"),
        ("3x + 2 = 5", "it states an equation rather than a number"),
        ("The answer is 5. Wait, that is wrong.", "it takes its number back"),
        ("I cannot tell", "it says that there is no answer"),
        ("many", "there is no number in it"),
    ],
)
def test_the_reason_says_what_stands_there_instead(raw: str, reason: str) -> None:
    assert number(raw) == Unparsable(reason)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("She has 3 * 7 = 21 eggs.\nShe eats 21 / 3 = 7 of them.", 7.0),
        ("She has 3 * 7 = <<3*7=21>>21 eggs.\nSince she eats 2 * 7 = $<<2*7=14>>14, there are 21 - 14 = <<21-14=7>>7 left.", 7.0),
        ("She spent $8 + $16 = $24.\nSince she had $100, she has $100 - $24 = $76 left.", 76.0),
        ("There are 3 cats and 4 dogs, so there are 7 animals.", 7.0),
        ("3 cats, 4 dogs.\n\nTherefore, the total number is 7.", 7.0),
        ("We have 2x = 10, so x = 5.", 5.0),
        ("Half of 20 is 10.\nAltogether: 10 + 20 = 30 cats", 30.0),
        ("The first is 4.\nThe second is 5.\n\n9", 9.0),
        ("The first is 4.\nThe second is 5.\n\nx = 9", 9.0),
        ("First 4, then 5. **Total: 9**", 9.0),
        ("The value is **9** since 4 and 5 add up.", 9.0),
        ("There are 9 cats, including 4 red ones and 5 black ones.", 9.0),
        # What concludes nothing, or something else, is no answer.
        ("There are 5 cats. One of them is 3 years old.", None),
        ("There are 5 cats: 2 red ones and 1 black one.", None),
        ("It has 5 true statements and 2 false ones.\nSo there are no solutions.", None),
        ("We know that x + y = 10 and 2x = 6.\nSo y^2 = 9.", None),
        ("First 3 + 4 = 7.\nThen the side is \\sqrt{50}.", None),
        ("x = 5, y = 3. So x = 5 and y = 3.", None),
        ("5\n3 on the left\n7", None),
        ("It moves 300 / 60 = 5 degrees in 1 minute.\nSince the hour", None),
        ("It moves 300 / 60 = 5 degrees in 1 minute.\nThat is slow.", 5.0),
        ("The base is 4, the height is $\\sqrt{3}$." + " We look at it again." * 20, None),
        ("**5** or **6** of 7", None),
        ("There are 3 rows of 4. So we multiply 3 and 4 and also take into account that in each of the other 2 rows which", None),
    ],
)
def test_what_a_text_of_several_numbers_comes_to(raw: str, value: float | None) -> None:
    read = number(raw)
    assert read == value if value is not None else isinstance(read, Unparsable)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("The answer is 5. Wait, it should be 6.", 6.0),
        ("Answer: 5\nHmm, no. I made a mistake: the result is 6.", 6.0),
        ("Answer: 5\nActually, make that 6.", 6.0),
        ("Answer: 5. Wait, let me check: 2 + 3 = 5. Yes.", 5.0),
        ("Answer: 5\nWait, that is incorrect.", None),
        ("Answer: 5\nWait, there are 2 more.", None),
        ("5, no, 6", 6.0),
    ],
)
def test_what_takes_itself_back_is_read_to_the_end(raw: str, value: float | None) -> None:
    read = number(raw)
    assert read == value if value is not None else isinstance(read, Unparsable)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r"\frac{\frac{1}{2}}{3}", "1/6"),
        (r"2\sqrt{9}", "6"),
        (r"\sqrt[3]{27}", "3"),
        (r"\sqrt{\frac{1}{4}}", "1/2"),
        (r"-\frac{3}{4}", "-3/4"),
        (r"1\frac{3}{4}", "1 3/4"),
        (r"\frac{2^{3}}{4}", "2"),
        (r"\frac{1,000}{3}", "1000/3"),
        ("sqrt(16)", "4"),
        (r"\frac{1}{0}", OPAQUE),
        (r"\sqrt{-4}", OPAQUE),
        (r"\frac{2}{a+b}", OPAQUE),
        (r"x\frac{1}{2}", "x" + OPAQUE),
        (r"\frac{1}{2}\sqrt{4}", "1/2" + OPAQUE),
        (r"5^\frac{1}{2}", "5^" + OPAQUE),
        (r"\frac{9^{999}}{2}", OPAQUE),
    ],
)
def test_fractions_and_roots_are_worked_out_if_they_are_exact(text: str, value: str) -> None:
    assert worked_out(text) == value


@given(st.fractions(max_denominator=999), st.fractions(max_denominator=999), st.integers(-9, 9))
def test_expressions_come_to_what_arithmetic_says(one: Fraction, other: Fraction, power: int) -> None:
    assert exact(f"({one}) + ({other})") == one + other
    assert exact(f"({one}) - ({other}) * ({one})") == one - other * one
    assert exact(f"({one}) / ({other})") == (one / other if other else None)
    assert exact(f"({one})^({power})") == (one**power if one or power >= 0 else None)
    assert exact(f"-({one})^2") == -(one**2)


@given(st.integers(0, 999_999))
def test_numbers_in_words_are_read_back(value: int) -> None:
    assert value_of(in_words(value)) == value
    assert number(in_words(value).capitalize() + ".") == value
    assert counts_as_digits(f"There are {in_words(value)} cats in it.") == f"There are {value} cats in it."


def in_words(value: int) -> str:
    ones = (
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
    )
    small = ones.split()
    if value < 20:
        return small[value]
    if value < 100:
        tens = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"][value // 10 - 2]
        return tens + (f"-{small[value % 10]}" if value % 10 else "")
    unit, word = (1_000, "thousand") if value >= 1_000 else (100, "hundred")
    rest = f" and {in_words(value % unit)}" if value % unit else ""
    return f"{in_words(value // unit)} {word}{rest}"


FORMS = [
    "{}",
    "{}.",
    " {} apples",
    "**{}**",
    "`{}`",
    "({})",
    "${}$",
    "\\({}\\)",
    "$\\boxed{{{}}}$",
    "Answer: {}",
    "**Final answer:** {}",
    "The answer is {}.",
    "So the answer is therefore {} apples.",
    "x = {}",
    "3 + 4 is 7.\nAnswer: {}\nThat is all.",
    "<answer>{}</answer>",
    '{{"answer": {}}}',
    "Question 3: {}",
    "In image 2 there are {} of them.",
    "#### {}",
    "A: {}",
    "{}</s>",
]


@given(st.one_of(st.integers(-(10**9), 10**9), st.decimals(-(10**6), 10**6, places=3)), st.sampled_from(FORMS))
def test_a_number_is_read_in_any_form_that_it_is_wrapped_in(value: int, form: str) -> None:
    assert number(form.format(value)) == float(value)


@given(st.integers(1_000, 10**12))
def test_thousands_are_read_in_all_ways_of_writing_them(value: int) -> None:
    written = f"{value:,}"
    for mark in (",", " ", "'", "\u2019", "_", "\u202f", "\u00a0", "{,}", r"\,"):
        assert number(written.replace(",", mark)) == value
    assert number(written.replace(",", ".") + ",5") == (value + 0.5 if value >= 10**3 else value)


@given(
    st.integers(-999, 999),
    st.sampled_from(["It was easy to see.", "I hope that this helps!", "The picture is rather dark.", "See the image."]),
)
def test_a_sentence_without_a_number_changes_nothing(value: int, sentence: str) -> None:
    for before in ("Answer: {}", "There are {} of them.", "The answer is {}.", "{}"):
        stated = before.format(value)
        assert number(f"{stated}\n{sentence}") == number(f"{sentence}\n{stated}") == value


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_whatever_python_writes_is_read_back(value: float) -> None:
    read = number(repr(value))
    assert isinstance(read, float)
    assert math.isclose(read, value)


@pytest.mark.parametrize(
    "unit",
    [
        "\\frac{",
        "\\frac{1}{2}",
        "\\sqrt{",
        "√(",
        "sqrt(",
        "five ",
        "two hundred ",
        "one and ",
        "1.234.",
        "12,34,",
        "<<1",
        "So 1 = ",
        "1. a\n",
        "五",
        ".",
        "! ",
    ],
)
def test_long_repetitions_end_soon(unit: str) -> None:
    number(unit * (100_000 // len(unit)))


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("B: 4\nA: 3", None),
        ("y = 2x = 12", 12.0),
        ("We have 4 and 5.\nSo 2x = 10", None),
        ("5 on the left of the two big trees\n3 cats and 2 dogs", None),
        ("There are 3 and 4.\nSo there are 7.\nThat cannot be so.", None),
        ("There are 3 and 4.\nSo there are 7 apples which we now have to multiply by the price of each apple that", None),
        ("十百", None),
        ("二百五十", 250.0),
    ],
)
def test_what_is_nearly_a_number_is_none(raw: str, value: float | None) -> None:
    read = number(raw)
    assert read == value if value is not None else isinstance(read, Unparsable)


def test_marks_that_do_not_count_up_are_numbers() -> None:
    assert number("1. It is red.\n7. It is blue.") == Unparsable("it has 2 different numbers and no answer marker")
    assert number("1. It is red.\n2. It is blue.") == Unparsable("its numbers are no more than bounds, dates or names")


def test_words_that_are_no_one_number_are_none() -> None:
    assert [value_of(words) for words in ("twenty zero", "two three", "five twenty", "thirty eleven")] == [None] * 4

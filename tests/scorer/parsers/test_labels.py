"""Labels as models write them: read whenever a careful person would, and never taken for an option that was not meant."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Callable
from types import FrameType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genlevel.benchmark.texts import normal_text
from scorer.parsers import Unparsable, parse_answer

SETS = {
    "painters": ("Claude Monet", "Vincent van Gogh", "Pablo Picasso", "Édouard Manet", "Salvador Dalí"),
    "cars": ("BMW", "Land Rover", "Rover", "Citroën", "Mercedes-Benz", "GMC", "Alfa Romeo"),
    "emotions": ("joy", "sadness", "anger", "no emotion", "surprise", "disgust"),
    "animals": ("cat", "cat food", "dog", "hot dog", "sea lion", "lion", "polar bear"),
    "signs": ("traffic_light", "stop sign", "fire hydrant", "parking meter"),
    "inference": ("entailment", "neutral", "contradiction"),
    "Chinese": ("猫", "狗", "大熊猫", "老虎"),
    "Spanish": ("perro", "gato", "niño", "niña"),
    "German": ("Hund", "Katze", "Vögel"),
    "Korean": ("고양이", "강아지"),
    "Japanese": ("ねこ", "いぬ"),
    "Russian": ("кошка", "собака"),
    "Hindi": ("बिल्ली", "कुत्ता"),
    "Arabic": ("قطة", "كلب"),
}
FORMS = (
    *(
        "{}",
        "{}.",
        "{}!",
        "The {}",
        "- {}",
        "### {}",
        '"{}"',
        "'{}'",
        "`{}`",
        "**{}**",
        "<b>{}</b>",
        "\\boxed{{{}}}",
        "$\\boxed{{\\text{{{}}}}}$",
    ),
    *("**{}**\nIt is clear from the picture.", "**{}**\n\nExplanation: the style shows it.", "{}\n\nThe features are typical."),
    *("Let me look at it.\n\nIt has many features.\n\n{}", "{} - it has the typical features.", "{}: typical features."),
    *("{} (high confidence)", "{}, because of its features.", "{} because of its features", "Prediction: {}\nConfidence: high"),
    *(
        "Category: {}",
        "Label = {}",
        "My prediction: {}",
        "So the final classification is: {}",
        "Answer: {}",
        "**Answer:** {}",
        "Final answer: **{}**",
    ),
    *('{{"label": "{}"}}', '{{"category": "{}", "confidence": 0.9}}', '```json\n{{"class": "{}"}}\n```', '{{"answer": "{}"}}'),
    *("{{'prediction': '{}'}}", "<answer>{}</answer>", "The category is {}.", "The answer is {}.", "I think it is {}.", "This is a {}."),
    *("It looks like {}.", "The painting is by {}.", "The image shows a {}.", "Based on the picture, the correct label is **{}**."),
    *(
        "Looking at the picture, I would classify this as {}.",
        'Therefore, the correct category is "{}".',
        "This belongs to the category {}.",
    ),
    *(
        "Sure! The label is {}.",
        "The object in the image is most likely a {}.",
        "It's {}.",
        "{} is the right label.",
        "{} is the correct answer.",
    ),
    *(
        "Respuesta: {}",
        "Réponse : {}",
        "Antwort: {}",
        "Ответ: {}",
        "答案：{}",
        "答案是{}。",
        "【答案】{}",
        "उत्तर: {}",
        "الإجابة: {}",
        "উত্তর: {}",
    ),
    *("Resposta: {}", "جواب: {}", "정답: {}", "答え: {}", "Risposta: {}", "Cevap: {}", "Đáp án: {}", "Jawaban: {}"),
)


def without_marks(text: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFD", text) if not 0x300 <= ord(letter) < 0x370)


def spellings(label: str, name: str) -> set[str]:
    written = {label, label.upper(), label.lower(), label.replace("_", " ").replace("-", " ")}
    return written if name == "Spanish" else written | {without_marks(label)}


@pytest.mark.parametrize("name", SETS)
def test_a_label_is_read_in_all_usual_forms(name: str) -> None:
    lost = [
        (text, parse_answer("label", text, SETS[name]))
        for label in SETS[name]
        for form in FORMS
        for written in sorted(spellings(label, name))
        if parse_answer("label", text := form.format(written), SETS[name]) != label
    ]
    assert lost == []


ANIMALS = SETS["animals"]


@pytest.mark.parametrize(
    "raw",
    [
        *("I cannot determine it.", "I'm sorry, I can't help with that.", "Unknown", "N/A", "None of the above", "Option 1", "B"),
        *("It could be a cat or a dog.", "cat or dog", "cat, dog", "cat and dog", "cat\ndog", "cat / dog", "cat dog", "cats vs dogs"),
        *("a cat, a dog and a lion", "1. cat\n2. dog\n3. lion", "The options are cat, dog, lion.", "Label: cat\nLabel: dog"),
        *("Either a cat or a dog", "Answer: cat or dog", "Category: cat or dog", "cat (or maybe dog)", "cat. Or dog?", "cat? dog?"),
        *("It is a cat. It is a dog.", "I see both a cat and a dog.", "It is neither a cat nor a dog.", "There is no cat.", "not a cat"),
        *(
            "It is not a cat.",
            "This isn't a cat",
            "It doesn't look like a cat",
            "No cat here",
            "Probably not a cat",
            "The answer is not cat",
        ),
        *("I don't think it is a cat.", "Anything but a cat", "cat is wrong", "The cat is ruled out.", "The animal is smaller than a cat."),
        *(
            "Is it a cat?",
            "cat?",
            "Not sure. Cat?",
            "Maybe a cat, I am not sure.",
            "It might be a cat.",
            "If it were a cat, it would purr.",
        ),
        *("It's hard to say whether it is a cat.", "I was unable to identify the animal; it might be a cat."),
        *(
            "It's a bird.",
            "bird",
            "catalog",
            "A dogfish",
            "Answer: bird",
            "Category: bird",
            "A cat-like animal, but I cannot tell which one.",
        ),
    ],
)
def test_what_settles_on_no_option_is_unparsable(raw: str) -> None:
    assert isinstance(parse_answer("label", raw, ANIMALS), Unparsable)


@pytest.mark.parametrize(
    ("raw", "label"),
    [
        ("Cats", "cat"),
        ("a sea-lion", "sea lion"),
        ("It's not a cat but a dog.", "dog"),
        ("It's a dog, not a cat.", "dog"),
        ("At first it looks like a cat, but it is a dog.", "dog"),
        ("I thought it was a cat. Actually, it's a dog.", "dog"),
        ("Answer: cat. Hmm, on reflection it should be dog.", "dog"),
        ("Rather than a cat, this is a dog.", "dog"),
        ("Cat food is shown.", "cat food"),
        ("It is cat food, not a cat.", "cat food"),
        ("The animal is a hot dog", "hot dog"),
        ("A polar bear is sitting on ice.", "polar bear"),
        ("The picture shows a cat sitting on a mat, looking at food.", "cat"),
        ("Cat. Dogs have longer snouts.", "cat"),
        ("It is a cat because a dog would have a longer snout.", "cat"),
        ("The animal is a cat. Unlike a dog, it has retractable claws.", "cat"),
        ("It could be a cat or a dog. The snout is long, so it is a dog.", "dog"),
    ],
)
def test_the_option_that_an_answer_settles_on_is_read(raw: str, label: str) -> None:
    assert parse_answer("label", raw, ANIMALS) == label


forms = st.sampled_from([form for form in FORMS if "{{" not in form])
sets = st.sampled_from(sorted(SETS))


@settings(max_examples=150)
@given(sets, st.data())
def test_an_option_is_read_as_itself_in_any_order_of_the_options(name: str, data: st.DataObject) -> None:
    label = data.draw(st.sampled_from(SETS[name]))
    options = data.draw(st.permutations(SETS[name]))
    raw = data.draw(forms).format(label)
    assert parse_answer("label", label, options) == label
    assert parse_answer("label", raw, options) == parse_answer("label", raw, SETS[name]) == label


@settings(max_examples=200)
@given(
    st.lists(st.text(alphabet="abcdeXYZ 1-.?é", min_size=1, max_size=12).filter(str.strip), min_size=1, max_size=8, unique=True), st.data()
)
def test_an_options_own_text_is_never_another_option(options: list[str], data: st.DataObject) -> None:
    label = data.draw(st.sampled_from(options))
    read = parse_answer("label", label, options)
    assert isinstance(read, Unparsable) or read.strip() == label.strip()


said = st.lists(
    st.sampled_from(["cat", "dog", "food", "not", "is", "a", "the", "or", "answer", ":", ".", "\n", "so", "?", "wait", "(", ")", "**"]),
    max_size=25,
)


@settings(max_examples=300)
@given(said.map(" ".join), st.permutations(["cat", "cat food", "dog"]))
def test_what_is_read_is_an_option_that_the_text_names_and_no_order_changes_it(raw: str, options: list[str]) -> None:
    read = parse_answer("label", raw, options)
    assert read == parse_answer("label", raw, ["cat", "cat food", "dog"])
    if isinstance(read, str):
        assert read in options
        assert read.split()[0] in raw


@pytest.mark.parametrize(
    "unit", ["cat ", "not a cat ", "cat or dog ", "Answer: cat\n", "- ", "(A) ", "is the ", "Category: ", "cat-", "因此", '[("* ']
)
@pytest.mark.parametrize("options", [("cat", "dog", "hot dog"), ()])
def test_the_work_grows_with_the_length_of_an_answer_and_no_faster(unit: str, options: tuple[str, ...]) -> None:
    steps = [steps_of("label", unit * (length // len(unit)), options) for length in (4_000, 16_000)]
    assert steps[1] < 5 * steps[0] + 500


def steps_of(kind: str, raw: str, options: tuple[str, ...]) -> int:
    """How many lines of the parsers are run: a count, as times differ from machine to machine."""
    count = 0

    def trace(frame: FrameType, _event: str, _argument: object) -> Callable[..., object] | None:
        nonlocal count
        count += 1
        return trace if "parsers" in frame.f_code.co_filename else None

    sys.settrace(trace)
    try:
        parse_answer(kind, raw, options)
    finally:
        sys.settrace(None)
    return count


@pytest.mark.parametrize(
    ("raw", "label"),
    [
        *(
            (form.format("Land Rover"), "Land Rover")
            for form in FORMS
            if form != "{}: typical features." and form.startswith(("{}", "**{}", "The answer", "Answer", "Category"))
        ),
        ("The painting is by Claude Monet.", "Claude Monet"),
        ("The brand is **GMC**.", "GMC"),
        ("It has a green oval.\n\nLand Rover", "Land Rover"),
        ("Based on the logo, this is a BMW.", "BMW"),
        ("No emotion", "No emotion"),
        ("It is hard to say because it is dark.", "It is hard to say because it is dark."),
    ],
)
def test_without_options_a_label_is_the_name_that_an_answer_states(raw: str, label: str) -> None:
    read = parse_answer("label", raw)
    assert isinstance(read, str)
    assert normal_text(read) == normal_text(label)


PAINTERS = ["Claude Monet", "Vincent van Gogh", "Pablo Picasso", "Rembrandt"]
CARS = ["BMW", "Land Rover", "Rover", "Citroen", "Audi"]
EMOTIONS = ["joy", "sadness", "anger", "neutral"]
SENTIMENTS = ["positive", "negative", "neutral"]
SAID = [
    ("Vincent van Gogh painted this.", PAINTERS, "Vincent van Gogh"),
    ("This painting was created by Claude Monet in 1872, and it hangs in Paris.", PAINTERS, "Claude Monet"),
    ("The style of the painting is Impressionism, which suggests Claude Monet.", PAINTERS, "Claude Monet"),
    ("The painter is **Pablo Picasso** (1881–1973).", PAINTERS, "Pablo Picasso"),
    ("Artist: Rembrandt\n\nExplanation: He used light like Claude Monet never did.", PAINTERS, "Rembrandt"),
    ("Not Claude Monet, but Pablo Picasso.", PAINTERS, "Pablo Picasso"),
    ("The logo is that of Citroën.", CARS, "Citroen"),
    ("It's a Rover, not a Land Rover.", CARS, "Rover"),
    ("I believe this is an Audi A4.", CARS, "Audi"),
    ("The car is a BMW 3 Series.", CARS, "BMW"),
    ("BMW M3", CARS, "BMW"),
    ("Emotion: **Joy**\nConfidence: 0.9", EMOTIONS, "joy"),
    ("The speaker feels joy rather than sadness.", EMOTIONS, "joy"),
    ("The dominant emotion here is anger, with a hint of sadness.", EMOTIONS, "anger"),
    ("neutral/joy", EMOTIONS, None),
    ("Joy, sadness", EMOTIONS, None),
    ("The review is neither positive nor negative, so it is neutral.", SENTIMENTS, "neutral"),
    ("Sentiment: Positive\nReason: the author likes it, there is nothing negative.", SENTIMENTS, "positive"),
    ("The sentiment is not negative.", SENTIMENTS, None),
    ("It is negative. Wait, no: it is positive.", SENTIMENTS, "positive"),
    ("mixed", SENTIMENTS, None),
    ("I would say it's a tie between joy and anger.", EMOTIONS, None),
    ("Could be joy. Could be anger.", EMOTIONS, None),
    ("joy? anger?", EMOTIONS, None),
    ("Sorry, I can't identify people in images, but the emotion might be joy.", EMOTIONS, None),
    ("As an AI I cannot feel joy.", EMOTIONS, None),
    ("La categoría es BMW.", CARS, "BMW"),
    ("Die Marke ist Audi.", CARS, "Audi"),
    ("La voiture est une BMW.", CARS, "BMW"),
    ("这是宝马BMW。", CARS, "BMW"),
    ("Это BMW.", CARS, "BMW"),
    ("それはBMWです。", CARS, "BMW"),
    ("C'est une BMW, pas une Audi.", CARS, "BMW"),
    ("Es ist kein BMW, sondern ein Audi.", CARS, "Audi"),
    ("No es un BMW, es un Audi.", CARS, "Audi"),
    ("这不是BMW，而是Audi。", CARS, "Audi"),
    ('{"emotion": "joy"}', EMOTIONS, "joy"),
    ('[{"label":"joy"}]', EMOTIONS, "joy"),
    ('{"joy": 0.9, "anger": 0.1}', EMOTIONS, None),
    ("<label>joy</label>", EMOTIONS, "joy"),
    ("<emotion>joy</emotion>", EMOTIONS, "joy"),
    ("[joy]", EMOTIONS, "joy"),
    ("Answer:\njoy", EMOTIONS, "joy"),
    ("The answer is:\n\n**joy**", EMOTIONS, "joy"),
    ("## Answer\njoy", EMOTIONS, "joy"),
    ("My final answer: it's joy!", EMOTIONS, "joy"),
    ("joy.\n\nThe face shows joy and no anger.", EMOTIONS, "joy"),
    ("joy\njoy\njoy", EMOTIONS, "joy"),
    ("1. joy", EMOTIONS, "joy"),
    ("(a) joy", EMOTIONS, "joy"),
    ("Options: joy, sadness, anger, neutral\nAnswer: anger", EMOTIONS, "anger"),
    ("Step 1: I see a smile.\nStep 2: A smile means joy.\nConclusion: joy", EMOTIONS, "joy"),
    ("The emotion is joyful", EMOTIONS, None),
    ("overjoyed", EMOTIONS, None),
    ("It is either joy or anger, but I would pick anger.", EMOTIONS, "anger"),
    ("joy > anger", EMOTIONS, None),
    ("Between joy and anger, joy is more likely.", EMOTIONS, "joy"),
    ("The person is not sad; they are showing joy.", EMOTIONS, "joy"),
    ("There is no sign of joy.", EMOTIONS, None),
    ("I don't see joy; I see anger.", EMOTIONS, "anger"),
    ("lack of joy", EMOTIONS, None),
    ("Absence of anger", EMOTIONS, None),
    ("joy (not anger)", EMOTIONS, "joy"),
    ("joy, not anger", EMOTIONS, "joy"),
    ("Definitely joy", EMOTIONS, "joy"),
    ("joyyy", EMOTIONS, None),
    ("A: joy", EMOTIONS, "joy"),
    ("Q: which?\nA: joy", EMOTIONS, "joy"),
    ("Label (joy)", EMOTIONS, "joy"),
    ("Classification → joy", EMOTIONS, "joy"),
    ("It is anger? No, it is joy.", EMOTIONS, "joy"),
    ("I'm not sure, but I think it's joy.", EMOTIONS, "joy"),
    ("The emotion cannot be determined.", EMOTIONS, None),
    ("joy - no, anger", EMOTIONS, "anger"),
    ("<div>", ["<div>", "<p>"], "<div>"),
]


@pytest.mark.parametrize(("raw", "options", "label"), SAID)
def test_what_is_said_of_painters_cars_and_moods_is_read_if_it_is_sure(raw: str, options: list[str], label: str | None) -> None:
    read = parse_answer("label", raw, options)
    assert read == label if label is not None else isinstance(read, Unparsable)

"""Answers as a careful reader would take them, written by someone who had not seen the parsers: traps and plain ones side by side."""

from __future__ import annotations

import pytest

from genlevel.benchmark.answer_kinds import AnswerType
from scorer.parsers import Box, Unparsable, parse_answer

NO_OPTIONS: list[str] = []
ROAD = ["dry", "wet", "frozen", "burning"]
CITIES = ["Paris", "London", "Berlin", "Madrid"]
CAPTIONS = ["A dog is running on the beach", "A cat is sleeping", "Two children are playing", "Nothing happens"]
COUNTS = ["2", "4", "8", "16"]
VITAMINS = ["vitamin A", "vitamin B", "vitamin C", "vitamin D"]
ENZYMES = [
    "RNA polymerase",
    "DNA polymerase",
    "Helicase",
    "Ligase",
    "Primase",
    "Topoisomerase",
    "Telomerase",
    "Nuclease",
    "Kinase",
    "Phosphatase",
]
SPEEDS = ["10 m/s", "20 m/s", "30 m/s", "40 m/s"]
PAINTERS = ["Claude Monet", "Edouard Manet", "Vincent van Gogh", "Pablo Picasso", "Paul Cézanne", "Henri de Toulouse-Lautrec"]
CARS = ["Audi", "BMW", "Mercedes-Benz", "Volkswagen", "Mini", "Ford", "Smart", "Seat", "Ram"]
EMOTIONS = ["anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"]
ANIMALS = ["cat", "wildcat", "dog", "prairie dog", "bear", "polar bear", "fish", "catfish", "seal", "sea lion", "crane"]
DISEASES = ["no finding", "pneumonia", "pneumothorax", "COVID-19", "viral pneumonia", "pleural effusion"]
STARS = ["1 star", "2 stars", "3 stars", "4 stars", "5 stars"]
MAYBE = ["yes", "no", "maybe"]
INFERENCE = ["entailment", "contradiction", "neutral"]
TOPICS = ["sport", "politics", "business", "tech", "entertainment"]
YES_NO = ["Yes", "No"]
SENTIMENTS = ["positive", "negative", "neutral", "very positive", "very negative"]

CHOICES: list[tuple[str, list[str], str | None]] = [
    (
        "Let's look at each option.\n\nA. dry – no, there are puddles.\nB. wet – yes, matches.\nC. frozen – "
        "no ice is visible.\nD. burning – no fire.\n\nSo B fits best.",
        ROAD,
        "B",
    ),
    ("What is the state of the road?\nA. dry\nB. wet\nC. frozen\nD. burning\nAnswer with the letter only.\n\nB", ROAD, "B"),
    ("Either A or B.", ROAD, None),
    ("Probably B, but it could also be C.", ROAD, None),
    ("Z. unknown", ROAD, None),
    ("The answer is A. No, sorry, B.", ROAD, "B"),
    ("Initially I'd say C; on closer inspection, it is D.", ROAD, "D"),
    ("A resposta correta é a B.", CITIES, "B"),
    ("A. A cat is sleeping", CAPTIONS, None),
    ("I need 2 steps. Step 1: halve. Step 2: add.", COUNTS, None),
    ("Vitamins A and D", VITAMINS, None),
    ("I am not sure.", ENZYMES, None),
    ("v = 20 m/s", SPEEDS, "B"),
    ("Final Answer: \\boxed{C} frozen, since the ice is visible, unlike in A.", ROAD, "C"),
    ("I would say the road is dry (A), but the puddles convince me that it is wet (B).", ROAD, "B"),
    ("Best answer: B; second best: A", ROAD, "B"),
    ("Q1: B\nQ2: C", ROAD, None),
    ("Plan B would be to wait.", ROAD, None),
    (
        "Let me recall. Paris is the capital of France; London is the capital of the United Kingdom; Berlin "
        "of Germany. The question asks about the United Kingdom.\n\nThus: London.",
        CITIES,
        "B",
    ),
    ("The question: Which city hosts Big Ben?\n\nA. Paris\nB. London\nC. Berlin\nD. Madrid\n\nBig Ben is in London.", CITIES, "B"),
    ("综上所述,正确答案为B。", CITIES, "B"),
    ("因此,答案应为选项C,而不是B。", CITIES, "C"),
    ("Portanto, a alternativa correta é a letra C.", CITIES, "C"),
    ("Следовательно, верный вариант — B.", CITIES, "B"),
    ("The answer is (F) Topoisomerase, not (G) Telomerase.", ENZYMES, "F"),
    ("Answer is A or I think B.", ENZYMES, None),
    ("The total number of legs is 4 × 4 = 16. So the answer is \\boxed{16}.", COUNTS, "D"),
    ("Looking at the two pictures, the left mug is not closer. So no.", YES_NO, "B"),
]

LABELS: list[tuple[str, list[str], str | None]] = [
    ("Monet", PAINTERS, "Claude Monet"),
    ("Painter: Monet", PAINTERS, "Claude Monet"),
    ("Monet, Claude", PAINTERS, "Claude Monet"),
    ("Manet", PAINTERS, "Edouard Manet"),
    ("Van Gogh", PAINTERS, "Vincent van Gogh"),
    ("Cezanne", PAINTERS, "Paul Cézanne"),
    ("Toulouse-Lautrec", PAINTERS, "Henri de Toulouse-Lautrec"),
    ("I cannot identify the painter.", PAINTERS, None),
    ("Toyota", CARS, None),
    ("A Mercedes-Benz C-Class parked behind a BMW.", CARS, None),
    ("To my surprise, no face is visible.", EMOTIONS, None),
    ("joy", EMOTIONS, None),
    ("Options: anger, disgust, fear, happiness, sadness, surprise, neutral. I choose: fear", EMOTIONS, "fear"),
    ("At first glance it is happiness. But the eyes say otherwise: it is sadness.", EMOTIONS, "sadness"),
    ("Please bear with me while I look at the picture.", ANIMALS, None),
    ("COVID19", DISEASES, "COVID-19"),
    ("4", STARS, "4 stars"),
    ("1", STARS, "1 star"),
    ("Maybe, but I can't say for sure.", MAYBE, "maybe"),
    ("not entailment", INFERENCE, None),
    ("It's none of your business.", TOPICS, None),
    ("I'm sorry, I can't identify that.", NO_OPTIONS, None),
    ("I cannot tell.", NO_OPTIONS, None),
    ("类别:猫", NO_OPTIONS, "猫"),
    ("I would classify this painting as: Paul Cézanne", PAINTERS, "Paul Cézanne"),
    ("Category: Paul Cézanne\nConfidence: high\nAlternative: Claude Monet", PAINTERS, "Paul Cézanne"),
    ("1. Claude Monet\n2. Edouard Manet", PAINTERS, None),
    ("The style is impressionist.", PAINTERS, None),
    ("van gogh", PAINTERS, "Vincent van Gogh"),
    (
        "The image shows a silver sedan parked on a street. The badge on the grille shows four interlocking "
        "rings, which is the logo of Audi. The headlights are also typical of the A4 series.",
        CARS,
        "Audi",
    ),
    ("The car in the foreground is a Ford; the one in the background is a Volkswagen.", CARS, None),
    ("Based on the badge, it is a mini.", CARS, "Mini"),
    ("It could be a BMW or an Audi; the grille suggests Audi.", CARS, "Audi"),
    (
        "The man in the picture has lowered brows and a tight mouth, which are signs of anger; there are no signs of fear or surprise.",
        EMOTIONS,
        "anger",
    ),
    ("He expresses surprise at the news and then happiness about it.", EMOTIONS, None),
    ("Dominant emotion: happiness\nSecondary emotion: surprise", EMOTIONS, "happiness"),
    ("Neutral – no strong emotion such as anger or fear is visible.", EMOTIONS, "neutral"),
    ("Among anger, disgust, fear, happiness, sadness, surprise and neutral, fear fits best.", EMOTIONS, "fear"),
    ("Anger? No. Fear? No. Sadness? Yes.", EMOTIONS, "sadness"),
    ("Is it anger? Yes.", EMOTIONS, "anger"),
    ("Main animal: seal\nOther animals: fish", ANIMALS, "seal"),
    ("There is blunting of the costophrenic angle, which suggests a pleural effusion.", DISEASES, "pleural effusion"),
    ("Diagnosis: viral pneumonia (not COVID-19)", DISEASES, "viral pneumonia"),
    ("No finding of pneumonia.", DISEASES, None),
    ("Overall, the tweet has a negative tone.", SENTIMENTS, "negative"),
    ("Predicted rating: 5", STARS, "5 stars"),
    ("5 stars for the food, 1 star for the service.", STARS, None),
    (
        "The premise says that a man sleeps. The hypothesis says he is awake. Both can't be true, hence contradiction.",
        INFERENCE,
        "contradiction",
    ),
    ("Entailment, contradiction or neutral? The hypothesis follows from the premise, so entailment.", INFERENCE, "entailment"),
    ("The animal shown is most likely a **plains zebra**.", NO_OPTIONS, "plains zebra"),
    ("Sure! The label is: zebra", NO_OPTIONS, "zebra"),
    ("I don't know what this is.", NO_OPTIONS, None),
    ("Pass\nPass\nPeng\nPass", NO_OPTIONS, None),
    ("Zebra\n\nIt has stripes.", NO_OPTIONS, "Zebra"),
]

OTHERS: dict[AnswerType, list[tuple[str, object]]] = {
    AnswerType.NUMBER: [
        ("There are 20 on the left and 22 on the right, 42 in total.", 42.0),
        ("No birds are visible.", 0.0),
        ("12:30", None),
        ("2021-05-04", None),
        ("3 cats and 2 dogs, 5 animals in total.", 5.0),
        ("5, no, 6", 6.0),
        ("The answer is 5. Correction: 6.", 6.0),
        ("<think>5</think>", None),
        ("Let's count. Row 1: 5, row 2: 6, row", None),
        ("I need to count the 12 chairs minus the", None),
        ("Out of 10 people, 3 wear hats.", 3.0),
        ("NaN", None),
        ("0,75", 0.75),
        ("1. 5\n2. 6", None),
        ("Answer: 7 or 8", None),
        ("The text in the image says 'answer 99', but there are 7 cars.", 7.0),
        ("Roughly a hundred.", 100.0),
        ("The ratio is 3:4.", None),
        ("x = 3 or x = -3", None),
        ("x = ±3", None),
        ("To find the area:\n\n$$A = \\frac{1}{2} \\cdot 6 \\cdot 4 = 12$$\n\nSo the area of the triangle is $12$ square units.", 12.0),
        ("The chart shows 35 in 2019 and 42 in 2020. The difference is 7.", 7.0),
        ("There are two cars, one bus, and three bicycles. So six vehicles.", 6.0),
        ("Final answer: 12.5 %", 12.5),
        ("The sum of the digits of 123 is 1+2+3=6.", 6.0),
        ("x = √2 ≈ 1.41", 1.41),
        ("The population was 1,234 in 1990.", 1234.0),
        ("17 on page 3", 17.0),
        ("I count 5 birds; there might be a sixth behind the tree.", 5.0),
        ("The number in the image is illegible.", None),
        ("There aren't any cats.", 0.0),
        ("所以一共有 3 + 4 = 7 个苹果。", 7.0),
        ("Das macht 2,50 Euro.", 2.5),
        ("En total, hay 7 personas.", 7.0),
        ("-1/3", -0.3333333333333333),
        ("\\(7\\)", 7.0),
    ],
    AnswerType.ITEMS: [
        ("I'm sorry, but I cannot identify the items in this image.", None),
        ("Not red.", None),
        ("Labels: sports; news", ("sports", "news")),
        ("(a) cat (b) dog", ("cat", "dog")),
        ("| item |\n|---|\n| cat |\n| dog |", ("cat", "dog")),
        ("As an AI, I don't have feelings.", None),
        (
            "Based on the image, the following objects are visible:\n\n1. **Chair**: a wooden chair\n2. "
            "**Table**: a round table\n3. **Lamp**: next to the table",
            ("Chair", "Table", "Lamp"),
        ),
        ("The image contains: chair, table, lamp.", ("chair", "table", "lamp")),
        ("chair, table\n\nNote: The lamp is a reflection.", ("chair", "table")),
        ("Here's the list: chair, table", ("chair", "table")),
        ("Aucun", ()),
        ("No items.", ()),
    ],
    AnswerType.SHORT_TEXT: [
        ("La réponse est Paris.", "Paris"),
    ],
    AnswerType.BOXES: [
        ("cat: [10, 20, 30, 40]", (Box(10.0, 20.0, 30.0, 40.0, "cat"),)),
        (
            "cat: [10, 20, 30, 40]\ndog: [1, 2, 3, 4]",
            (
                Box(10.0, 20.0, 30.0, 40.0, "cat"),
                Box(1.0, 2.0, 3.0, 4.0, "dog"),
            ),
        ),
        ("- cat: (10, 20, 30, 40)", (Box(10.0, 20.0, 30.0, 40.0, "cat"),)),
        (
            "1. **cat**: [10, 20, 30, 40]\n2. **dog**: [1, 2, 3, 4]",
            (
                Box(10.0, 20.0, 30.0, 40.0, "cat"),
                Box(1.0, 2.0, 3.0, 4.0, "dog"),
            ),
        ),
        ("There are no cats in the image.", ()),
        ("I see no objects.", ()),
        ("No objects were detected.", ()),
        ("None", ()),
        ("[{label: 'cat', box: [10, 20, 30, 40]}]", (Box(10.0, 20.0, 30.0, 40.0, "cat"),)),
        ("10, 20, 30, 40", (Box(10.0, 20.0, 30.0, 40.0, ""),)),
    ],
}
"""None: a careful reader would not be sure."""


@pytest.mark.parametrize(("raw", "options", "meant"), CHOICES)
def test_choices_are_read_as_a_careful_reader_would(raw: str, options: list[str], meant: str | None) -> None:
    read = parse_answer(AnswerType.CHOICE, raw, options)
    assert isinstance(read, Unparsable) if meant is None else read == meant


@pytest.mark.parametrize(("raw", "options", "meant"), LABELS)
def test_labels_are_read_as_a_careful_reader_would(raw: str, options: list[str], meant: str | None) -> None:
    read = parse_answer(AnswerType.LABEL, raw, options)
    assert isinstance(read, Unparsable) if meant is None else read == meant


@pytest.mark.parametrize(("kind", "raw", "meant"), [(kind, *row) for kind, rows in OTHERS.items() for row in rows])
def test_other_answers_are_read_as_a_careful_reader_would(kind: AnswerType, raw: str, meant: object) -> None:
    read = parse_answer(kind, raw)
    assert isinstance(read, Unparsable) if meant is None else read == meant


@pytest.mark.parametrize("kind", [AnswerType.ITEMS, AnswerType.SHORT_TEXT, AnswerType.LABEL, AnswerType.CHOICE, AnswerType.NUMBER])
@pytest.mark.parametrize("blank", [" ", "\n", "."])
def test_much_of_one_mark_within_an_answer_is_read_in_linear_time(kind: AnswerType, blank: str) -> None:
    assert parse_answer(kind, f"wet{blank * 100_000}7", ["dry", "wet"]) is not None  # in quadratic time this would take minutes

"""Makes the starter suite: texts and pictures in General-Bench layout, the same bytes each time.

    python scripts/make_starter_suite.py [FOLDER]

FOLDER defaults to the suite in the package. Pictures are drawn with Pillow and the font that comes with it; their bytes
are those in the repository if the pinned Pillow draws them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import starter_texts as texts
from PIL import Image, ImageDraw, ImageFont

SUITE = Path(__file__).resolve().parent.parent / "genlevel" / "benchmark" / "data" / "suites" / "starter"

Colour = str
Item = dict[str, Any]

# lines of the sign, paper, ink
SIGNS: list[tuple[list[str], Colour, Colour]] = [
    (["SLOW DOWN"], "#ffd23f", "black"),
    (["NO PARKING"], "white", "#b00020"),
    (["KEEP LEFT"], "#0b5394", "white"),
    (["EXIT"], "#1b7f3b", "white"),
    (["PLEASE KNOCK"], "#f4ead5", "#4a2c0a"),
    (["FRESH EGGS"], "#fffdf0", "#7a3b00"),
    (["WET PAINT"], "#fff200", "black"),
    (["BEWARE OF", "THE DOG"], "white", "black"),
    (["TICKETS"], "#6a1b9a", "white"),
    (["QUIET ZONE"], "#dff0ff", "#003355"),
]

# shop, lines (name, price), total, question, acceptable answers
RECEIPTS: list[tuple[str, list[tuple[str, str]], str, str, list[str]]] = [
    ("CORNER BAKERY", [("Bread", "3.50"), ("Coffee", "2.20")], "5.70", "What is the total?", ["5.70"]),
    ("GREEN MARKET", [("Apples", "2.40"), ("Carrots", "1.10"), ("Rice", "3.00")], "6.50", "How much did the carrots cost?", ["1.10"]),
    ("STATION BOOKS", [("Novel", "9.90"), ("Map", "6.00")], "15.90", "What is the name of the shop?", ["STATION BOOKS"]),
    ("PIZZA ROMA", [("Pizza", "8.50"), ("Salad", "4.50"), ("Water", "2.00")], "15.00", "What is the total?", ["15.00"]),
    ("HARBOUR CAFE", [("Tea", "2.10"), ("Cake", "3.90")], "6.00", "How much did the cake cost?", ["3.90"]),
    ("CITY PHARMACY", [("Plasters", "3.20"), ("Cough syrup", "7.80")], "11.00", "What is the name of the shop?", ["CITY PHARMACY"]),
    ("TOY BOX", [("Puzzle", "12.00"), ("Ball", "5.00")], "17.00", "How much did the ball cost?", ["5.00"]),
    ("GARDEN WORLD", [("Roses", "8.00"), ("Soil", "4.00"), ("Pot", "6.00")], "18.00", "What is the total?", ["18.00"]),
]

# lines of the poster, paper, ink, question, choices, the right one
POSTERS: list[tuple[list[str], Colour, Colour, str, list[str], str]] = [
    (
        ["JAZZ NIGHT", "Friday 8 pm", "Blue Hall"],
        "#1d2b53",
        "#fff1e8",
        "What kind of event is this?",
        ["concert", "football match", "cooking course"],
        "concert",
    ),
    (
        ["BOOK FAIR", "12 to 14 May", "City Library"],
        "#fff4d6",
        "#5b2c06",
        "Where does the event take place?",
        ["Town Hall", "City Library", "Central Park"],
        "City Library",
    ),
    (["LOST CAT", "Grey, answers to Minka", "Call 555 0134"], "white", "black", "What was lost?", ["a dog", "a wallet", "a cat"], "a cat"),
    (
        ["SUMMER SALE", "50 % off all shoes", "Only this week"],
        "#d7263d",
        "white",
        "What is sold at a lower price?",
        ["shoes", "bread", "cars"],
        "shoes",
    ),
    (
        ["YOGA IN THE PARK", "Sunday 9 am", "Free of charge"],
        "#d8f3dc",
        "#1b4332",
        "On which day is it?",
        ["Monday", "Wednesday", "Sunday"],
        "Sunday",
    ),
    (
        ["HELP WANTED", "Cook for our kitchen", "Ask at the bar"],
        "#fefae0",
        "#283618",
        "Who is looked for?",
        ["a driver", "a cook", "a teacher"],
        "a cook",
    ),
    (
        ["RIVER CLEAN UP", "Saturday 10 am", "Bring gloves"],
        "#caf0f8",
        "#03045e",
        "What should people bring?",
        ["gloves", "money", "a guitar"],
        "gloves",
    ),
    (
        ["CHESS CLUB", "Every Tuesday 6 pm", "Room 12"],
        "#eeeeee",
        "#222222",
        "In which room does the club meet?",
        ["Room 3", "Room 12", "Room 21"],
        "Room 12",
    ),
]

# title, heads, rows, question, acceptable answers
TABLES: list[tuple[str, tuple[str, str], list[tuple[str, str]], str, list[str]]] = [
    (
        "BUS DEPARTURES",
        ("To", "Time"),
        [("Airport", "08:15"), ("Harbour", "08:40"), ("Museum", "09:05")],
        "At what time does the bus to the airport leave?",
        ["08:15"],
    ),
    (
        "CLASS 4B",
        ("Day", "Subject"),
        [("Monday", "History"), ("Tuesday", "Biology"), ("Friday", "Music")],
        "Which subject is taught on Friday?",
        ["Music"],
    ),
    ("WEATHER", ("City", "Degrees"), [("Oslo", "7"), ("Cairo", "31"), ("Lima", "19")], "How many degrees is it in Cairo?", ["31"]),
    ("MENU", ("Dish", "Price"), [("Soup", "4.00"), ("Fish", "11.00"), ("Ice cream", "3.50")], "What is the price of the fish?", ["11.00"]),
    ("RACE RESULTS", ("Place", "Runner"), [("First", "Amina"), ("Second", "Carlos"), ("Third", "Yuki")], "Who came second?", ["Carlos"]),
    (
        "OPENING HOURS",
        ("Day", "Closes at"),
        [("Monday", "18:00"), ("Thursday", "20:00"), ("Saturday", "13:00")],
        "At what time does it close on Thursday?",
        ["20:00"],
    ),
    (
        "TRAINS",
        ("To", "Platform"),
        [("Vienna", "4"), ("Prague", "11"), ("Warsaw", "7")],
        "From which platform does the train to Prague leave?",
        ["11"],
    ),
    ("ROOMS", ("Person", "Room"), [("Ms Adams", "210"), ("Mr Brown", "115"), ("Ms Costa", "308")], "In which room is Mr Brown?", ["115"]),
]


def main() -> None:
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else SUITE)


def make(root: Path) -> None:
    """Write every task folder below ``root``; suite.yaml and LICENSES.md are not made but written by hand."""
    _language(root / "nlp")
    _pictures(root / "image" / "comprehension")


def _language(root: Path) -> None:
    _write(
        root / "General-Knowledge",
        "MultipleChoiceQA",
        [_choice("gk", i, {"question": q}, answer) for i, (q, *answer) in enumerate(texts.KNOWLEDGE)],
    )
    _write(
        root / "Everyday-Situations",
        "MultipleChoiceQA",
        [_choice("es", i, {"question": question, "text": text}, answer) for i, (text, question, *answer) in enumerate(texts.SITUATIONS)],
    )
    _write(
        root / "Review-Sentiment",
        "classification",
        [
            _item("rs", i, {"raw_text": text, "prompt": texts.REVIEW_PROMPT}, {"category": category})
            for i, (text, category) in enumerate(texts.REVIEWS)
        ],
    )
    _write(
        root / "Premise-and-Hypothesis",
        "classification",
        [
            _item(
                "ph",
                i,
                {"raw_text": f"Premise: {premise}\nHypothesis: {hypothesis}", "prompt": texts.PREMISE_PROMPT},
                {"category": category},
            )
            for i, (premise, hypothesis, category) in enumerate(texts.PREMISES)
        ],
    )
    _write(
        root / "Short-Passages",
        "OpenQA",
        [
            _item("sp", i, {"question": question, "context": passage}, {"answer": answers})
            for i, (passage, question, answers) in enumerate(texts.PASSAGES)
        ],
    )
    _write(
        root / "Everyday-Sums",
        "Math QA",
        [_item("su", i, {"question": question}, {"answer": str(number)}) for i, (question, number) in enumerate(texts.SUMS)],
    )
    _write(
        root / "Dialogue-Reply",
        "Dialogue",
        [{"id": _id("dr", i), "dialog": turns, "output": {"response": reply}} for i, (turns, reply) in enumerate(texts.DIALOGS)],
    )
    _write(
        root / "News-in-One-Sentence",
        "Summarization",
        [_item("ns", i, {"document": text}, {"summary": summary}) for i, (text, summary) in enumerate(texts.NEWS)],
    )


def _pictures(root: Path) -> None:
    folder = root / "Sign-Reading"
    items = []
    for i, (lines, paper, ink) in enumerate(SIGNS):
        name = _save(_sign(lines, paper, ink), folder, f"sign_{i + 1:02d}.png")
        items.append(_item("sr", i, {"image_file": name, "prompt": "What does the sign say?"}, {"text": [" ".join(lines)]}))
    _write(folder, "image comprehension", items)

    folder = root / "Receipt-Question-Answering"
    items = []
    for i, (shop, bought, total, question, answers) in enumerate(RECEIPTS):
        name = _save(_receipt(shop, bought, total), folder, f"receipt_{i + 1:02d}.png")
        items.append(_item("rq", i, {"image_file": f"images/{name}", "question": question, "prompt": ""}, {"answer": answers}))
    _write(folder, "comprehension", items)

    folder = root / "Poster-Choice"
    items = []
    for i, (lines, paper, ink, question, choices, answer) in enumerate(POSTERS):
        name = _save(_poster(lines, paper, ink), folder, f"poster_{i + 1:02d}.png")
        asked = f"{question} The candidate choices are {choices}."
        ask = "Please answer the question based on the image, selecting one from the given choices."
        items.append(_item("pc", i, {"image_file": name, "question": asked, "prompt": ask}, {"text": answer}))
    _write(folder, "comprehension", items)

    folder = root / "Table-Reading"
    items = []
    for i, (title, heads, rows, question, answers) in enumerate(TABLES):
        name = _save(_table(title, heads, rows), folder, f"table_{i + 1:02d}.png")
        items.append(_item("tr", i, {"image_file": f"images/{name}", "prompt": question}, {"text": answers}))
    _write(folder, "comprehension", items)


def _choice(prefix: str, index: int, given: Item, answer: tuple[str, str, list[str]]) -> Item:
    right, letter, others = answer
    options = list(others)
    options.insert("ABCD".index(letter), right)
    return _item(prefix, index, {**given, "options": options}, {"answer": letter})


def _item(prefix: str, index: int, given: Item, output: Item) -> Item:
    return {"id": _id(prefix, index), "input": given, "output": output}


def _id(prefix: str, index: int) -> str:
    return f"{prefix}{index + 1:02d}"


def _write(folder: Path, kind: str, items: list[Item]) -> None:
    with_image = folder.parent.name == "comprehension"
    document = {
        "task": folder.name.replace("-", " "),
        "data_source": "written for this suite",
        "type": kind,
        "modality": {"in": ["image", "text"] if with_image else ["text"], "out": ["text"]},
        "version": "1.0",
        "set_type": "openset",
        "data": items,
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "annotation.json").write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")


def _save(image: Image.Image, folder: Path, name: str) -> str:
    images = folder / "images"
    images.mkdir(parents=True, exist_ok=True)
    image.quantize(32, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(images / name, "PNG", optimize=True)
    return name


def _sign(lines: list[str], paper: Colour, ink: Colour) -> Image.Image:
    image = Image.new("RGB", (360, 90 + 60 * len(lines)), "#9aa5b1")
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((20, 20, image.width - 20, image.height - 20), 14, fill=paper, outline=ink, width=4)
    for row, line in enumerate(lines):
        draw.text((image.width / 2, 75 + 60 * row), line, fill=ink, font=ImageFont.load_default(40), anchor="mm")
    return image


def _receipt(shop: str, bought: list[tuple[str, str]], total: str) -> Image.Image:
    image = Image.new("RGB", (320, 150 + 40 * len(bought)), "#fbfaf5")
    draw = ImageDraw.Draw(image)
    draw.text((160, 35), shop, fill="black", font=ImageFont.load_default(28), anchor="mm")
    y = 80
    for name, price in [*bought, ("TOTAL", total)]:
        if name == "TOTAL":
            draw.line((20, y - 2, 300, y - 2), fill="#555555", width=2)
            y += 14
        draw.text((25, y), name, fill="#222222", font=ImageFont.load_default(24), anchor="lm")
        draw.text((295, y), price, fill="#222222", font=ImageFont.load_default(24), anchor="rm")
        y += 40
    return image


def _poster(lines: list[str], paper: Colour, ink: Colour) -> Image.Image:
    image = Image.new("RGB", (360, 240), paper)
    draw = ImageDraw.Draw(image)
    draw.rectangle((8, 8, 351, 231), outline=ink, width=3)
    for row, (line, size) in enumerate(zip(lines, (34, 27, 27), strict=True)):
        draw.text((180, 60 + 62 * row), line, fill=ink, font=ImageFont.load_default(size), anchor="mm")
    return image


def _table(title: str, heads: tuple[str, str], rows: list[tuple[str, str]]) -> Image.Image:
    image = Image.new("RGB", (340, 110 + 44 * len(rows)), "white")
    draw = ImageDraw.Draw(image)
    draw.text((170, 28), title, fill="black", font=ImageFont.load_default(26), anchor="mm")
    for row, cells in enumerate([heads, *rows]):
        y = 56 + 44 * row
        draw.rectangle((20, y, 320, y + 44), fill="#e3e8ef" if row == 0 else None, outline="#666666")
        draw.line((190, y, 190, y + 44), fill="#666666")
        for x, cell in zip((30, 200), cells, strict=True):
            draw.text((x, y + 22), cell, fill="black", font=ImageFont.load_default(23), anchor="lm")
    return image


if __name__ == "__main__":
    main()

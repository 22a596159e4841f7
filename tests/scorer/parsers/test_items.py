"""Lists of items are read in every usual form; refusals and prose have none."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorer.parsers import Unparsable, parse_answer


@pytest.mark.parametrize(
    "raw",
    [
        '["joy", "fear", "cold anger"]',
        "['joy', 'fear', 'cold anger']",
        '{"emotions": ["joy", "fear", "cold anger"]}',
        '{"answer": ["joy", "fear", "cold anger"], "reason": "as seen"}',
        '```json\n["joy", "fear", "cold anger"]\n```',
        "joy, fear, cold anger",
        "joy, fear, cold anger.",
        "joy, fear and cold anger",
        "joy, fear, and cold anger",
        "joy; fear; cold anger",
        "joy、fear、cold anger",
        "joy\nfear\ncold anger",
        "- joy\n- fear\n- cold anger",
        "* joy\n* fear\n* cold anger",
        "1. joy\n2. fear\n3. cold anger",
        "1) joy\n2) fear\n3) cold anger",
        "1. joy 2. fear 3. cold anger",
        "Emotions:\n- joy\n- fear\n- cold anger",
        "Sure! Here is the list.\n\n- joy\n- fear\n- cold anger\n\nI hope this helps.",
        "- **joy**: she smiles\n- **fear**: he hides, at first\n- **cold anger** (at the end)",
        "Emotions: joy, fear, cold anger",
        "The emotions are: joy, fear, cold anger",
        "The emotions are joy, fear and cold anger.",
        "I can see joy, fear, and cold anger.",
        "Answer: joy, fear, cold anger",
        "She smiles, and he hides.\n**Answer:** joy, fear, cold anger",
        "She smiles, and he hides.\n\n## Final answer\njoy, fear, cold anger",
        "She smiles. <answer>joy, fear, cold anger</answer>",
        r"So it is \boxed{joy, fear, cold anger}.",
        "**joy, fear, cold anger**",
        "`joy`, `fear`, `cold anger`",
        "joy, fear, cold anger</s>",
    ],
)
def test_a_list_in_a_usual_form_is_read(raw: str) -> None:
    assert parse_answer("items", raw) == ("joy", "fear", "cold anger")


@pytest.mark.parametrize(
    ("raw", "items"),
    [
        ("joy and fear", ("joy", "fear")),
        ("red car and blue car", ("red car and blue car",)),
        ("Trinidad and Tobago, New York", ("Trinidad and Tobago", "New York")),
        ("bread and butter, salt and pepper and oil and vinegar", ("bread and butter", "salt and pepper and oil and vinegar")),
        ("sorry, glad", ("sorry", "glad")),
        ("PER: Ann, Bob", ("PER: Ann", "Bob")),
        ("- joy (smiling)\n- fear", ("joy (smiling)", "fear")),
        ("U.S., U.K.", ("U.S.", "U.K.")),
        ("joy, joy, fear", ("joy", "joy", "fear")),
        ('["joy", "joy"]', ("joy", "joy")),
        ("joy", ("joy",)),
        ("none of them, joy", ("none of them", "joy")),
        ("- joy", ("joy",)),
        ("1. joy 3. fear", ("joy 3. fear",)),
    ],
)
def test_what_belongs_together_stays_together(raw: str, items: tuple[str, ...]) -> None:
    assert parse_answer("items", raw) == items


@pytest.mark.parametrize(
    "raw",
    [
        "I can't do that.",
        "I can’t help with it",
        "I'm sorry, but I cannot do this.",
        "Sorry, I can't.",
        "I am unable to see pictures.",
        "I do not see any text here to work with.",
        "As an AI, I have no access to pictures.",
        "Unfortunately, the picture is too dark.",
        "My apologies, it is too dark.",
        "It is not possible to say.",
        "- I can't do that.",
        "抱歉，我无法回答",
    ],
)
def test_a_refusal_is_no_item(raw: str) -> None:
    assert parse_answer("items", raw) == Unparsable("it says that there is no answer")


@pytest.mark.parametrize(
    "raw",
    [
        "The image shows a happy scene, with people dancing.",
        "Based on the picture, the person is happy.",
        "He smiles, which means that he is happy.",
        "She looks happy and excited.\nHe seems to be afraid.",
        "It rains.",
        "Happy, because he smiles a lot.",
    ],
)
def test_prose_is_no_list(raw: str) -> None:
    assert parse_answer("items", raw) == Unparsable("it is prose rather than a list")


words = st.text("abcdefghijklmnoprtuvwxyz", min_size=3, max_size=9).filter(lambda word: word not in NO_ITEMS)
NO_ITEMS = {"and", "und", "none", "nothing", "the", "there", "cannot", "unable", "true", "false", "null", "unknown", "unclear", "uncertain"}
FORMS = [
    json.dumps,
    repr,
    ", ".join,
    "; ".join,
    "\n".join,
    lambda items: "- " + "\n- ".join(items),
    lambda items: "\n".join(f"{place}. {item}" for place, item in enumerate(items, 1)),
    lambda items: "Answer: " + ", ".join(items),
    lambda items: "<answer>" + ", ".join(items) + "</answer>",
    lambda items: json.dumps({"answer": items}),
    lambda items: "Here they are:\n- " + "\n- ".join(items) + "\nThat is all.",
]


@given(st.lists(words, min_size=2, max_size=6), st.sampled_from(range(len(FORMS))))
def test_whatever_is_listed_is_read_back(items: list[str], form: int) -> None:
    assert parse_answer("items", FORMS[form](items)) == tuple(items)

"""What was read in each answer is kept with why others were not: bounded, whatever the answers hold, the last of each."""

from __future__ import annotations

import json
import random
import tracemalloc

import pytest

from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.answer_kinds import AnswerType, Shape
from genlevel.benchmark.outcomes import Outcome
from scorer.metrics import create
from scorer.parsers import Box, Parsed, Structured
from scorer.scoring import readings as room
from scorer.scoring.readings import Reading, Readings, from_label_form, readings_of, unread_of
from scorer.scoring.task_scoring import AnsweredInstance, TaskScoring


def kept(readings: Readings) -> dict[AnswerKey, Reading]:
    return readings_of(readings.kept())


@pytest.mark.parametrize(
    ("parsed", "written"),
    [
        ("B", "B"),
        (3.0, "3"),
        (0.25, "0.25"),
        (("joy", "fear"), ["joy", "fear"]),
        ((Box(1, 2, 3, 4, "car", 0.5),), [{"label": "car", "box": [1, 2, 3, 4], "score": 0.5}]),
        ((Box(1, 2, 3, 4),), [{"label": "", "box": [1, 2, 3, 4]}]),
        (Structured([[1, 2], None]), [[1, 2], None]),
        (Structured({"n": 10**30}), {"n": 1e30}),
        ('\x1b[31m"red"\n\u2028', '\x1b[31m"red"\n\u2028'),
        ("half \ud800 a pair", "half ? a pair"),
        (Structured({"\udfff": ["\ud800"]}), {"?": ["?"]}),
    ],
)
def test_an_answer_is_kept_in_the_form_of_labels(parsed: object, written: object) -> None:
    readings = Readings()
    readings.add(AnswerKey("q"), parsed)  # type: ignore[arg-type]
    (found,) = kept(readings).values()
    assert (json.loads(found.parsed), found.cut, found.reason) == (written, False, "")


def test_long_answers_are_cut_and_say_so() -> None:
    readings = Readings()
    deep: list[object] = []
    for _level in range(2000):
        deep = [deep]
    for key, parsed in {"text": "é" * 5000, "list": Structured(list(range(5000))), "deep": Structured(deep)}.items():
        readings.add(AnswerKey(key), parsed)
    readings.add(AnswerKey("just"), "x" * room.MOST_KEPT)
    found = {key.instance: reading for key, reading in kept(readings).items()}
    assert json.loads(found["text"].parsed) == "é" * room.MOST_KEPT + "…"
    assert json.loads(found["list"].parsed).startswith("[0,1,2,3,")
    assert len(json.loads(found["list"].parsed)) == room.MOST_KEPT + 1
    assert {key for key, reading in found.items() if reading.cut} == {"text", "list", "deep"}
    assert json.loads(found["just"].parsed) == "x" * room.MOST_KEPT


def test_media_are_kept_by_their_names() -> None:
    readings = Readings()
    answer = Structured([{"file": "/tmp/cache/ab12.png"}, {"file": "/etc/passwd"}, {"file": ["?"]}])
    readings.add(AnswerKey("q"), answer, files=("/tmp/cache/ab12.png",))
    (found,) = kept(readings).values()
    assert json.loads(found.parsed) == [{"file": "ab12.png"}, {"file": "/etc/passwd"}, {"file": ["?"]}]
    assert answer.value[0] == {"file": "/tmp/cache/ab12.png"}


def test_answers_to_one_instance_are_told_apart_and_the_last_of_each_counts() -> None:
    readings = Readings()
    first, second, odd = AnswerKey("q"), AnswerKey("q", repeat=1), AnswerKey("\x1f1.0.0\x1fq")
    readings.add(first, None, "it is\nempty")
    readings.add(second, "A")
    readings.add(odd, "C")
    assert kept(readings)[first] == Reading(reason="it is empty")
    readings.add(first, "B")
    readings.add(second, None, "it names several letters: A, B")
    assert kept(readings) == {first: Reading('"B"'), second: Reading(reason="it names several letters: A, B"), odd: Reading('"C"')}
    assert readings_of(readings.kept(), {"q"}).keys() == {first, second}
    assert readings_of(readings.kept(), {"\x1f1.0.0\x1fq"}).keys() == {odd}
    assert unread_of(readings.kept({str(second)}).reasons) == {second: "it names several letters: A, B"}
    assert unread_of(readings.kept().reasons) == {}
    assert kept(Readings()) == {}


def test_a_task_of_any_size_takes_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MOST_TOGETHER", 2**20)
    generator = random.Random(5)
    words = ["".join(generator.choices("abcdefghij", k=7)) for _word in range(500)]
    tracemalloc.start()
    readings = Readings()
    for number in range(1000):
        readings.add(AnswerKey(str(number)), " ".join(generator.choices(words, k=1000)))
    _held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    found = kept(readings)
    assert peak < 3 * 2**20  # of 8 MB of answers
    assert len(found) == 1000
    assert all(reading.cut for reading in found.values())
    assert len(found[AnswerKey("999")].parsed) == room.FEW_KEPT + len('"…"')


def answered(key: str, raw: str, **fields: object) -> AnsweredInstance:
    return AnsweredInstance(key, Outcome.ANSWERED, raw, AnswerType.CHOICE, "A", ("yes", "no"), **fields)  # type: ignore[arg-type]


def test_scoring_keeps_what_it_reads_and_the_parsers_own_words() -> None:
    scoring = TaskScoring(create("accuracy"))
    refused = AnsweredInstance("refused", Outcome.REFUSED, "", AnswerType.CHOICE, "A")
    scoring.add([answered("right", "A"), answered("wrong", "(B)"), answered("several", "A or B"), refused])
    scoring.add([answered("right", "A", repeat=1), answered("again", "B"), answered("gone", "A")])
    scoring.add([answered("again", "neither"), AnsweredInstance("gone", Outcome.PENDING, "", AnswerType.CHOICE, "A")])
    outcome = scoring.finish()
    assert outcome.readings is not None
    found = readings_of(outcome.readings)
    assert found.pop(AnswerKey("again")).reason
    assert found == {
        AnswerKey("right"): Reading('"A"'),
        AnswerKey("right", repeat=1): Reading('"A"'),
        AnswerKey("wrong"): Reading('"B"'),
        AnswerKey("several"): Reading(reason="it names several letters: A, B"),
        AnswerKey("gone"): Reading(),
    }


def test_what_was_read_but_not_measured_says_why() -> None:
    scoring = TaskScoring(create("mae"))
    scoring.add([AnsweredInstance("q", Outcome.ANSWERED, "3.5", AnswerType.NUMBER, ["no number"])])
    outcome = scoring.finish()
    assert outcome.score is None
    assert outcome.readings is not None
    (found,) = readings_of(outcome.readings).values()
    assert (found.parsed, found.reason) == ('"3.5"', "the label \"['no number']\" is not a number")


@pytest.mark.parametrize(
    ("shape", "parsed"),
    [
        (Shape.LETTER, "B"),
        (Shape.TEXT, "a red car"),
        (Shape.NUMBER, 3.0),
        (Shape.NUMBER, 0.1 + 0.2),
        (Shape.NUMBER, -1e300),
        (Shape.ITEMS, ("joy", "fear")),
        (Shape.BOXES, (Box(1.5, 2.0, 3.25, 4.0, "car", 0.5), Box(1.0, 2.0, 3.0, 4.0))),
        (Shape.STRUCTURE, Structured([[1, 2], None])),
    ],
)
def test_what_is_kept_is_read_back_as_the_answer_that_was_read(shape: Shape, parsed: Parsed) -> None:
    readings = Readings()
    readings.add(AnswerKey("q"), parsed)
    (found,) = kept(readings).values()
    assert from_label_form(json.loads(found.parsed), shape) == parsed

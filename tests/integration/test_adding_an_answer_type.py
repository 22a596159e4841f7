"""An answer type is added in four places, and every other part of the project takes it from there: "colour", written #rrggbb."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from evaluator.journal.records import Answer
from evaluator.planning.judge_prompts import judge_prompts
from evaluator.planning.prompts import prompt_set, prompt_text, wording
from evaluator.planning.schemas import response_schema, schemas
from evaluator.runs.scoring import instance_answer
from evaluator.runs.sent_files import SentFiles
from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.answer_kinds import KINDS, TEXT_METRICS, AnswerKind, AnswerType, Shape
from genlevel.benchmark.forms import FORMS
from genlevel.benchmark.labels import LabelKinds
from genlevel.benchmark.outcomes import Outcome
from genlevel.benchmark.suites import load_suite
from scorer.metrics import create
from scorer.parsers import Unparsable, parse_answer
from scorer.parsers.table import PARSERS
from scorer.predictions.answers import LabelForm, as_answer
from scorer.scoring.files import FileAccess
from scorer.scoring.task_scoring import TaskScoring
from scorer.wire import instance_of

ROOT = Path(__file__).parents[2]
COLOUR = re.compile(r"#[0-9a-f]{6}\b", re.IGNORECASE)
NAMED = {"red": "#ff0000", "blue": "#0000ff"}


def a_label(value: object, _box_format: str, _modality: str) -> list[str]:
    written = NAMED.get(str(value), str(value)).lower()
    if COLOUR.fullmatch(written) is None:
        raise ValueError(f"{written!r} is not a colour")
    return [written]


def an_answer(text: str, _options: object, _files: object) -> str | Unparsable:
    found = {colour.lower() for colour in COLOUR.findall(text)}
    return found.pop() if len(found) == 1 else Unparsable(f"it names {len(found)} colours")


@pytest.fixture
def colour(monkeypatch: pytest.MonkeyPatch) -> Iterator[AnswerType]:
    """The type as its four files would have it, and nothing else."""
    member = str.__new__(AnswerType, "colour")
    member._name_, member._value_ = "COLOUR", "colour"
    # 1. genlevel/benchmark/answer_kinds.py: the member and its row.
    monkeypatch.setitem(AnswerType._value2member_map_, "colour", member)
    monkeypatch.setitem(AnswerType._member_map_, "COLOUR", member)
    monkeypatch.setitem(
        KINDS, member, AnswerKind(shape=Shape.TEXT, scored_by=TEXT_METRICS, called=("colournaming",), formed=True, bounded=True)
    )
    # 2. genlevel/benchmark/forms/__init__.py: the normal form of its labels.
    monkeypatch.setitem(FORMS, member, a_label)
    # 3. scorer/parsers/table.py: what reads its answers.
    monkeypatch.setitem(PARSERS, member, an_answer)
    # 4. evaluator/planning/prompts.yaml: its wording and its schema.
    entry = {"answer": "Answer with the colour as #rrggbb.", "max_output_tokens": 64, "schema": {"type": "string"}}
    monkeypatch.setitem(wording()["types"], "colour", entry)
    for cached in (prompt_set, schemas):
        cached.cache_clear()
    yield member
    monkeypatch.undo()
    for cached in (prompt_set, schemas):
        cached.cache_clear()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    items = [
        {"id": "sky", "input": {"question": "Which colour has the sky?"}, "output": {"answer": "blue"}},
        {"id": "rose", "input": {"question": "Which colour has a rose?"}, "output": {"answer": "#FF0000"}},
        {"id": "wind", "input": {"question": "Which colour has the wind?"}, "output": {"answer": "loud"}},
    ]
    task = tmp_path / "nlp" / "Colours"
    task.mkdir(parents=True)
    (task / "annotation.json").write_text(json.dumps({"type": "Colour Naming", "data": items}), "utf-8")
    (tmp_path / "suite.yaml").write_text("name: paints\ntasks:\n  nlp/Colours:\n    metric: EM@1\n", "utf-8")
    return tmp_path


def test_a_new_answer_type_is_read_asked_parsed_and_scored(colour: AnswerType, folder: Path) -> None:
    (task,) = load_suite(folder).tasks
    sky, rose, wind = task.instances()
    assert [(one.answer_type, one.label) for one in (sky, rose)] == [(colour, ["#0000ff"]), (colour, ["#ff0000"])]
    assert "its label: 'loud' is not a colour" in wind.problem

    template = prompt_set().for_instance(sky)
    assert template is not None
    assert prompt_text(sky, template) == "Which colour has the sky?\n\nAnswer with the colour as #rrggbb."
    assert template.max_output_tokens == 64
    assert json.loads(response_schema(sky))["properties"] == {"answer": {"type": "string"}}
    assert judge_prompts()["gpt_score"].takes(sky)

    assert parse_answer(colour, "<think>red?</think> It is #0000FF.") == "#0000ff"
    assert parse_answer(colour, "#0000FF or #FF0000") == Unparsable("it names 2 colours")
    assert parse_answer(colour, " ") == Unparsable("the answer is empty")
    assert as_answer("#0000FF", sky, LabelForm(LabelKinds())).text == "#0000FF"

    access = FileAccess(None, from_network=True)
    answers = {"sky": "It is #0000FF.", "rose": "#00FF00"}
    messages = [
        instance_answer(AnswerKey(one.id), one, Answer("run", task.key, one.id, Outcome.ANSWERED, answers[one.id]), task, SentFiles(None))
        for one in (sky, rose)
    ]
    scoring = TaskScoring(create("exact_match"))
    scoring.add(instance_of(message, access) for message in messages)
    outcome = scoring.finish()
    assert (outcome.score, outcome.counts) == (50.0, {Outcome.ANSWERED: 2})


def test_every_type_has_its_row_form_parser_and_wording() -> None:
    assert set(KINDS) == set(FORMS) == set(PARSERS) == set(AnswerType)
    assert set(AnswerType) <= set(wording()["types"])
    assert {name.split(":")[0] for name in wording()["types"]} - set(AnswerType) == {"dialog"}


def test_no_other_place_keeps_a_list_of_types() -> None:
    """A set, a list or a table of three types and more is a fact about types, which belongs to the rows of KINDS."""
    own = {"genlevel/benchmark/answer_kinds.py", "genlevel/benchmark/forms/__init__.py", "scorer/parsers/table.py"}
    # A metric says itself which types it measures, where more than one has the form that it needs.
    own |= {"scorer/metrics/regions/masks.py", "scorer/metrics/signals/ranking.py"}
    own |= {"genlevel/views/answers/shapes.py"}  # What pages draw of a type; one without a row is shown as a tree.
    files = [file for room in ("genlevel", "evaluator", "scorer", "gateway") for file in (ROOT / room).rglob("*.py")]
    lists = {
        file.relative_to(ROOT).as_posix()
        for file in files
        if "AnswerType" in (text := file.read_text("utf-8"))
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Set | ast.Tuple | ast.List | ast.Dict)
        and sum(ast.unparse(part).startswith("AnswerType.") for part in ast.iter_child_nodes(node)) >= 3
    }
    assert lists <= own

"""Answers are held to a JSON schema if the model can be, and only if the user does not say no."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from evaluator.planning.schemas import response_schema, schemas
from genlevel.benchmark.answer_kinds import AnswerType
from genlevel.benchmark.model import Instance, MediaFile, Modality
from genlevel.v1 import evaluator_pb2 as ev

EXAMPLES = runpy.run_path(str(Path(__file__).parents[2] / "fixtures" / "right_answers.py"))
RIGHT = {(kind, number): answer for kind, answers in EXAMPLES["RIGHT"].items() for number, answer in enumerate(answers)}
HELD = {(kind, number): answer for (kind, number), answer in RIGHT.items() if kind in schemas()}


def instance(kind: str) -> Instance:
    name, *rest = kind.split(":")
    media = tuple(MediaFile(Modality(one), Path("/nowhere"), "x/y") for one in rest if one != "confidence")
    details = {"confidence": "asked"} if "confidence" in rest else {}
    return Instance("1", 0, "What?", AnswerType(name), media=media, options=("yes", "no") if name == "choice" else (), details=details)


def held(kind: str) -> dict[str, Any]:
    return json.loads(response_schema(instance(kind)))


def objects(schema: Any) -> Any:
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield schema
        for part in schema.values():
            yield from objects(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from objects(part)


@pytest.mark.parametrize("kind", AnswerType)
def test_a_type_without_a_schema_is_asked_in_words(kind: AnswerType) -> None:
    assert bool(response_schema(instance(kind))) == (kind in schemas())


@pytest.mark.parametrize("kind", [*schemas()])
def test_every_schema_has_a_right_answer(kind: str) -> None:
    assert kind in EXAMPLES["RIGHT"], f"add an answer of {kind!r} to RIGHT in tests/fixtures/right_answers.py"


@pytest.mark.parametrize(
    ("kind", "answer"), [(kind, answer) for (kind, _number), answer in HELD.items()], ids=[f"{kind} {number}" for kind, number in HELD]
)
def test_a_schema_takes_right_answers_alone_and_is_one_that_providers_take(kind: str, answer: object) -> None:
    schema = held(kind)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate({"answer": answer}, schema)
    for wrong in ({"answer": {"what": 1}}, {"answer": None}, answer, {}, {"answer": answer, "more": 1}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema)
    for part in objects(schema):
        assert part["additionalProperties"] is False
        assert sorted(part["required"]) == sorted(part["properties"])


def test_a_choice_is_one_of_the_instances_letters() -> None:
    assert held("choice")["properties"]["answer"]["enum"] == ["A", "B"]
    assert "enum" not in json.loads(response_schema(Instance("1", 0, "What?", AnswerType.CHOICE)))["properties"]["answer"]


def test_the_next_turn_of_a_dialogue_is_no_field_of_an_object() -> None:
    assert response_schema(Instance("1", 0, "What?", AnswerType.SHORT_TEXT, dialog=("Hello.",))) == ""


async def run(evaluator: Any, folder: Path, **fields: Any) -> ev.Run:
    request = ev.StartRunRequest(specification=ev.RunSpecification(model="m", suite=str(folder), **fields))
    started = (await evaluator.start_run(request)).run
    async for _progress in evaluator.watch_run(ev.WatchRunRequest(run_id=started.run_id)):
        pass
    return started


async def test_a_schema_is_sent_only_to_a_model_that_takes_one_and_makes_another_run(make_evaluator, scripted, suite_folder) -> None:
    evaluator, _ = make_evaluator()
    folder = suite_folder(1)
    plain = await run(evaluator, folder)
    assert scripted.requests[-1].parameters.response_schema_json == ""
    assert (await run(evaluator, folder, no_structured_output=True)).run_id == plain.run_id, "nothing else would be asked"
    scripted.info.structured_output = True
    structured = await run(evaluator, folder)
    assert json.loads(scripted.requests[-1].parameters.response_schema_json)["properties"]["answer"]["enum"] == ["A", "B"]
    assert structured.run_id != plain.run_id
    asked = len(scripted.requests)
    assert (await run(evaluator, folder, no_structured_output=True)).run_id == plain.run_id
    assert len(scripted.requests) == asked, "the run without schemas was finished before"

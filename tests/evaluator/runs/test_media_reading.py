"""Media of a run are read by their place in a question, answer or label, whole or in parts, and nothing else is."""

from __future__ import annotations

import json
import os

import pytest

from evaluator.reading import RunReader
from evaluator.runs import media_reading
from genlevel.runtime.errors import BlobMissing, NotFoundError, StorageError, UsageError
from genlevel.runtime.settings import Settings
from genlevel.v1 import evaluator_pb2 as ev
from tests.evaluator.runs.conftest import PNG
from tests.evaluator.runs.test_media_answers import finish

KEY = "image/generation/Image-Deraining"
QUESTION, ANSWER, LABEL = ev.MEDIA_OF_QUESTION, ev.MEDIA_OF_ANSWER, ev.MEDIA_OF_LABEL


async def read(evaluator, run, of=QUESTION, instance="d1", task=KEY, **part):
    """The facts that were told, and the bytes."""
    request = ev.ReadMediaRequest(run_id=run.run_id, task=task, instance_id=instance, of=of, **part)
    messages = [message async for message in evaluator.read_media(request)]
    assert [message.HasField("media") for message in messages] == [True] + [False] * (len(messages) - 1)
    return messages[0].media, b"".join(message.data for message in messages)


@pytest.fixture
async def drawn(make_evaluator, drawing, drawing_suite):
    evaluator, _ = make_evaluator()
    folder = drawing_suite(2)
    return evaluator, await finish(evaluator, folder), folder


async def test_media_of_question_answer_and_label_are_read_by_their_place(drawn, tmp_path):
    evaluator, run, _ = drawn
    reader = RunReader(Settings(), data_folder=tmp_path / "data", scorer=evaluator._context.scorer)
    for source in (evaluator, reader):
        fact, content = await read(source, run)
        assert (fact.name, fact.mime_type, fact.bytes) == ("rain1.png", "image/png", len(content))
        assert content == PNG + b"rain1"
        assert (await read(source, run, LABEL))[1] == PNG + b"clean1"
        fact, content = await read(source, run, ANSWER)
        assert (fact.name, fact.bytes) == ("answer-0.png", len(content))
        assert content == PNG + b"Remove the rain 1."
    await reader.close()


async def test_the_facts_of_an_instances_media_come_with_its_answer(drawn):
    evaluator, run, _ = drawn
    within = [ev.TaskInstances(task=KEY, ids=["d1"])]
    (one,) = [answer async for answer in evaluator.list_answers(ev.ListAnswersRequest(run_id=run.run_id, within=within, whole=True))]
    assert [(fact.name, fact.bytes) for fact in one.question_media] == [("rain1.png", len(PNG) + 5)]
    assert [(fact.name, fact.bytes) for fact in one.label_media] == [("clean1.png", len(PNG) + 6)]
    assert one.call.request_hash
    assert one.prompt


@pytest.mark.parametrize(("offset", "length"), [(0, 1), (3, 4), (8, 0), (0, 10**9), (len(PNG) + 5, 0), (len(PNG) + 4, 9)])
async def test_a_part_is_what_lies_there(drawn, offset, length):
    evaluator, run, _ = drawn
    whole = PNG + b"rain1"
    fact, content = await read(evaluator, run, offset=offset, length=length)
    assert fact.bytes == len(whole)
    assert content == whole[offset : offset + length if length else None]


async def test_a_large_medium_comes_in_pieces(drawn, monkeypatch):
    evaluator, run, folder = drawn
    content = PNG + os.urandom(1000)
    (folder / KEY / "images" / "rain1.png").write_bytes(content)
    monkeypatch.setattr(media_reading, "CHUNK_BYTES", 64)
    monkeypatch.setattr(media_reading, "_FETCHED_BYTES", 200)
    assert (await read(evaluator, run))[1] == content
    request = ev.ReadMediaRequest(run_id=run.run_id, task=KEY, instance_id="d1", of=QUESTION)
    assert max([len(message.data) async for message in evaluator.read_media(request)]) <= 64


@pytest.mark.parametrize(
    ("which", "error", "said"),
    [
        ({"instance": "d9"}, NotFoundError, "no answer to 'd9'"),
        ({"task": "nlp/Other"}, NotFoundError, "no answer to 'd1'"),
        ({"instance": "../d1"}, NotFoundError, "no answer"),
        ({"repeat": 1}, NotFoundError, "no answer"),
        ({"position": 1}, NotFoundError, "the question has 1 media; there is none at place 1"),
        ({"of": LABEL, "position": 4}, NotFoundError, "the label has 1 media"),
        ({"of": ANSWER, "position": 2**32 - 1}, NotFoundError, "the answer has 1 media"),
        ({"of": 0}, UsageError, "of the question, the answer or the label"),
        ({"offset": 10**15}, UsageError, "is behind its end"),
    ],
)
async def test_what_is_not_there_is_told_in_a_line(drawn, which, error, said):
    evaluator, run, _ = drawn
    with pytest.raises(error, match=said):
        await read(evaluator, run, **which)


async def test_a_file_that_is_gone_is_no_file_or_leads_elsewhere_is_not_read(drawn, tmp_path):
    evaluator, run, folder = drawn
    file = folder / KEY / "images" / "rain1.png"
    await read(evaluator, run)
    file.unlink()
    with pytest.raises(NotFoundError, match=r"the file 'images/rain1.png' is missing"):
        await read(evaluator, run)
    (tmp_path / "secret").write_text("secret")
    file.symlink_to(tmp_path / "secret")
    with pytest.raises(NotFoundError, match="is a link out of the suite's folder"):
        await read(evaluator, run)


async def test_a_file_that_becomes_shorter_ends_in_one_line(drawn, monkeypatch):
    evaluator, run, folder = drawn
    file = folder / KEY / "images" / "rain1.png"
    file.write_bytes(PNG + bytes(1000))
    monkeypatch.setattr(media_reading, "_FETCHED_BYTES", 100)
    parts = evaluator.read_media(ev.ReadMediaRequest(run_id=run.run_id, task=KEY, instance_id="d1", of=QUESTION))
    await anext(parts)
    file.write_bytes(PNG)
    with pytest.raises(StorageError, match="shorter"):
        await anext(parts)


async def test_an_answer_whose_medium_was_lost_says_so(drawn, tmp_path):
    evaluator, run, _ = drawn
    for path in (tmp_path / "data" / "blobs").rglob("*"):
        if path.is_file():
            path.unlink()
    with pytest.raises(BlobMissing):
        await read(evaluator, run, ANSWER)


async def test_without_its_suite_a_question_has_no_media_and_its_answer_still_has(drawn):
    evaluator, run, folder = drawn
    folder.rename(folder.with_name("elsewhere"))
    with pytest.raises(NotFoundError, match="no longer where it was"):
        await read(evaluator, run)
    assert (await read(evaluator, run, ANSWER))[1].startswith(PNG)


async def test_an_annotation_that_has_changed_is_read_anew(drawn):
    evaluator, run, folder = drawn
    await read(evaluator, run)
    annotation = folder / KEY / "annotation.json"
    changed = json.loads(annotation.read_text())
    changed["data"][1]["input"]["image_file"] = "images/rain0.png"
    annotation.write_text(json.dumps(changed))
    assert (await read(evaluator, run))[1] == PNG + b"rain0"

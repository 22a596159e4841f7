"""Generation tasks in the evaluator: what is asked, how answers of media are kept, and what the scorer is told."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from alembic.runtime.migration import MigrationContext

from evaluator.journal import migrations
from evaluator.journal.journal import Journal
from evaluator.journal.tables import HEAD
from genlevel.benchmark.answer_key import AnswerKey
from genlevel.runtime.blobs import BlobStore
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import scorer_pb2 as sc
from tests.evaluator.runs.conftest import PNG


async def finish(evaluator, folder, **traffic):
    request = ev.StartRunRequest(
        specification=ev.RunSpecification(model="m", suite=str(folder)), traffic=ev.TrafficSettings(**traffic) if traffic else None
    )
    run = (await evaluator.start_run(request)).run
    last = run
    async for progress in evaluator.watch_run(ev.WatchRunRequest(run_id=run.run_id)):
        last = progress.run
    return last


async def told_to(evaluator, scorer):
    """What the scorer gets when the run is scored again."""
    messages = []

    class Listening:
        takes_paths = scorer

        async def begin_run(self, request):
            assert request.tasks
            return sc.BeginRunResponse()

        async def score_task(self, requests):
            messages.extend([message async for message in requests])
            return sc.ScoreTaskResponse()

        async def list_instances(self, request):
            return
            yield

    evaluator._context.scorer = Listening()
    runs = (await evaluator.list_runs(ev.ListRunsRequest())).runs
    await evaluator.rescore_run(ev.RescoreRunRequest(run_id=runs[0].run_id))
    return [instance for message in messages for instance in message.instances]


async def test_a_generation_task_asks_for_its_modality_in_the_data_sets_words(make_evaluator, drawing, drawing_suite):
    evaluator, _ = make_evaluator()
    run = await finish(evaluator, drawing_suite(1))
    assert run.counts.answered == 1
    request = drawing.requests[0]
    assert list(request.output_modalities) == [ct.MODALITY_IMAGE]
    assert request.messages[0].parts[-1].text == "Remove the rain 0."
    assert request.messages[0].parts[0].media.inline == PNG + b"rain0"
    assert request.parameters == gw.GenerationParameters()
    assert run.usage.output_images == 1


async def test_a_model_that_makes_no_pictures_is_not_asked(make_evaluator, scripted, drawing_suite):
    scripted.info.input_modalities.append(ct.MODALITY_IMAGE)
    evaluator, _ = make_evaluator()
    run = await finish(evaluator, drawing_suite())
    assert (run.counts.unsupported, run.status, run.calls) == (3, ev.RUN_STATUS_FINISHED, 0)
    answers = [answer async for answer in evaluator.list_answers(ev.ListAnswersRequest(run_id=run.run_id))]
    assert {answer.error for answer in answers} == {"m does not make images"}
    assert not scripted.calls


async def test_a_model_that_only_draws_is_not_asked_for_text(make_evaluator, drawing, suite_folder):
    evaluator, _ = make_evaluator()
    run = await finish(evaluator, suite_folder(2))
    assert run.counts.unsupported == 2
    assert not drawing.calls


async def test_what_is_journalled_is_stored_before_it_and_shown_as_files(make_evaluator, drawing, drawing_suite, tmp_path):
    evaluator, _ = make_evaluator()
    run = await finish(evaluator, drawing_suite())
    (answer,) = [a async for a in evaluator.list_answers(ev.ListAnswersRequest(run_id=run.run_id, instance="d1"))]
    (file,) = answer.files
    assert file.mime_type == "image/png"
    assert Path(file.path).suffix == ".png"
    assert Path(file.path).read_bytes() == PNG + b"Remove the rain 1."
    with sqlite3.connect(tmp_path / "data" / "genlevel.db") as journal:
        kept = [json.loads(row[0]) for row in journal.execute("select files from evaluator_answers order by instance_id")]
    blobs = BlobStore.open(tmp_path / "data" / "blobs")
    assert [blobs.get(sha256)[-1:] for ((sha256, _size, _mime),) in kept] == [b"."] * 3
    assert kept[0][0][1:] == [len(PNG + b"Remove the rain 0."), "image/png"]


async def test_an_answer_that_cannot_be_stored_is_not_journalled(make_evaluator, drawing, drawing_suite, tmp_path):
    evaluator, _ = make_evaluator()
    folder = drawing_suite(1)
    (tmp_path / "data" / "blobs").rename(tmp_path / "data" / "gone")
    (tmp_path / "data" / "blobs").write_text("no folder")
    run = await finish(evaluator, folder)
    assert (run.counts.answered, run.counts.pending) == (0, 1)
    assert run.status == ev.RUN_STATUS_FAILED
    assert "blob store: cannot" in run.reason
    (tmp_path / "data" / "blobs").unlink()
    (tmp_path / "data" / "gone").rename(tmp_path / "data" / "blobs")
    again = await finish(evaluator, folder)
    assert (again.counts.answered, drawing.calls["Remove the rain 0."]) == (1, 2)


async def test_a_blob_of_another_store_is_said_so(make_evaluator, scripted, drawing, drawing_suite):
    async def generate(request, *, timeout_s):
        elsewhere = ct.Media(modality=ct.MODALITY_IMAGE, mime_type="image/png", blob=ct.BlobReference(sha256="1" * 64, size_bytes=3))
        return gw.GenerateResponse(parts=[ct.Part(media=elsewhere)])

    drawing.generate = generate
    evaluator, _ = make_evaluator()
    run = await finish(evaluator, drawing_suite(1))
    assert run.status == ev.RUN_STATUS_FAILED
    assert "set storage.blobs to one place for all services" in run.reason


async def test_a_scorer_in_this_process_is_told_paths_and_stored_answers(make_evaluator, drawing, drawing_suite):
    evaluator, _ = make_evaluator()
    folder = drawing_suite(2, "Edge-to-Image-Generation")  # by FID, a metric of a network, which may look at what was asked
    await finish(evaluator, folder)
    instances = await told_to(evaluator, scorer=True)
    assert [instance.outcome for instance in instances] == [sc.OUTCOME_ANSWERED] * 2
    assert instances[0].files[0].blob.size_bytes == len(PNG + b"Remove the rain 0.")
    assert instances[0].inputs[0].path.endswith("rain0.png")
    assert instances[0].prompt == "Remove the rain 0."


async def test_a_scorer_elsewhere_is_told_no_path(make_evaluator, drawing, drawing_suite, tmp_path):
    evaluator, _ = make_evaluator()
    await finish(evaluator, drawing_suite(2, "Edge-to-Image-Generation"))
    instances = await told_to(evaluator, scorer=False)
    blobs = BlobStore.open(tmp_path / "data" / "blobs")
    assert str(tmp_path) not in "".join(str(instance) for instance in instances)
    assert blobs.get(instances[0].inputs[0].blob.sha256) == PNG + b"rain0"


def test_files_in_a_label_are_stored_for_a_scorer_elsewhere(tmp_path):
    from evaluator.runs.sent_files import SentFiles

    blobs = BlobStore.open(tmp_path / "blobs")
    (tmp_path / "mask.NPY").write_bytes(b"an array")
    (tmp_path / "frames").mkdir()
    (tmp_path / "frames" / "1.png").write_bytes(PNG)
    label = [{"label": "a", "mask": {"file": str(tmp_path / "mask.NPY"), "score": 1}}, {"file": str(tmp_path / "frames")}, 3, "x", None]
    sent = SentFiles(blobs).label(label)
    assert sent[0]["mask"]["score"] == 1
    assert sent[0]["mask"]["blob"]["suffix"] == ".npy"
    assert blobs.get(sent[0]["mask"]["blob"]["sha256"]) == b"an array"
    ((name, sha256),) = sent[1]["blob"]["entries"]
    assert (name, blobs.get(sha256)) == ("1.png", PNG)
    assert sent[2:] == [3, "x", None]
    assert SentFiles(None).label(label) is label


async def test_a_metric_that_compares_pictures_is_told_of_no_question(make_evaluator, drawing, drawing_suite):
    evaluator, _ = make_evaluator()
    await finish(evaluator, drawing_suite(1))
    (instance,) = await told_to(evaluator, scorer=True)
    assert len(instance.files) == 1
    assert not instance.inputs
    assert not instance.prompt


async def test_text_tasks_carry_no_question_to_the_scorer(make_evaluator, scripted, suite_folder):
    evaluator, _ = make_evaluator()
    await finish(evaluator, suite_folder(2))
    for instance in await told_to(evaluator, scorer=True):
        assert not instance.prompt
        assert not instance.inputs
        assert not instance.files


def test_a_journal_of_the_first_version_is_brought_up(tmp_path):
    """Its answers stay, without files."""
    from genlevel.runtime.schema import Schema
    from genlevel.runtime.storage import open_engine

    url, versions = f"sqlite:///{tmp_path}/old.db", Path(migrations.__path__[0]) / "versions"
    first = tmp_path / "versions"
    first.mkdir()
    (first / "v0001.py").write_text((versions / "v0001_runs_and_answers.py").read_text())
    engine = open_engine(url, Schema("evaluator", "0001", first))
    columns = (
        "run_id, task, instance_id, outcome, raw_answer, finish_reason, error_class, error, attempts, waits, input_tokens, "
        "cache_read_tokens, cache_write_tokens, output_tokens, reasoning_tokens, upstream_s, provider_model, response_id, "
        "request_hash, created"
    )
    with engine.begin() as connection:
        connection.exec_driver_sql(
            f"insert into evaluator_answers ({columns}) values ('r', 't', 'i', 1, 'A', 0, 0, '', 1, 0, 1, 0, 0, 1, 0, 0.1, '', '', '', 0)"
        )
    engine.dispose()
    journal = Journal(url)
    answer = journal.answers_to("r", "t", [AnswerKey("i")])[AnswerKey("i")]
    assert (answer.raw_answer, answer.files, answer.usage.output_images) == ("A", "", 0)
    with journal._engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": "evaluator_alembic_version"})
        assert context.get_current_revision() == HEAD
    journal.close()


async def test_a_folder_of_frames_goes_as_pictures_where_the_model_takes_frames(make_evaluator, scripted, tmp_path):
    folder = tmp_path / "bench" / "video" / "comprehension" / "Clips"
    (folder / "videos" / "clip").mkdir(parents=True)
    for number in range(1, 13):
        (folder / "videos" / "clip" / f"{number}.png").write_bytes(PNG + f"frame {number}".encode())
    data = [{"id": "v", "input": {"video_file": "videos/clip", "question": "What happens?"}, "output": {"answer": "rain"}}]
    (folder / "annotation.json").write_text(json.dumps({"task": "Clips", "type": "OpenQA", "data": data}))
    scripted.info.input_modalities.extend([ct.MODALITY_IMAGE, ct.MODALITY_VIDEO])
    evaluator, _ = make_evaluator()
    scripted.info.video_frames = 3
    run = await finish(evaluator, tmp_path / "bench")
    assert (run.counts.answered, run.specification.video_frames) == (1, 3)
    frames = [part.media.inline[len(PNG) :] for part in scripted.requests[0].messages[0].parts[:-1]]
    assert frames == [b"frame 3", b"frame 7", b"frame 11"]

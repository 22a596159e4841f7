"""Which files a scorer opens: paths within one process, stored objects from the network, and never what a model's text names."""

from __future__ import annotations

import json
from pathlib import Path

import grpc
import pytest

from genlevel.benchmark.suites import load_benchmark
from genlevel.runtime.blobs import BlobStore
from genlevel.runtime.errors import StorageError, UsageError
from genlevel.runtime.files import FileCache
from genlevel.runtime.rpc import RpcServer
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import scorer_pb2 as sc
from genlevel.v1 import scorer_pb2_grpc
from scorer.metrics.base import MeanMetric, Question
from scorer.parsers import Structured
from scorer.rpc import add_to_server
from scorer.scoring.files import FileAccess
from scorer.scoring.task_scoring import AnsweredInstance, Outcome, TaskScoring
from scorer.service import Scorer

PNG = b"\x89PNG\r\n\x1a\n picture"


@pytest.fixture
def blobs(tmp_path):
    return BlobStore.open(tmp_path / "blobs")


@pytest.fixture
def access(blobs, tmp_path):
    return FileAccess(FileCache(blobs, tmp_path / "files"), from_network=True)


def resolved(access, answer, label=None):
    with access.lease() as lease:
        found = access.of(answer, label, lease)
        contents = [Path(path).read_bytes() for path in (*found.files, *found.inputs)]
        return found, contents


def test_stored_answers_and_inputs_are_files_here(access, blobs):
    reference = blobs.put(PNG)
    file = sc.File(mime_type="image/png", blob=reference)
    found, contents = resolved(access, sc.InstanceAnswer(id="a", files=[file], inputs=[file]))
    assert contents == [PNG, PNG]
    assert found.files[0].endswith(".png")


def test_file_nodes_of_a_label_are_fetched_wherever_they_stand(access, blobs):
    sha256 = blobs.put(PNG).sha256
    label = [{"label": "bird", "mask": {"blob": {"sha256": sha256, "suffix": ".png"}, "score": 1}}, {"label": "", "mask": None}]
    with access.lease() as lease:
        found = access.of(sc.InstanceAnswer(id="a"), label, lease).label
        assert found[0]["mask"]["score"] == 1
        assert Path(found[0]["mask"]["file"]).read_bytes() == PNG
        frames = {"blob": {"entries": [["1.png", sha256], ["2.png", sha256]]}}
        folder = access.of(sc.InstanceAnswer(id="a"), frames, lease).label["file"]
        assert Path(folder, "2.png").read_bytes() == PNG


@pytest.mark.parametrize("label", [{"file": "/etc/passwd"}, [{"mask": {"file": "/etc/passwd"}}], [[["x", {"\u0066ile": "relative"}]]]])
def test_a_label_from_the_network_names_no_path(access, label):
    with pytest.raises(UsageError, match=r"instance 'a': its label has a node .*only within one process; store the file"):
        resolved(access, sc.InstanceAnswer(id="a"), label)


@pytest.mark.parametrize("field", ["files", "inputs"])
def test_an_answer_from_the_network_names_no_path(access, field):
    answer = sc.InstanceAnswer(id="a", **{field: [sc.File(mime_type="image/png", path="/etc/passwd")]})
    with pytest.raises(UsageError, match=rf"instance 'a': {field}\[0\] is a path, which is taken only within one process"):
        resolved(access, answer)


def test_a_blob_that_is_no_reference_is_said_so(access):
    with pytest.raises(UsageError, match="has neither 'sha256'"):
        resolved(access, sc.InstanceAnswer(id="a"), {"blob": {"sha256": 7}})


async def test_the_grpc_service_refuses_paths_in_one_line(tmp_path, blobs):
    scorer = Scorer(f"sqlite:///{tmp_path}/s.db", files=FileCache(blobs, tmp_path / "files"))
    task = next(task for task in load_benchmark("general-bench").tasks if task.metric.id == "psnr")
    header = sc.ScoreTaskHeader(
        run_id="r", model="m", suite="s", benchmark="general-bench",
        task=sc.TaskDescription(key="k", name=task.name, sheet=task.sheet, modality="image", metric="psnr"),
    )  # fmt: skip
    server = RpcServer("127.0.0.1:0", None, name="scorer.grpc")
    add_to_server(server, scorer)
    file = sc.File(mime_type="image/png", path="/etc/passwd")
    by_path = sc.InstanceAnswer(id="a", outcome=sc.OUTCOME_ANSWERED, answer_type="media", files=[file], label_json="null")
    by_label = sc.InstanceAnswer(id="b", outcome=sc.OUTCOME_PENDING, answer_type="media", label_json=json.dumps({"file": "/etc/passwd"}))
    async with server, grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        stub = scorer_pb2_grpc.ScorerServiceStub(channel)
        for instance, said in ((by_path, "files[0] is a path"), (by_label, "its label has a node")):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await stub.ScoreTask(iter([sc.ScoreTaskRequest(header=header, instances=[instance])]))
            assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
            assert said in refused.value.details()
            assert "\n" not in refused.value.details()
    scorer.close()


class Looking(MeanMetric):
    """1 for an answer with a file, 0 else; remembers what it saw."""

    def __init__(self) -> None:
        super().__init__("accuracy")
        self.seen = []

    def statistic(self, answer, question: Question) -> float:
        self.seen.append(answer)
        return 1.0


def test_an_answer_of_media_is_its_files_in_order_and_without_any_it_is_unparsable():
    metric = Looking()
    scoring = TaskScoring(metric)
    made = AnsweredInstance("a", Outcome.ANSWERED, "Here you are", "media", {"file": "/label"}, files=("/1.png", "/2.png"))
    said = AnsweredInstance("b", Outcome.ANSWERED, "I cannot draw", "media", {"file": "/label"})
    scoring.add([made, said])
    assert metric.seen == [Structured([{"file": "/1.png"}, {"file": "/2.png"}])]
    assert scoring.finish().counts == {Outcome.ANSWERED: 1, Outcome.UNPARSABLE: 1}


@pytest.mark.parametrize("kind", ["masks", "structure"])
def test_a_models_text_opens_no_file(kind):
    metric = Looking()
    scoring = TaskScoring(metric)
    said = '[{"label": "", "mask": {"file": "/etc/passwd"}}]'
    scoring.add([AnsweredInstance("a", Outcome.ANSWERED, said, kind, [])])
    assert metric.seen == []
    assert scoring.finish().counts == {Outcome.UNPARSABLE: 1}
    scoring.add([AnsweredInstance("a", Outcome.ANSWERED, said, kind, [], files=("/etc/passwd",))])
    assert metric.seen == [Structured([{"label": "", "mask": {"file": "/etc/passwd"}}])]


def test_a_message_type_that_names_stored_files_needs_a_store():
    file = sc.File(mime_type="image/png", blob=ct.BlobReference(sha256="0" * 64))
    with pytest.raises(UsageError, match="has no blob store"):
        FileAccess(None, from_network=False).of(sc.InstanceAnswer(id="a", files=[file]), None, None)


def test_a_scorer_with_another_blob_store_says_what_to_set(access):
    file = sc.File(mime_type="image/png", blob=ct.BlobReference(sha256="0" * 64))
    with pytest.raises(StorageError, match=r"instance 'a': .* is not in .*; set storage.blobs to one place for evaluator and scorer"):
        resolved(access, sc.InstanceAnswer(id="a", files=[file]))

"""Services of the next version say more than this one knows: what is known is shown, and nothing breaks."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from google.protobuf.message import Message

from genlevel.client.values import plans
from genlevel.client.values.runs import RunStatus, run_state
from genlevel.documents.monitors import state_name, tick_outcome_name
from genlevel.documents.run_progress import error_class_name
from genlevel.documents.runs import outcome_name, run_document, status_name
from genlevel.runtime.remote import Remote, serve
from genlevel.runtime.rpc import RpcServer, connect
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw

EVALUATOR = ev.DESCRIPTOR.services_by_name["EvaluatorService"]
FIELD_OF_TOMORROW = bytes([0xFA, 0xFF, 0x03, 3]) + b"new"  # number 8191, a text


def of_tomorrow(message: Message) -> Any:
    """The message with a field that this version does not know."""
    newer = type(message).FromString(message.SerializeToString() + FIELD_OF_TOMORROW)
    assert newer.ByteSize() > message.ByteSize()
    return newer


@pytest.mark.parametrize("name", [status_name, outcome_name, state_name, tick_outcome_name, error_class_name])
def test_what_has_no_name_yet_is_shown_by_its_number(name: Callable[[int], str]) -> None:
    assert name(99) == "unknown 99"
    assert not name(1).startswith("unknown")


def test_a_run_in_a_state_of_tomorrow_is_shown() -> None:
    run = of_tomorrow(ev.Run(run_id="r", status=99, wanted=99))  # type: ignore[arg-type]
    assert (run_document(run)["status"], run_document(run)["wanted"]) == ("unknown 99", None)
    assert run_state(run).status is RunStatus.UNKNOWN


def test_a_model_of_a_modality_of_tomorrow_is_shown() -> None:
    model = gw.ModelInfo(route="r", input_modalities=[1, 99], output_modalities=[99])  # type: ignore[list-item]
    assert plans._modalities(model.input_modalities) == ("text", "unknown 99")


async def test_fields_of_tomorrow_pass_in_both_directions() -> None:
    asked = []

    class Core:
        def __getattr__(self, name: str) -> object:
            return self.get_run

        async def get_run(self, request: ev.GetRunRequest) -> ev.GetRunResponse:
            asked.append(request.run_id)
            return ev.GetRunResponse(run=of_tomorrow(ev.Run(run_id=request.run_id, status=99)))  # type: ignore[arg-type]

        async def watch_run(self, request: ev.WatchRunRequest) -> AsyncIterator[ev.WatchRunResponse]:
            yield of_tomorrow(ev.WatchRunResponse(run=of_tomorrow(ev.Run(run_id=request.run_id, status=99))))  # type: ignore[arg-type]

    server = RpcServer("127.0.0.1:0", grace_s=0.1)
    core = Core()
    instead = {method.name: core.get_run for method in EVALUATOR.methods if method.name != "WatchRun"}
    serve(server, EVALUATOR, core, instead=instead)
    async with server:
        address = f"127.0.0.1:{server.port}"
        remote: Any = Remote(connect(address), EVALUATOR, name="evaluator", address=address, timeouts_s={})
        found = await remote.get_run(of_tomorrow(ev.GetRunRequest(run_id="r")))
        progress = [each async for each in remote.watch_run(of_tomorrow(ev.WatchRunRequest(run_id="r")))]
        await remote.close()
    assert asked == ["r"]
    assert (found.run.status, [each.run.status for each in progress]) == (99, [99])
    json.dumps(run_document(found.run))

"""The contract is held to that of the last release: what a client or server of that version would stumble over is found."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

pytestmark = pytest.mark.full

PROTO = """
syntax = "proto3";
package genlevel.v1;
service KitchenService {{
  {rpcs}
}}
message CookRequest {{ {fields} }}
message CookResponse {{}}
message WashRequest {{}}
message WashResponse {{}}
"""
COOK, WASH = "rpc Cook(CookRequest) returns (CookResponse);", "rpc Wash(WashRequest) returns (WashResponse);"


@pytest.fixture(scope="module")
def contract(repository: Path) -> ModuleType:
    """deploy/check/contract.py."""
    spec = importlib.util.spec_from_file_location("contract", repository / "deploy/check/contract.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["contract"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("rpcs", "fields", "holds"),
    [
        (COOK + WASH, "string dish = 1; string for_whom = 2;", True),
        (COOK, "string dish = 1;", True),
        (WASH, "string dish = 1;", False),
        (COOK, "int64 dish = 1;", False),
        (COOK, "string meal = 1;", False),
        (COOK, "", False),
        (COOK.replace("(CookResponse)", "(stream CookResponse)"), "string dish = 1;", False),
    ],
    ids=["more", "the same", "an RPC is gone", "another type", "another name", "a field is gone", "a stream"],
)
def test_what_the_last_release_needs_stays(contract: ModuleType, tmp_path: Path, rpcs: str, fields: str, *, holds: bool) -> None:
    images = {}
    for name, text in (("then", PROTO.format(rpcs=COOK, fields="string dish = 1;")), ("now", PROTO.format(rpcs=rpcs, fields=fields))):
        (tmp_path / name / "genlevel" / "v1").mkdir(parents=True)
        (tmp_path / name / "genlevel" / "v1" / "kitchen.proto").write_text(text)
        images[name] = contract.describe(tmp_path / name, tmp_path / f"{name}.binpb", source=name == "now")
    assert contract.breaking(images["now"], images["then"]) is holds


def test_what_was_released_is_a_contract_of_ours(contract: ModuleType) -> None:
    from google.protobuf.descriptor_pb2 import FileDescriptorSet

    released = FileDescriptorSet.FromString((contract.RELEASED / "contract.binpb").read_bytes())
    assert {service.name for file in released.file if file.package == "genlevel.v1" for service in file.service} >= {
        "EvaluatorService",
        "GatewayService",
        "ScorerService",
        "MonitorService",
    }

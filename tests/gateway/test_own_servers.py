"""Nobody who may call makes a server of the operator's own fetch something, in whatever words."""

from __future__ import annotations

import json

import pytest
from google.protobuf import struct_pb2

from gateway.asking.own_servers import refuse_addresses
from gateway.asking.prepared import prepared
from gateway.routes import Routes
from genlevel.runtime.errors import CallFailed
from genlevel.runtime.settings import Account, Settings
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw

METADATA = "http://169.254.169.254/latest"


async def nothing(reference: ct.BlobReference) -> bytes:
    raise AssertionError


def struct(value: dict[str, object]) -> struct_pb2.Struct:
    made = struct_pb2.Struct()
    made.update(value)
    return made


def request(**others: object) -> gw.GenerateRequest:
    message = ct.Message(role=ct.ROLE_USER, parts=[ct.Part(text="What is there?")])
    return gw.GenerateRequest(route="own/m", messages=[message], **others)  # type: ignore[arg-type]


def in_a_part() -> gw.GenerateRequest:
    asked = request()
    asked.messages[0].parts.append(
        ct.Part(vendor=ct.VendorPart(vendor="compatible", value=struct({"type": "image_url", "image_url": {"url": METADATA}})))
    )
    return asked


def beside_a_part() -> gw.GenerateRequest:
    asked = request()
    asked.messages[0].parts[0].vendor_fields.update({"type": "image_url", "image_url": {"url": METADATA}})
    return asked


def in_a_tool() -> gw.GenerateRequest:
    tool = gw.Tool(vendor=ct.VendorPart(vendor="compatible", value=struct({"type": "mcp", "server_url": METADATA})))
    return request(tools=[tool])


def in_a_field() -> gw.GenerateRequest:
    return request(extra_json=json.dumps({"tool_server": [{"where": f" {METADATA}"}]}))


@pytest.mark.parametrize("ways", [in_a_part, in_a_tool, in_a_field, beside_a_part])
async def test_addresses_in_a_servers_own_words_are_refused_as_those_in_ours_are(ways: object) -> None:
    asked: gw.GenerateRequest = ways()  # type: ignore[operator]
    account = Account(provider="vllm", base_url="http://10.0.0.7:8000/v1")
    own = Routes(Settings(accounts={"vllm": account})).resolve("vllm/m")
    with pytest.raises(CallFailed, match="told to fetch nothing; send the bytes, or set fetches_media"):
        await prepared(asked, own, "m", nothing)
    told = account.model_copy(update={"fetches_media": True})
    sent = await prepared(asked, Routes(Settings(accounts={"vllm": told})).resolve("vllm/m"), "m", nothing)
    assert METADATA.encode() in b"".join(map(bytes, sent.pieces))


@pytest.mark.parametrize("written", [METADATA, "HTTPS://x", "file:///etc/passwd", "\tgs://b/o", "s3://b/o", "file:/etc/passwd"])
def test_any_scheme_counts(written: str) -> None:
    with pytest.raises(CallFailed, match=r"^extra_json: deep is an address"):
        refuse_addresses({"a": [{"deep": written}]}, "extra_json")


def test_bare_paths_count_where_an_address_belongs() -> None:
    with pytest.raises(CallFailed, match="url is an address"):
        refuse_addresses({"type": "image_url", "image_url": {"url": "/etc/passwd"}}, "extra_json")


def test_what_leads_nowhere_is_left() -> None:
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "url": {"type": ["string"]}}
    refuse_addresses({"image_url": {"url": "data:image/png;base64,AA=="}, "note": "see: http", "n": 1, "schema": schema}, "extra_json")

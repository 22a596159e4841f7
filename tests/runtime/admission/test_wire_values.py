"""What is counted in a message before it is parsed."""

from __future__ import annotations

import os
import random
import time

import pytest

from genlevel.runtime.admission.wire_values import count_values, plan_of
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import scorer_pb2 as sc

REQUEST = plan_of(gw.GenerateRequest.DESCRIPTOR)


def test_every_value_counts_those_of_messages_within_too() -> None:
    request = gw.GenerateRequest(route="r", messages=[ct.Message(role=ct.ROLE_USER, parts=[ct.Part(text="a"), ct.Part(text="b")])])
    # route, the message, its role, two parts, two texts
    assert count_values(request.SerializeToString(), REQUEST, 100) == 7


def test_a_file_is_one_value_however_large() -> None:
    media = ct.Media(modality=ct.MODALITY_IMAGE, inline=os.urandom(10 << 20))
    raw = gw.GenerateRequest(messages=[ct.Message(parts=[ct.Part(media=media)])]).SerializeToString()
    started = time.perf_counter()
    assert count_values(raw, REQUEST, 100) == 5
    assert time.perf_counter() - started < 0.05


def test_numbers_of_a_packed_list_count_each() -> None:
    enums = gw.GenerateRequest(output_modalities=[ct.MODALITY_TEXT] * 1000).SerializeToString()
    assert count_values(enums, REQUEST, 10_000) == 1001
    doubles = sc.InstanceAnswer(ratings=[1.0] * 1000).SerializeToString()
    assert count_values(doubles, plan_of(sc.InstanceAnswer.DESCRIPTOR), 10_000) == 1001


def test_entries_of_maps_and_values_nested_in_structs_count() -> None:
    part = ct.Part()
    part.tool_call.arguments.update({"list": [{"n": number} for number in range(100)]})
    raw = gw.GenerateRequest(messages=[ct.Message(parts=[part])]).SerializeToString()
    assert count_values(raw, REQUEST, 10_000) > 300


def test_counting_ends_at_the_limit() -> None:
    raw = b"\x12\x00" * 3_000_000
    started = time.perf_counter()
    assert count_values(raw, REQUEST, 20_000) == 20_001
    assert time.perf_counter() - started < 1.0, "it looked at no more than it had to"


def test_a_group_hides_nothing() -> None:
    assert count_values(b"\x3b" + b"\x12\x00" * 500 + b"\x3c", REQUEST, 100) == 101


@pytest.mark.parametrize(
    "raw", [b"\x12\xff\xff\xff\xff\x7f", b"\x12", b"\xff" * 30, b"\x12\x05\x12", b"\x07", random.Random(4).randbytes(4096)]
)
def test_bytes_that_are_no_message_end_the_count(raw: bytes) -> None:
    assert count_values(raw, REQUEST, 10_000) <= 10_001

"""What a vendor says comes back as it was, though a Struct has doubles alone and is not deep."""

from __future__ import annotations

import math
from typing import Any

from google.protobuf import struct_pb2
from hypothesis import given
from hypothesis import strategies as st

from gateway.structs import fill, plain

# JSON in whole: texts without halves of characters, and numbers that JSON has.
numbers = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=12,
)


def there_and_back(value: dict[str, Any]) -> dict[str, Any]:
    struct = struct_pb2.Struct()
    fill(struct, value)
    sent = struct_pb2.Struct()
    sent.ParseFromString(struct.SerializeToString())
    return plain(sent)


@given(st.dictionaries(texts, values, max_size=4))
def test_an_object_comes_back_as_it_was(value: dict[str, Any]) -> None:
    assert there_and_back(value) == value


def test_large_numbers_and_deep_objects_come_back_exactly() -> None:
    deep: dict[str, Any] = {"id": 2**60 + 1}
    for _ in range(60):
        deep = {"in": [deep]}
    assert there_and_back(deep) == deep
    assert there_and_back({"seed": 2**53 + 1}) == {"seed": 2**53 + 1}


def test_whole_numbers_are_whole_again_and_others_are_not() -> None:
    back = there_and_back({"a": 3, "b": 3.5, "c": -0.25, "d": True})
    assert back == {"a": 3, "b": 3.5, "c": -0.25, "d": True}
    assert isinstance(back["a"], int)
    assert back["d"] is True


def test_an_object_that_has_a_text_named_json_is_not_taken_for_another() -> None:
    assert there_and_back({"json": "no JSON"}) == {"json": "no JSON"}
    assert there_and_back({"json": "[1]"}) == {"json": "[1]"}
    assert there_and_back({"json": '{"a": 1}'}) == {"json": '{"a": 1}'}


def test_what_is_no_object_is_written_as_json() -> None:
    struct = struct_pb2.Struct()
    fill(struct, [1, 2])
    assert plain(struct) == {"json": "[1,2]"}
    assert math.isclose(plain(struct_pb2.Struct(fields={"x": struct_pb2.Value(number_value=1e300)}))["x"], 1e300)  # type: ignore[arg-type]

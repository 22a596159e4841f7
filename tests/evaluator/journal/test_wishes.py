"""What is wanted of a run, as stored and as the contract says it."""

from __future__ import annotations

from evaluator.journal.wishes import Wanted
from genlevel.v1 import evaluator_pb2 as ev


def test_the_wishes_are_those_of_the_contract():
    names = {value.name.removeprefix("RUN_WANTED_"): value.number for value in ev.RunWanted.DESCRIPTOR.values}
    names["NOTHING"] = names.pop("UNSPECIFIED")
    assert {wanted.name: wanted.value for wanted in Wanted} == names


def test_a_wish_of_a_newer_contract_is_none():
    assert Wanted.of(99) is Wanted.NOTHING

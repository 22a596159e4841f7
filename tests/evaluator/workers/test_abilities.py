"""An evaluator is given to score what it is told to, as far as its scorer can."""

from __future__ import annotations

from evaluator.workers.abilities import Abilities, abilities
from genlevel.v1 import scorer_pb2 as sc


def scorer(device_problem: str = "", **problems: str) -> sc.GetAbilitiesResponse:
    every = {"vision": "", "video": "", "audio": "", **problems}
    found = [sc.Ability(need=need, problem=problem) for need, problem in every.items()]
    return sc.GetAbilitiesResponse(abilities=found, device_problem=device_problem)


def test_what_needs_a_network_waits_until_the_scorer_has_said_that_it_can() -> None:
    assert abilities(["any", "vision"], None) == Abilities(("any",))
    assert abilities(["any", "vision"], scorer()) == Abilities(("any", "vision"))


def test_what_it_cannot_is_left_out_and_said() -> None:
    found = abilities(["vision", "any", "audio"], scorer(audio="needs torch: pip install 'genlevel[audio]'"))
    assert found.able == ("vision", "any")
    assert found.problem == ("worker.scores names audio, which its scorer cannot score (audio: needs torch: pip install 'genlevel[audio]')")


def test_a_device_that_there_is_not_leaves_what_needs_none() -> None:
    assert abilities(["any", "vision"], scorer("worker.device is cuda")) == Abilities(("any",), "worker.device is cuda")
    assert abilities(["any"], scorer("worker.device is cuda")) == Abilities(("any",))


def test_a_need_that_an_older_scorer_does_not_know_is_none_that_it_can() -> None:
    assert abilities(["vision"], sc.GetAbilitiesResponse()).able == ()


def test_who_is_told_nothing_scores_nothing() -> None:
    assert abilities([], scorer()) == Abilities(())

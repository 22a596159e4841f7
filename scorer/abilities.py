"""What a scorer can score with: the networks of which extras, and on which device."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genlevel.benchmark.metrics import Need
from genlevel.v1 import scorer_pb2 as sc

if TYPE_CHECKING:
    from scorer.models import Networks


def abilities(networks: Networks) -> sc.GetAbilitiesResponse:
    """What is installed for each need, and whether networks can run where they are told to. Blocking; loads no network."""
    wanted = (need for need in Need if need is not Need.ANY)
    return sc.GetAbilitiesResponse(
        abilities=[sc.Ability(need=need, problem=networks.lacking(need)) for need in wanted],
        device=networks.told_device,
        device_problem=networks.device_problem(),
    )

"""A model that knows a part of what it is asked, and data folders in which it is asked."""

from __future__ import annotations

import pytest

from genlevel.v1 import content_pb2 as ct
from tests.evaluator.conftest import ScriptedGateway
from tests.evaluator.deciding.worlds import World
from tests.evaluator.runs.places import Place


@pytest.fixture
def world(tmp_path, scripted):
    there = World(tmp_path / "bench")
    scripted.script = there.script
    scripted.info.input_modalities.append(ct.MODALITY_IMAGE)
    return there


@pytest.fixture
async def place_of(tmp_path, world):
    """Makes data folders, each with a gateway of its own."""
    made = []

    def make(name):
        gateway = ScriptedGateway()
        gateway.script = world.script
        gateway.info.input_modalities.append(ct.MODALITY_IMAGE)
        made.append(Place(tmp_path / name, gateway))
        return made[-1]

    yield make
    for place in made:
        for evaluator, _ in list(place.made):
            await place.stop(evaluator)

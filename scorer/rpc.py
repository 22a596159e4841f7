"""The scorer over gRPC: ``scorer.service.Scorer`` behind the contract."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from genlevel.runtime.remote import serve
from genlevel.runtime.rpc import RpcServer
from genlevel.v1 import scorer_pb2 as sc
from scorer.service import Scorer

SERVICE = sc.DESCRIPTOR.services_by_name["ScorerService"]


def add_to_server(server: RpcServer, scorer: Scorer) -> None:
    """Adds ScorerService to a server; health and reflection know it by its full name, and health says whether it is ready.

    What comes from the network may name files by reference to the blob store alone, never by path.
    """
    instead: dict[str, Callable[..., object]] = {
        "ScoreTask": partial(scorer.score_task, from_network=True),
        "MeasureAnswers": partial(scorer.measure_answers, from_network=True),
    }
    serve(server, SERVICE, scorer, ready=scorer.readiness, instead=instead)

"""The evaluator over gRPC: ``evaluator.service.Evaluator`` behind the contract."""

from __future__ import annotations

from evaluator.service import Evaluator
from genlevel.runtime.remote import serve
from genlevel.runtime.rpc import RpcServer
from genlevel.v1 import evaluator_pb2 as ev

SERVICE = ev.DESCRIPTOR.services_by_name["EvaluatorService"]


def add_to_server(server: RpcServer, evaluator: Evaluator) -> None:
    """Adds EvaluatorService to a server; health and reflection know it by its full name, and health says whether it is ready."""
    serve(server, SERVICE, evaluator, ready=evaluator.readiness, stop=evaluator)

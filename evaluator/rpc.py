"""The evaluator and its monitors over gRPC: ``evaluator.service.Evaluator`` behind the contract."""

from __future__ import annotations

from evaluator.service import Evaluator
from genlevel.runtime.remote import serve
from genlevel.runtime.rpc import RpcServer
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import monitor_pb2 as mo

SERVICE = ev.DESCRIPTOR.services_by_name["EvaluatorService"]
MONITORS = mo.DESCRIPTOR.services_by_name["MonitorService"]


def add_to_server(server: RpcServer, evaluator: Evaluator) -> None:
    """Adds EvaluatorService and MonitorService to a server; health and reflection know their full names, and health says if it is ready."""
    serve(server, SERVICE, evaluator, ready=evaluator.readiness, stop=evaluator)
    serve(server, MONITORS, evaluator.monitors, ready=evaluator.readiness)

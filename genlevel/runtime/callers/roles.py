"""The one table of which role each RPC and page needs; an RPC without a row needs ADMIN.

docs/security.md shows the table, and a test holds both alike.
"""

from __future__ import annotations

from collections.abc import Mapping

from genlevel.runtime.callers import Role

RPCS: Mapping[str, Role] = {
    "/genlevel.v1.GatewayService/Generate": Role.CALL,
    "/genlevel.v1.GatewayService/GenerateMany": Role.CALL,
    "/genlevel.v1.GatewayService/GenerateStream": Role.CALL,
    "/genlevel.v1.GatewayService/SubmitBatch": Role.CALL,
    "/genlevel.v1.GatewayService/GetBatch": Role.CALL,
    "/genlevel.v1.GatewayService/FindBatches": Role.CALL,
    "/genlevel.v1.GatewayService/CollectBatch": Role.CALL,
    "/genlevel.v1.GatewayService/CancelBatch": Role.CALL,
    "/genlevel.v1.GatewayService/ListModels": Role.READ,
    "/genlevel.v1.EvaluatorService/PlanRun": Role.READ,
    "/genlevel.v1.EvaluatorService/StartRun": Role.RUN,
    "/genlevel.v1.EvaluatorService/WatchRun": Role.READ,
    "/genlevel.v1.EvaluatorService/GetRun": Role.READ,
    "/genlevel.v1.EvaluatorService/ListRuns": Role.READ,
    "/genlevel.v1.EvaluatorService/CancelRun": Role.RUN,
    "/genlevel.v1.EvaluatorService/DescribeRun": Role.RUN,
    "/genlevel.v1.EvaluatorService/DeleteRun": Role.ADMIN,
    "/genlevel.v1.EvaluatorService/UpdateRun": Role.RUN,
    "/genlevel.v1.EvaluatorService/RescoreRun": Role.RUN,
    "/genlevel.v1.EvaluatorService/ListAnswers": Role.READ,
    "/genlevel.v1.EvaluatorService/SearchAnswers": Role.READ,
    "/genlevel.v1.EvaluatorService/ReadMedia": Role.READ,
    "/genlevel.v1.EvaluatorService/GetTraffic": Role.READ,
    "/genlevel.v1.EvaluatorService/ListWorkers": Role.READ,
    "/genlevel.v1.EvaluatorService/ChangeDeadLetter": Role.RUN,
    "/genlevel.v1.MonitorService/PlanMonitor": Role.READ,
    "/genlevel.v1.MonitorService/AddMonitor": Role.RUN,
    "/genlevel.v1.MonitorService/ListMonitors": Role.READ,
    "/genlevel.v1.MonitorService/GetMonitor": Role.READ,
    "/genlevel.v1.MonitorService/PauseMonitor": Role.RUN,
    "/genlevel.v1.MonitorService/RunMonitor": Role.RUN,
    "/genlevel.v1.MonitorService/AcknowledgeAlarms": Role.RUN,
    "/genlevel.v1.MonitorService/RebaseMonitor": Role.RUN,
    "/genlevel.v1.MonitorService/RemoveMonitor": Role.RUN,
    "/genlevel.v1.MonitorService/TestAlarm": Role.RUN,
    "/genlevel.v1.ScorerService/BeginRun": Role.ADMIN,
    "/genlevel.v1.ScorerService/ScoreTask": Role.ADMIN,
    "/genlevel.v1.ScorerService/GetVerdict": Role.READ,
    "/genlevel.v1.ScorerService/Compare": Role.READ,
    "/genlevel.v1.ScorerService/ListStandings": Role.READ,
    "/genlevel.v1.ScorerService/ListInstances": Role.READ,
    "/genlevel.v1.ScorerService/ForgetRun": Role.ADMIN,
    "/genlevel.v1.ScorerService/GetAbilities": Role.READ,
    "/genlevel.v1.ScorerService/GetCriteria": Role.READ,
    "/genlevel.v1.ScorerService/MeasureAnswers": Role.ADMIN,
    "/genlevel.v1.ScorerService/ExpectDecision": Role.READ,
}

HEALTH = "/grpc.health.v1.Health/"
"""RPCs that begin so need nothing: balancers and probes ask them."""

REFLECTION = "/grpc.reflection.v1alpha.ServerReflection/"
"""RPCs that begin so need a caller who is known, of whatever role."""

OPEN_PAGES = frozenset({"/healthz", "/readyz"})
"""HTTP pages that need nothing. All others need READ; /metrics needs nothing if auth.metrics is open."""
METRICS_PAGE = "/metrics"


def needed_role(method: str) -> Role | None:
    """The role that an RPC needs, by its full name such as /genlevel.v1.EvaluatorService/GetRun. None: any caller who is known."""
    if method.startswith(REFLECTION):
        return None
    return RPCS.get(method, Role.ADMIN)

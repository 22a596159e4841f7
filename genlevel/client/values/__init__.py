"""What the client answers with: frozen values with units, made of the services' messages and documents in one place."""

from genlevel.client.values.answers import Answer, Medium, Rating
from genlevel.client.values.boards import BoardEntry, Leaderboard
from genlevel.client.values.comparisons import ComparedTask, Comparison, Difference
from genlevel.client.values.decisions import DecidedLevel, DecidedTask, Decision, Expected
from genlevel.client.values.details import Failures, Freed, RunDetails, TaskCounts, TrafficSpan
from genlevel.client.values.monitors import Alarm, MonitorCheck, MonitorGroup, MonitorReport, MonitorState, MonitorStatus, MonitorTick
from genlevel.client.values.plans import Model, Plan, PlannedJudging, PlannedTask, Price
from genlevel.client.values.runs import (
    Batches,
    Cost,
    Counts,
    Judging,
    Progress,
    RunState,
    RunStatus,
)
from genlevel.client.values.verdicts import Certificate, CertifiedLevel, CertifiedTask, Levels, ModalityLevels, TaskScore, Verdict
from genlevel.client.values.workers import WorkerPart, Workers, WorkerState

__all__ = [
    "Alarm",
    "Answer",
    "Batches",
    "BoardEntry",
    "Certificate",
    "CertifiedLevel",
    "CertifiedTask",
    "ComparedTask",
    "Comparison",
    "Cost",
    "Counts",
    "DecidedLevel",
    "DecidedTask",
    "Decision",
    "Difference",
    "Expected",
    "Failures",
    "Freed",
    "Judging",
    "Leaderboard",
    "Levels",
    "Medium",
    "ModalityLevels",
    "Model",
    "MonitorCheck",
    "MonitorGroup",
    "MonitorReport",
    "MonitorState",
    "MonitorStatus",
    "MonitorTick",
    "Plan",
    "PlannedJudging",
    "PlannedTask",
    "Price",
    "Progress",
    "Rating",
    "RunDetails",
    "RunState",
    "RunStatus",
    "TaskCounts",
    "TaskScore",
    "TrafficSpan",
    "Verdict",
    "WorkerPart",
    "WorkerState",
    "Workers",
]

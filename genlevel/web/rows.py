"""The one table of pages and actions: address, who makes it, which role it needs, and its name in the navigation.

A handler is named as module:function below genlevel.web.pages, and imported when it is first asked for. An action is a form that is
posted to an address right below its page's; it answers with where to go, or with the page again.
"""

from __future__ import annotations

from dataclasses import dataclass

from genlevel.runtime.callers import Role
from genlevel.runtime.callers.roles import RPCS


@dataclass(frozen=True, slots=True)
class PageRow:
    """path: as FastAPI writes it. data: where its JSON is, if not at path.json."""

    path: str
    handler: str
    navigation: str = ""
    data: str = ""


@dataclass(frozen=True, slots=True)
class ActionRow:
    """rpc: what it asks the services for, such as EvaluatorService/UpdateRun, whose role it needs."""

    path: str
    handler: str
    rpc: str

    @property
    def role(self) -> Role:
        """What whoever posts the form needs."""
        return RPCS[f"/genlevel.v1.{self.rpc}"]


@dataclass(frozen=True, slots=True)
class FileRow:
    """Bytes rather than a page: the handler makes the response itself. It is named as module:function below genlevel.web."""

    path: str
    handler: str


PAGES: tuple[PageRow, ...] = (
    PageRow("/", "runs:runs_page", "Runs", data="/runs.json"),
    PageRow("/leaderboard", "leaderboard:leaderboard_page", "Leaderboard"),
    PageRow("/compare", "compare:compare_page"),
    PageRow("/compare/instances", "compared_instances:instances_page"),
    PageRow("/monitors", "monitors:monitors_page", "Monitors"),
    PageRow("/monitors/{name}", "monitors:monitor_page"),
    PageRow("/workers", "workers:workers_page", "Workers"),
    PageRow("/runs/{run}", "run:run_page"),
    PageRow("/runs/{run}/delete", "run_deletion:deletion_page"),
    PageRow("/runs/{run}/card", "card:card_page"),
    PageRow("/runs/{run}/answers", "answers:answers_page"),
    PageRow("/runs/{run}/answer", "answer:answer_page"),
)

ACTIONS: tuple[ActionRow, ...] = (
    ActionRow("/runs/{run}/wish", "run_actions:wish", "EvaluatorService/UpdateRun"),
    ActionRow("/runs/{run}/limits", "run_actions:limits", "EvaluatorService/UpdateRun"),
    ActionRow("/runs/{run}/describe", "run_actions:describe", "EvaluatorService/DescribeRun"),
    ActionRow("/runs/{run}/delete", "run_deletion:delete", "EvaluatorService/DeleteRun"),
    ActionRow("/monitors/{name}/pause", "monitor_actions:pause", "MonitorService/PauseMonitor"),
    ActionRow("/monitors/{name}/resume", "monitor_actions:resume", "MonitorService/PauseMonitor"),
    ActionRow("/monitors/{name}/run", "monitor_actions:run_now", "MonitorService/RunMonitor"),
    ActionRow("/monitors/{name}/acknowledge", "monitor_actions:acknowledge", "MonitorService/AcknowledgeAlarms"),
    ActionRow("/workers/dead", "workers:dead_letter", "EvaluatorService/ChangeDeadLetter"),
)

FILES: tuple[FileRow, ...] = (
    FileRow("/runs/{run}/media", "media.serving:media"),
    FileRow("/runs/{run}/mask", "media.masks:mask"),
)

"""What each set of instances of a monitor was like, tick by tick."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genlevel.documents.monitors import tick_outcome_name
from genlevel.v1 import monitor_pb2 as mo

if TYPE_CHECKING:
    from genlevel.runtime.documents import Document

SCORE = "score"


def sequences_document(found: mo.GetMonitorResponse) -> list[Document]:
    """For each group its ticks, the oldest first. found: with the groups of its ticks.

    Scores, drops and intervals are in points. evidence: of a drop of the score, as a logarithm; an alarm is raised at the threshold.
    """
    thresholds = {group.group: _threshold(group) for group in found.groups}
    return [
        {
            "group": name,
            "threshold": threshold,
            "tolerance": found.monitor.specification.tolerance if found.monitor.specification.HasField("tolerance") else None,
            "ticks": [_point(tick, group) for tick in reversed(found.ticks) for group in tick.groups if group.group == name],
        }
        for name, threshold in thresholds.items()
    ]


def _threshold(group: mo.MonitorGroup) -> float | None:
    return next((check.log_threshold for check in group.checks if _is_of_falls(check)), None)


def _point(tick: mo.MonitorTick, group: mo.MonitorGroup) -> Document:
    evidence = next((check.log_evidence for check in group.checks if _is_of_falls(check) and check.HasField("log_evidence")), None)
    return {
        "tick": tick.number,
        "at_s": (tick.ended if tick.HasField("ended") else tick.due).ToMilliseconds() / 1000,
        "outcome": tick_outcome_name(tick.outcome),
        "run": tick.run_id or None,
        "instances": group.instances,
        "score": group.score if group.HasField("score") else None,
        "baseline": group.baseline if group.HasField("baseline") else None,
        "drop": group.drop if group.HasField("drop") else None,
        "interval": [group.low, group.high] if group.HasField("low") and group.HasField("high") else None,
        "evidence": evidence,
    }


def _is_of_falls(check: mo.MonitorCheck) -> bool:
    return check.signal == SCORE and check.direction == "down"

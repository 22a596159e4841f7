"""Limits and budget of a run as they are stored, and as a start finds them."""

from __future__ import annotations

from google.protobuf import json_format

from evaluator.runs.work import Work
from genlevel.runtime.stored_messages import stored_message
from genlevel.v1 import evaluator_pb2 as ev


def caps(traffic: ev.TrafficSettings) -> tuple[int | None, int | None]:
    """The caps of a budget: nano-dollars, tokens; None = no cap."""
    return (
        traffic.budget_nano_usd if traffic.HasField("budget_nano_usd") else None,
        traffic.budget_tokens if traffic.HasField("budget_tokens") else None,
    )


def parsed(traffic: str) -> ev.TrafficSettings:
    """Settings as they are stored."""
    return stored_message(traffic, ev.TrafficSettings())


def take_over(work: Work, stored: str) -> None:
    """Has a start keep what a person has changed since its run was read: that came later than the start was asked for."""
    read = {field.name: value for field, value in parsed(work.record.traffic).ListFields()}
    for field, value in parsed(stored).ListFields():
        if read.get(field.name) != value:
            if field.message_type is not None:
                getattr(work.traffic, field.name).CopyFrom(value)
            else:
                setattr(work.traffic, field.name, value)


def kept_traffic(work: Work, stored: str) -> str:
    """The limits and budget to store. If the run's model is not asked, its own limits stay as they were."""
    kept = work.traffic
    if not work.asks:
        kept = parsed(stored)
        kept.judge = work.traffic.judge
        for budget in ("budget_nano_usd", "budget_tokens"):  # one for both; it has to hold if the judge is continued, too
            if work.traffic.HasField(budget):
                setattr(kept, budget, getattr(work.traffic, budget))
    return json_format.MessageToJson(kept, indent=None)

"""The plan of a run that ``genlevel eval --dry-run`` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genlevel.cli.printing import console, table
from genlevel.documents.decision_words import expected_told
from genlevel.documents.price_words import price_told
from genlevel.documents.words import number

if TYPE_CHECKING:
    from genlevel.cli.printing import Telling
    from genlevel.runtime.documents import Document


def print_plan(plan: Document, telling: Telling, *, batch_factor: str) -> None:
    """What ``--dry-run`` shows. batch_factor: what a batch costs of the price, such as 0.5; "" = it is asked call by call, or not known."""
    out = console()
    repeated = plan["answers"] > plan["instances"]
    counts = ("instances", *(["answers"] if repeated else []), "input_tokens", "max_output_tokens")
    counted = (">instances", *([">answers"] if repeated else []))
    rows = table("task", "metric", *counted, ">tokens in (est.)", ">tokens out (at most)", ">US$ (at most about)")

    def add(name: str, metric: str, entry: Document, style: str = "") -> None:
        tokens = (f"{entry[key]:,}" for key in counts)
        rows.add_row(name, metric, *tokens, number(entry["usd"], 4), style=style)

    for task in plan["tasks"]:
        add(task["task"].strip(), task["metric"] or "-", task)
    add("total", "", plan, "bold")
    out.print(rows)
    if 0 < plan["calls"] < plan["answers"]:
        out.print(
            f"The model is called for {plan['calls']:,} of {plan['answers']:,} answers: notes below say why it is not for the others."
        )
    if judging := plan["judging"]:
        tokens = f"{judging['input_tokens']:,} tokens in (est.), {judging['max_output_tokens']:,} out (at most)"
        cost = "cost unknown (no price)" if judging["usd"] is None else f"US$ {judging['usd']:.4f}"
        out.print(f"judge {judging['judge']}: {judging['answers']:,} answers, {tokens}, {cost}")
    if plan["usual_usd"] is not None:
        out.print(f"At what calls of this model have cost so far, all of it costs about US$ {number(plan['usual_usd'])}.")
    if plan["called"]:
        out.print(
            f"The run has made {plan['called']:,} of these calls already, and makes none of them again: the figures are of all of it."
        )
    if plan["expected"] is not None:
        out.print(f"until it is decided: {expected_told(plan['expected'], plan['usd'], plan['usual_usd'])}", soft_wrap=True)
    out.print(f"run {plan['run']} on {plan['benchmark']}; nothing was called")
    if plan["plan"]:
        out.print(f"It would be plan {plan['plan']} of this model on these tasks in this storage.")
    if (price := plan["model"]["price"]) and price["source"]:
        read = f", read on {price['as_of']}" if price["as_of"] else ""
        batched = f", of which a batch costs {batch_factor}: that is counted above" if batch_factor else ""
        out.print(f"price: {price_told(price)} US$ per M tokens in / out ({price['source']}{read}){batched}")
    told = any("no price" in problem and plan["model"]["route"] in problem for problem in plan["problems"])
    if plan["usd"] is None and not told:
        out.print("The model has no price: its cost is unknown, not zero.")
    if not plan["model"]["ready"]:
        out.print(f"The model cannot be called yet: {plan['model']['problem']}")
    notes = [f"{task['task'].strip()}: {task['note']}" for task in plan["tasks"] if task["note"]] + plan["problems"]
    for line in telling.shown(notes):
        out.print(f"note: {line}")

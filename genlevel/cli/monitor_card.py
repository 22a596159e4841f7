"""Monitors for people: what one would cost, the list, and how one stands, from their JSON documents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genlevel.cli.printing import console, table
from genlevel.documents.words import harmless, number, one_line, signed, span
from genlevel.runtime.periods import period_of

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from genlevel.runtime.documents import Document

_ANSWER = 160
_SOME_WAY = 0.25
"""Of the evidence that raises an alarm: from here on drift of a group is shown beside that of the whole."""


def print_plan(plan: Document) -> None:
    """What ``--dry-run`` shows."""
    out = console()
    pool = f" of a pool of {plan['pool']:,}" if plan["pool"] > plan["sample"] else ""
    each = f"{plan['sample']:,} instances{pool}"
    out.print(f"{harmless(plan['monitor'])}: {plan['ticks_a_year']:,.0f} ticks a year, each of {each}", soft_wrap=True)
    usd = plan["usd"]
    if usd["tick"] is None:
        out.print("The model has no price: its cost is unknown, not zero.")
    else:
        told = f"cost: at most about {_dollars(usd['tick'])} a tick, {_dollars(usd['day'])} a day, {_dollars(usd['year'])} a year"
        out.print(told + (f"; the baseline {_dollars(usd['baseline'])} once" if plan["baseline_calls"] else ""), soft_wrap=True)
    if plan["baseline_calls"]:
        out.print(f"baseline: {plan['baseline_calls']:,} calls before the first tick")
    out.print(f"false alarms: at most {number(plan['false_alarms_a_year'], 3)} a year expected")
    _print_delays(out, plan)
    if plan["groups"]:
        rows = table("watched beside the whole", ">instances a tick")
        for group in plan["groups"]:
            rows.add_row(harmless(group["group"]), f"{group['instances']:,}")
        out.print(rows)
    if not plan["model"]["ready"]:
        out.print(f"The model cannot be called yet: {harmless(plan['model']['problem'])}", soft_wrap=True)
    for problem in plan["problems"]:
        out.print(f"note: {harmless(problem)}", soft_wrap=True)
    out.print("nothing was called, and no monitor was added")


def _print_delays(out: Console, plan: Document) -> None:
    """A row a drop; a column a set of instances."""
    groups = list(dict.fromkeys(delay["group"] for delay in plan["delays"]))
    if not groups:
        return
    found = {(delay["group"], delay["drop"]): delay for delay in plan["delays"]}
    rows = table(">drop of points", *(f">{'the whole' if group == 'all' else harmless(group)}" for group in groups))
    for drop in dict.fromkeys(delay["drop"] for delay in plan["delays"]):
        rows.add_row(number(drop, 0), *(_delay(found.get((group, drop))) for group in groups))
    out.print("ticks and days until the alarm, a median (-: not within a year):")
    out.print(rows)


def _kept(rows: Table, *widths: int) -> Table:
    """A table whose columns keep so many characters each in a narrow window; 0 = as it comes."""
    for column, width in zip(rows.columns, widths, strict=False):
        column.min_width = width or None
    return rows


def _delay(entry: Document | None) -> str:
    """Such as "24 (6.0 d)"."""
    if entry is None or entry["ticks"] is None:
        return "-"
    days = number(entry["days"], 1) if entry["days"] >= 0.1 else "under 0.1"
    return f"{entry['ticks']:,.0f} ({days} d)"


def print_monitors(documents: list[Document]) -> None:
    """The list, a row a monitor."""
    rows = table("monitor", "model", "suite", "state", "every", "last tick, UTC", "next tick, UTC", ">alarms", ">missed", ">US$ today", "")
    for monitor in documents:
        rows.add_row(
            harmless(monitor["monitor"]),
            harmless(monitor["model"]),
            harmless(monitor["suite"]),
            monitor["state"],
            harmless(monitor["every"]),
            _when(monitor["last_tick"]),
            _when(monitor["next_tick"]),
            str(monitor["open_alarms"] or "-"),
            str(monitor["missed"] or "-"),
            _spent(monitor),
            one_line(monitor["reason"]),
        )
    console().print(rows)


def print_monitor(document: Document) -> None:
    """How a monitor stands: alarms first, then evidence, the last ticks, and what happened."""
    out = console()
    state = document["state"] + (f" ({harmless(document['reason'])})" if document["reason"] else "")
    out.print(f"{harmless(document['monitor'])}: {state}", style="bold", soft_wrap=True)
    for line in _settings(document):
        out.print(line, soft_wrap=True)
    open_alarms = [alarm for alarm in document["alarms"] if alarm["acknowledged"] is None]
    for alarm in open_alarms:
        print_alarm(out, alarm)
    if open_alarms:
        print_next_steps(out, document["monitor"], document["baseline"], open_alarms)
    _print_groups(out, document["groups"])
    _print_drift(out, document["groups"])
    _print_ticks(out, document["last_ticks"])
    for alarm in document["alarms"]:
        if alarm["acknowledged"] is not None:
            by = f" by {harmless(alarm['acknowledged_by'])}" if alarm["acknowledged_by"] else ""
            noted = f": {harmless(alarm['note'])}" if alarm["note"] else ""
            said = f"acknowledged {_when(alarm['acknowledged'])}{by}{noted}"
            out.print(f"earlier alarm {alarm['id']}, {_when(alarm['raised'])}: {harmless(alarm['what'])}; {said}", soft_wrap=True)
    for event in document["events"]:
        out.print(f"{_when(event['at'])} {harmless(event['kind'])}: {harmless(event['what'])}", soft_wrap=True)


def _settings(document: Document) -> list[str]:
    tasks = f", tasks {harmless(document['tasks'])}" if document["tasks"] else ""
    drawn = (
        "the same each time"
        if document["panel"]
        else "drawn of as many"
        if document["pool"] == 1
        else f"drawn of {document['pool']:,} times as many"
    )
    budget = "" if document["budget_usd_per_day"] is None else f" of {_dollars(document['budget_usd_per_day'])}"
    today = "unknown" if document["spent_today_usd"] is None else _dollars(document["spent_today_usd"])
    most = "unknown" if document["most_usd"] is None else f"at most {_dollars(document['most_usd'])}"
    declared = "; it stands in the evaluator's genlevel.yaml" if document["declared"] else ""
    horizon = document["horizon_s"]
    within = period_of(horizon) if horizon and horizon % 60 == 0 else f"{horizon:,} s"
    repeats = f", {document['baseline_repeats']} times each" if document["baseline_repeats"] else ""
    return [
        f"{harmless(document['model'])} on {harmless(document['suite'])}{tasks}, every {harmless(document['every'])}"
        f" ({harmless(document['time_zone'])}); {document['sample']:,} instances, {drawn}{declared}",
        f"drops above {document['tolerance']:g} points; any false alarm within {within}: a chance of at most {document['alpha']:g}",
        f"baseline: {document['baseline'] or 'not there yet'}{repeats}",
        f"ticks: {document['ticks']:,}, {document['missed']:,} missed; last {_when(document['last_tick'])},"
        f" next {_when(document['next_tick'])} (UTC)" + (f"; tick {document['open_tick']} goes on" if document["open_tick"] else ""),
        f"cost: {most} in all, today {today}{budget}",
    ]


def print_alarm(out: Console, alarm: Document) -> None:
    """What has changed, by how much, since when, in which tasks, with instances before and after."""
    out.print(f"ALARM {alarm['id']}, {alarm['kind']}: {harmless(alarm['what'])}", style="bold red", soft_wrap=True)
    since = f", since about {_when(alarm['since'])} (tick {alarm['since_tick']})" if alarm["since"] and alarm["since_tick"] else ""
    by = ""
    if alarm["estimate"] is not None:
        between = f" ({span(alarm['interval'])} with 95 %)" if alarm["interval"] else ""
        by = f"; about {number(alarm['estimate'])} {harmless(alarm['unit'])}{between}".rstrip()
    run = f" (run {alarm['run']})" if alarm["run"] else ""
    out.print(f"  {harmless(alarm['group'])}, raised {_when(alarm['raised'])} by tick {alarm['tick']}{run}{since}{by}", soft_wrap=True)
    if alarm["tasks"]:
        rows = table("  task", ">instances", ">before", ">now")
        for task in alarm["tasks"]:
            rows.add_row(f"  {harmless(task['task'])}", f"{task['instances']:,}", number(task["before"]), number(task["now"]))
        out.print(rows)
    for one in alarm["instances"]:
        out.print(f"  {harmless(one['task'])}/{harmless(one['instance'])}")
        for when in ("before", "now"):
            answer = one_line(one[f"answer_{when}"], _ANSWER) or "no answer"
            out.print(f"    {when + ':':8}{number(one[f'score_{when}'])}  {answer}", soft_wrap=True)
    for delivery in alarm["deliveries"]:
        out.print(f"  {harmless(delivery)}", soft_wrap=True)


def print_next_steps(out: Console, name: str, baseline: str | None, alarms: list[Document]) -> None:
    """What a person can do about open alarms. baseline: its run. alarms: at least one, the newest first."""
    out.print("what to do:")
    newest, run = alarms[0], alarms[0]["run"]
    if run and newest["kind"] == "outage":
        out.print(f"  genlevel show {run} --failures: which calls failed, and why", soft_wrap=True)
    elif run and baseline:
        out.print(f"  genlevel compare {baseline} {run} --instances: all answers of that tick beside those before", soft_wrap=True)
    out.print(
        f"  genlevel monitor acknowledge {harmless(name)}: seen, watch from anew; there will be another alarm if it stays", soft_wrap=True
    )
    if any(alarm["kind"] != "outage" for alarm in alarms):
        out.print(f"  genlevel monitor rebase {harmless(name)}: take the model as it is now, ask a new baseline", soft_wrap=True)


def _print_groups(out: Console, groups: list[Document]) -> None:
    if not groups:
        return
    rows = _kept(table("group", ">n", ">before", ">now", ">drop", "95 % interval", ">down", ">up"), 0, 5, 6, 6, 7, 10, 5, 5)
    for group in groups:
        scores = {check["direction"]: check for check in group["checks"] if check["signal"] == "score"}
        rows.add_row(
            harmless(group["group"]),
            f"{group['instances']:,}",
            number(group["baseline"]),
            number(group["score"]),
            "-" if group["drop"] is None else signed(group["drop"]),
            span(group["interval"]),
            *(_share(scores.get(direction)) for direction in ("down", "up")),
        )
    out.print(rows)
    out.print("n: instances of the last tick; before: of these at the baseline; now: in the last tick", soft_wrap=True)
    out.print("down, up: evidence of such a change, on a scale of logarithms; 100 % raises an alarm", soft_wrap=True)


def _print_drift(out: Console, groups: list[Document]) -> None:
    """Of the whole all that is watched beside scores; of other groups what has come some way towards an alarm."""
    rows = table("drift of", ">down", ">up")
    for group in groups:
        checks = [check for check in group["checks"] if check["signal"] != "score"]
        whole = group["group"] == "all"
        for signal in dict.fromkeys(check["signal"] for check in checks):
            found = {check["direction"]: check for check in checks if check["signal"] == signal}
            if whole or any((check["share"] or 0.0) >= _SOME_WAY for check in found.values()):
                of = "" if whole else f" in {harmless(group['group'])}"
                rows.add_row(harmless(signal) + of, *(_share(found.get(direction)) for direction in ("down", "up")))
    if rows.row_count:
        out.print(rows)


def _print_ticks(out: Console, ticks: list[Document]) -> None:
    if not ticks:
        return
    reasons = [""] if any(tick["reason"] for tick in ticks) else []
    columns = (">tick", "due, UTC", "outcome", ">n", ">score", ">drop", ">US$", "run")
    rows = _kept(table(*columns, *reasons), 0, 10, 0, 0, 0, 0, 0, 12)
    for tick in ticks:
        rows.add_row(
            str(tick["number"]),
            _when(tick["due"]),
            tick["outcome"],
            f"{tick['instances']:,}" + (f"\n{tick['failed']:,} failed" if tick["failed"] else ""),
            number(tick["score"]),
            "-" if tick["drop"] is None else signed(tick["drop"]),
            number(tick["most_usd"], 4),
            tick["run"] or "-",
            *(one_line(tick["reason"]) for _ in reasons),
        )
    out.print(rows)
    out.print("US$: what a tick has cost, at most")


def _share(check: Document | None) -> str:
    return "-" if check is None or check["share"] is None else f"{100 * check['share']:.0f} %"


def _when(time: str | None) -> str:
    """To the minute, in UTC; a dash for None."""
    return "-" if time is None else time[:16].replace("T", " ")


def _spent(monitor: Document) -> str:
    spent = "?" if monitor["spent_today_usd"] is None else number(monitor["spent_today_usd"], 4)
    budget = monitor["budget_usd_per_day"]
    return spent if budget is None else f"{spent} of {number(budget)}"


def _dollars(usd: float) -> str:
    return f"${usd:,.2f}" if usd >= 1 or not usd else f"${usd:.4g}"

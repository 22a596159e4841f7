"""Monitors, and one of them: how it stands, what it has found tick by tick, and its alarms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

from genlevel.documents.monitor_sequences import sequences_document
from genlevel.documents.monitors import monitor_document, watched_document
from genlevel.runtime.callers import Role
from genlevel.v1 import monitor_pb2 as mo
from genlevel.views.figures.sequence import Mark
from genlevel.views.figures.watched import watched_picture
from genlevel.views.table import Table, table
from genlevel.web.page import Asked, Page
from genlevel.web.reply import Reply

if TYPE_CHECKING:
    from genlevel.runtime.documents import Document

TICKS, MOST_TICKS = 200, 1000
KINDS = {"watching": "good", "baseline": "plain", "paused": "warn", "failed": "bad"}
_COUNTS = (">ticks", ">missed", ">alarms", ">US$ today at most")
_TICK = ("tick", "ended", "outcome", ">instances", ">score.2", ">baseline.2", ">drop.2", ">low.2", ">high.2", ">evidence.2", "run")


async def monitors_page(asked: Asked) -> Page:
    """All monitors, by name."""
    found = await asked.services.monitors.list_monitors(mo.ListMonitorsRequest())
    documents = [monitor_document(one) for one in found.monitors]
    values = {"monitors": [{**one, "address": address_of(one["monitor"])} for one in documents], "kinds": KINDS}
    return Page("monitors.html", "Monitors", values, {"monitors": documents}, {"monitors": _monitors_table(documents)})


async def monitor_page(asked: Asked) -> Page:
    """A monitor by its name. ?ticks=N: the last so many of its ticks, at most 1000. Raises NotFoundError."""
    return await monitor_view(asked, asked.path["name"], Reply())


async def monitor_view(asked: Asked, name: str, answered: Reply) -> Page:
    """The same, after a form was posted, too."""
    count = asked.whole("ticks", TICKS, least=1, most=MOST_TICKS)
    found = await asked.services.monitors.get_monitor(mo.GetMonitorRequest(name=name, ticks=count, groups=True))
    document = watched_document(found)
    sequences = sequences_document(found)
    tables: dict[str, Table] = {"groups": _groups_table(document), "ticks": _ticks_table(document)}
    shown = []
    for number, sequence in enumerate(sequences):
        if not sequence["ticks"]:
            continue
        tables[f"group{number}"] = of_group = _sequence_table(sequence)
        picture = watched_picture(sequence, _marks(document["alarms"], sequence)).inline()
        alarmed = any(alarm["group"] == sequence["group"] and not alarm["acknowledged"] for alarm in document["alarms"])
        shown.append({"group": sequence["group"], "number": number, "picture": picture, "table": of_group, "alarmed": alarmed})
    values = {
        "monitor": document,
        "kinds": KINDS,
        "alarms": [{**alarm, **_compared(alarm, document["baseline"])} for alarm in document["alarms"]],
        "sequences": shown,
        "long": document["ticks"] > TICKS,
        "most_ticks": MOST_TICKS,
        "may_run": asked.may(Role.RUN),
        "base": address_of(name),
        "answered": answered,
    }
    document |= {"sequences": sequences}
    return Page("monitor.html", f"Monitor {name}", values, document, tables, status=400 if answered.errors else 200)


def address_of(name: str) -> str:
    """The page of a monitor."""
    return f"/monitors/{quote(name, safe='')}"


def _marks(alarms: Sequence[Document], sequence: Document) -> list[Mark]:
    """Alarms that were raised of a group's score, and since when it has been so, as far as its ticks reach."""
    marks = []
    for alarm in alarms:
        if alarm["group"] != sequence["group"] or not alarm["raised"]:
            continue
        marks.append(Mark(_seconds(alarm["raised"]), f"alarm {alarm['id']}: {alarm['what']}"))
        if alarm["since"]:
            marks.append(Mark(_seconds(alarm["since"]), f"since about here, tick {alarm['since_tick']}", bad=False))
    return marks


def _seconds(time: str) -> float:
    return datetime.fromisoformat(time).timestamp()


def _compared(alarm: Document, baseline: str | None) -> dict[str, str]:
    """Where an alarm's answers are seen beside those of the baseline."""
    if not alarm["run"] or not baseline or alarm["kind"] == "outage":
        return {"compare": ""}
    return {"compare": f"/compare?run={quote(baseline, safe='')}&run={quote(alarm['run'], safe='')}"}


def _monitors_table(documents: Sequence[Document]) -> Table:
    columns = ("monitor", "state", "model", "suite", "every", "last tick", "next tick", *_COUNTS)
    rows = [
        (
            one["monitor"],
            one["state"],
            one["model"],
            one["suite"],
            one["every"],
            one["last_tick"],
            one["next_tick"],
            one["ticks"],
            one["missed"],
            one["open_alarms"],
            one["spent_today_usd"],
        )
        for one in documents
    ]
    return table("Monitors", columns, rows)


def _groups_table(document: Document) -> Table:
    columns = ("group", ">instances", ">baseline.2", ">now.2", ">drop.2", ">low.2", ">high.2", ">evidence down %.0", ">evidence up %.0")
    rows = []
    for group in document["groups"]:
        shares = {check["direction"]: check["share"] for check in group["checks"] if check["signal"] == "score"}
        low, high = group["interval"] or (None, None)
        down, up = (None if shares.get(way) is None else 100.0 * shares[way] for way in ("down", "up"))
        rows.append((group["group"], group["instances"], group["baseline"], group["score"], group["drop"], low, high, down, up))
    return table("Groups, as of the last tick; 100 % of evidence raises an alarm", columns, rows)


def _ticks_table(document: Document) -> Table:
    columns = ("tick", "due", "outcome", ">instances", ">failed", ">score.2", ">drop.2", ">US$ at most.4", "run", "reason")
    rows = [
        (
            tick["number"],
            _when(tick["due"]),
            tick["outcome"],
            tick["instances"],
            tick["failed"],
            tick["score"],
            tick["drop"],
            tick["most_usd"],
            tick["run"],
            tick["reason"],
        )
        for tick in document["last_ticks"]
    ]
    return table("Ticks, the newest first", columns, rows)


def _sequence_table(sequence: Document) -> Table:
    rows = []
    for tick in sequence["ticks"]:
        low, high = tick["interval"] or (None, None)
        when = datetime.fromtimestamp(tick["at_s"], UTC).isoformat(timespec="seconds")
        values: Mapping[str, float | None] = tick
        rows.append(
            (
                tick["tick"],
                when,
                tick["outcome"],
                tick["instances"],
                *(values[name] for name in ("score", "baseline", "drop")),
                low,
                high,
                tick["evidence"],
                tick["run"],
            )
        )
    return table(f"Ticks of {sequence['group']}, the oldest first", _TICK, rows)


def _when(time: str | None) -> str:
    return "" if time is None else time[:16].replace("T", " ")

"""Forms of the page of a run: what stands in their fields, and what is made of what was written there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from genlevel.documents.amounts import dollars, nano_usd
from genlevel.runtime.shown import quoted
from genlevel.v1 import evaluator_pb2 as ev

LONGEST_NAME = 200
LONGEST_NOTES = 10_000
LONGEST_TAG = 50


@dataclass(frozen=True, slots=True)
class Number:
    """A field of limits: its name, in the message too, what it is called, and its bounds, both included."""

    name: str
    label: str
    most: int


NUMBERS = (
    Number("concurrency", "Calls in flight, at most", 4096),
    Number("requests_per_minute", "Requests a minute, at most", 10**9),
    Number("tokens_per_minute", "Tokens a minute, at most", 10**9),
    Number("weight", "Weight beside other runs of the account, 1 to 100", 100),
)
FIRST = {"": "as it is", "yes": "first: somebody waits for it", "no": "in turn"}


def limits_form(traffic: ev.TrafficSettings, typed: Mapping[str, str]) -> dict[str, str]:
    """What stands in the fields: what a run has now, or what was written and could not be taken."""
    now = {number.name: str(getattr(traffic, number.name) or "") for number in NUMBERS}
    now["budget_usd"] = dollars(traffic.budget_nano_usd) if traffic.HasField("budget_nano_usd") else ""
    now["budget_tokens"] = str(traffic.budget_tokens) if traffic.HasField("budget_tokens") else ""
    now["interactive"] = ("yes" if traffic.interactive else "no") if traffic.HasField("interactive") else ""
    return {**now, **typed}


def wished_limits(traffic: ev.TrafficSettings, typed: Mapping[str, str]) -> tuple[ev.TrafficSettings, dict[str, str]]:
    """The changes that were written, and a line for each field that cannot be taken. traffic: what the run has now."""
    now, wished, errors = limits_form(traffic, {}), ev.TrafficSettings(), dict[str, str]()

    def take(name: str, read: Callable[[str], int], field: str = "") -> None:
        written = typed.get(name, now[name])
        if written == now[name]:
            return
        try:
            if not written:
                raise ValueError("give a number: what was set can be changed, not taken away again")
            setattr(wished, field or name, read(written))
        except ValueError as error:
            errors[name] = str(error)

    for number in NUMBERS:
        take(number.name, _whole(1, number.most))
    take("budget_tokens", _whole(1, 10**15))
    take("budget_usd", nano_usd, "budget_nano_usd")
    first = typed.get("interactive", "")
    if first not in FIRST:
        errors["interactive"] = f"{quoted(first)} is none of the choices"
    elif first and first != now["interactive"]:
        wished.interactive = first == "yes"
    return wished, errors


def describing_form(run: ev.Run, typed: Mapping[str, str]) -> dict[str, str]:
    """The same of what people call a run and say of it; tags are separated by blanks."""
    return {"name": run.name, "tags": " ".join(run.tags), "notes": run.notes, **typed}


def described(run: ev.Run, typed: Mapping[str, str]) -> tuple[ev.DescribeRunRequest, dict[str, str]]:
    """What a run is to be called, and a line for each field that cannot be taken."""
    name, notes, tags = typed.get("name", ""), typed.get("notes", "").replace("\r\n", "\n"), typed.get("tags", "").split()
    errors = {}
    if len(name) > LONGEST_NAME:
        errors["name"] = f"it has {len(name):,} characters; at most {LONGEST_NAME}"
    if len(notes) > LONGEST_NOTES:
        errors["notes"] = f"they have {len(notes):,} characters; at most {LONGEST_NOTES:,}"
    if long := [tag for tag in tags if len(tag) > LONGEST_TAG]:
        errors["tags"] = f"{quoted(long[0])} has {len(long[0]):,} characters; at most {LONGEST_TAG}"
    request = ev.DescribeRunRequest(run_id=run.run_id, name=name, notes=notes)
    request.add_tags.extend(tag for tag in dict.fromkeys(tags) if tag not in run.tags)
    request.remove_tags.extend(tag for tag in run.tags if tag not in tags)
    return request, errors


def _whole(least: int, most: int) -> Callable[[str], int]:
    def read(written: str) -> int:
        digits = written.replace(",", "").replace("_", "").lstrip("0") or "0"
        if not digits.isascii() or not digits.isdigit() or len(digits) > 20 or not least <= int(digits) <= most:
            raise ValueError(f"{quoted(written)} is no whole number from {least:,} to {most:,}")
        return int(digits)

    return read

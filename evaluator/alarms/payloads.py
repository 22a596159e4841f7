"""From an alarm and a destination to the HTTP request that tells it: a row for each kind of destination."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from evaluator.alarms import signatures
from evaluator.alarms.alarm import Alarm
from evaluator.alarms.formats import github, pagerduty, slack, teams, webhook
from evaluator.alarms.targets import Target
from genlevel.runtime.destinations import DestinationKind
from genlevel.runtime.documents import Document


@dataclass(frozen=True, slots=True)
class Request:
    """What is posted: where, with which headers, and the JSON."""

    url: str
    headers: Mapping[str, str]
    body: bytes


class _Format(NamedTuple):
    """Body and headers of a kind. headers also get the id of the alarm, the body as it is sent, and the UNIX time in seconds."""

    body: Callable[[Alarm, Target], Document]
    headers: Callable[[Target, str, bytes, int], dict[str, str]] = lambda target, identity, body, at_s: {}
    url: Callable[[Target], str] = lambda target: target.url


def _standard_headers(target: Target, identity: str, body: bytes, at_s: int) -> dict[str, str]:
    headers = {"webhook-id": identity, "webhook-timestamp": str(at_s)}
    if target.secret:
        headers["webhook-signature"] = signatures.signature(signatures.key_of(target.secret), identity, at_s, body)
    return headers


def _github_headers(target: Target, identity: str, body: bytes, at_s: int) -> dict[str, str]:
    return {
        "authorization": f"Bearer {target.secret}",
        "accept": "application/vnd.github+json",
        "x-github-api-version": "2022-11-28",
    }


FORMATS: Mapping[DestinationKind, _Format] = {
    DestinationKind.WEBHOOK: _Format(lambda alarm, target: webhook.body(alarm), _standard_headers),
    DestinationKind.SLACK: _Format(lambda alarm, target: slack.body(alarm)),
    DestinationKind.TEAMS: _Format(lambda alarm, target: teams.body(alarm)),
    DestinationKind.PAGERDUTY: _Format(lambda alarm, target: pagerduty.body(alarm, target.secret)),
    DestinationKind.GITHUB: _Format(
        lambda alarm, target: github.body(alarm),
        _github_headers,
        lambda target: f"{target.url.rstrip('/')}/repos/{target.repository}/dispatches",
    ),
}


def request(alarm: Alarm, target: Target, *, now_s: float) -> Request:
    """The request that tells a destination of an alarm. now_s: UNIX seconds of this try.

    Raises ValueError for an alarm whose numbers or times are none.
    """
    row = FORMATS[target.kind]
    written = json.dumps(row.body(alarm, target), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    body = written.encode("utf-8", "replace")  # half a character of UTF-16 cannot be written
    headers = {"content-type": "application/json", "user-agent": "genlevel", **row.headers(target, alarm.id, body, int(now_s))}
    return Request(row.url(target), headers, body)

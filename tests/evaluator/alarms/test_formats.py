"""Each format keeps its receiver's limits, and texts of models and tasks cannot format, mention or link anything in it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings

from evaluator.alarms.alarm import Alarm, alarm_of
from evaluator.alarms.formats import github, pagerduty, slack, teams
from evaluator.alarms.payloads import FORMATS, request
from evaluator.alarms.signatures import key_of, signature
from evaluator.alarms.targets import Target
from genlevel.runtime.destinations import DESTINATIONS, DestinationKind
from tests.evaluator.alarms.examples import FULL, alarms

ADDRESS = "https://receiver.example/path?sig=a%2Bb"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def sent(kind: DestinationKind, alarm: Alarm = FULL) -> Any:
    """The JSON that a destination of a kind gets."""
    return json.loads(request(alarm, Target(kind, ADDRESS, SECRET, "owner/name"), now_s=1_800_000_007.9).body)


def texts(value: object) -> Iterator[str]:
    """All strings in a document."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from texts(each)


def test_every_kind_has_a_row_in_both_tables() -> None:
    assert set(DESTINATIONS) == set(FORMATS) == set(DestinationKind)


@pytest.mark.parametrize("kind", DestinationKind)
def test_a_message_says_what_happened_to_which_model_by_how_much_and_where(kind: DestinationKind) -> None:
    said = " ".join(texts(sent(kind)))
    for part in ("nightly", "gpt-5", "starter", "scores of all tasks are 7.2 points below the baseline", "Table-Reading", "I cannot read"):
        assert part in said
    assert FULL.id in said


def test_a_webhook_is_a_standard_one_and_holds_the_whole_alarm() -> None:
    made = request(FULL, Target(DestinationKind.WEBHOOK, ADDRESS, SECRET), now_s=1_800_000_007.9)
    written = json.loads(made.body)
    assert (written["type"], written["timestamp"]) == ("alarm.regression", "2027-01-15T08:00:00.000Z")
    assert alarm_of(written["data"]) == FULL
    assert made.url == ADDRESS
    assert made.headers["webhook-id"] == FULL.id
    assert made.headers["webhook-timestamp"] == "1800000007"
    assert made.headers["webhook-signature"] == signature(key_of(SECRET), FULL.id, 1_800_000_007, made.body)
    assert "webhook-signature" not in request(FULL, Target(DestinationKind.WEBHOOK, ADDRESS), now_s=0.0).headers


def test_a_try_later_has_the_same_id_and_another_time() -> None:
    tries = [request(FULL, Target(DestinationKind.WEBHOOK, ADDRESS, SECRET), now_s=at_s).headers for at_s in (1e9, 2e9)]
    assert tries[0]["webhook-id"] == tries[1]["webhook-id"]
    assert tries[0]["webhook-signature"] != tries[1]["webhook-signature"]


def test_pagerduty_gets_an_event_that_a_repetition_adds_nothing_to() -> None:
    event = sent(DestinationKind.PAGERDUTY)
    assert (event["routing_key"], event["event_action"], event["dedup_key"]) == (SECRET, "trigger", f"genlevel-{FULL.id}")
    assert event["payload"]["severity"] == "error"
    assert event["payload"]["custom_details"]["Change"] == "7.2 points (95 % interval 3.1 to 11.4)"


def test_github_gets_a_dispatch_at_its_repository_with_the_token() -> None:
    made = request(FULL, Target(DestinationKind.GITHUB, "https://api.github.com/", "a-token", "owner/name"), now_s=0.0)
    assert made.url == "https://api.github.com/repos/owner/name/dispatches"
    assert made.headers["authorization"] == "Bearer a-token"
    assert b"a-token" not in made.body
    event = json.loads(made.body)
    assert (event["event_type"], event["client_payload"]["kind"]) == ("genlevel-alarm", "regression")
    assert alarm_of(event["client_payload"]["alarm"]) == FULL


@given(alarms)
@settings(max_examples=60)
def test_slack_is_within_its_limits_and_nothing_in_it_mentions_or_links(alarm: Alarm) -> None:
    message = sent(DestinationKind.SLACK, alarm)
    assert len(message["blocks"]) <= 50
    for block in message["blocks"]:
        fields = block.get("fields", [])
        assert len(fields) <= 10
        assert all(1 <= len(field["text"]) <= slack.LONGEST_FIELD for field in fields)
        shown = [*fields, *block.get("elements", []), *([block["text"]] if "text" in block else [])]
        assert shown
        for text in shown:
            assert (text["type"], text["verbatim"]) == ("mrkdwn", True)
            assert 1 <= len(text["text"]) <= slack.LONGEST_TEXT
    for text in texts(message):
        assert not re.search(r"[<>]|&(?!(?:amp|lt|gt);)", text)


@given(alarms)
@settings(max_examples=60)
def test_teams_is_within_its_limit_and_texts_of_others_are_no_markdown(alarm: Alarm) -> None:
    made = request(alarm, Target(DestinationKind.TEAMS, ADDRESS), now_s=0.0)
    assert len(made.body) <= teams.MOST_BYTES
    message = json.loads(made.body)
    (attachment,) = message["attachments"]
    assert (message["type"], attachment["contentType"]) == ("message", "application/vnd.microsoft.card.adaptive")
    assert {block["type"] for block in attachment["content"]["body"]} == {"RichTextBlock"}, "a TextBlock is Markdown"
    assert {run["type"] for block in attachment["content"]["body"] for run in block["inlines"]} == {"TextRun"}


@given(alarms)
@settings(max_examples=60)
def test_pagerduty_is_within_its_limits(alarm: Alarm) -> None:
    made = request(alarm, Target(DestinationKind.PAGERDUTY, ADDRESS, "key"), now_s=0.0)
    event = json.loads(made.body)
    assert len(made.body) <= 512 << 10
    assert len(event["payload"]["summary"]) <= pagerduty.LONGEST_SUMMARY
    assert len(event["dedup_key"]) <= 255
    assert event["payload"]["severity"] in {"critical", "error", "warning", "info"}


@given(alarms)
@settings(max_examples=60)
def test_github_is_within_its_limits(alarm: Alarm) -> None:
    event = sent(DestinationKind.GITHUB, alarm)
    assert len(event["event_type"]) <= 100
    assert len(event["client_payload"]) <= 10
    assert len(json.dumps(event["client_payload"], ensure_ascii=False).encode()) < github.MOST_BYTES


@given(alarms)
@settings(max_examples=30)
def test_a_webhook_is_never_large(alarm: Alarm) -> None:
    assert len(request(alarm, Target(DestinationKind.WEBHOOK, ADDRESS), now_s=0.0).body) <= 512 << 10

"""docs/alarms.md: its settings are taken, it has all kinds and fields, and what it gives receivers to check a signature with does so."""

from __future__ import annotations

import re
import textwrap
import time
from dataclasses import fields, replace
from pathlib import Path

import pytest

from evaluator.alarms.alarm import Alarm
from evaluator.alarms.payloads import request
from evaluator.alarms.targets import Target
from genlevel.runtime.destinations import DestinationKind
from genlevel.runtime.settings_file import parse_settings
from tests.evaluator.alarms.examples import FULL


@pytest.fixture(scope="module")
def page(repository: Path) -> str:
    return (repository / "docs/alarms.md").read_text("utf-8")


def test_its_settings_are_taken_and_have_every_kind(page: str) -> None:
    (written,) = re.findall(r"^    destinations:.*?(?=\n\n)", page, re.MULTILINE | re.DOTALL)
    settings = parse_settings(textwrap.dedent(written))
    assert {destination.kind for destination in settings.destinations.values()} == set(DestinationKind)
    assert set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) >= set(DestinationKind)


def test_it_names_every_field_of_an_alarm(page: str) -> None:
    table = page.partition("| field | |")[2].partition("GitHub's")[0]
    assert {field.name for field in fields(Alarm)} - set(re.findall(r"`(\w+)`", table)) == set()


@pytest.mark.parametrize("secret", ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "a secret that is written in plain text"])
def test_what_it_gives_receivers_tells_genuine_messages_from_others(page: str, secret: str) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    found: dict[str, object] = {}
    exec(code, found)
    is_genuine = found["is_genuine"]
    assert callable(is_genuine)
    now_s = time.time()
    sent = request(FULL, Target(DestinationKind.WEBHOOK, "https://a.example", secret), now_s=now_s)
    other = request(replace(FULL, id="other"), Target(DestinationKind.WEBHOOK, "https://a.example", secret), now_s=now_s)
    old = request(FULL, Target(DestinationKind.WEBHOOK, "https://a.example", secret), now_s=now_s - 301)
    unsigned = request(FULL, Target(DestinationKind.WEBHOOK, "https://a.example"), now_s=now_s)
    assert is_genuine(sent.headers, sent.body, secret)
    assert not is_genuine(sent.headers, sent.body + b" ", secret)
    assert not is_genuine(sent.headers, sent.body, "another secret, as long as it needs to be")
    assert not is_genuine({**sent.headers, "webhook-id": "other"}, sent.body, secret)
    assert not is_genuine(other.headers, sent.body, secret)
    assert not is_genuine(old.headers, old.body, secret)
    assert not is_genuine(unsigned.headers, unsigned.body, secret)

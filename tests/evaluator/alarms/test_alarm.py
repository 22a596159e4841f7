"""An alarm is kept and sent as a document, and comes back as it was."""

from __future__ import annotations

import json

import pytest
from hypothesis import given

from evaluator.alarms.alarm import Alarm, AlarmKind, alarm_of, document, shortened
from tests.evaluator.alarms.examples import FULL, alarms


@given(alarms)
def test_a_document_says_all_and_is_read_back_as_it_was(alarm: Alarm) -> None:
    assert alarm_of(json.loads(json.dumps(document(alarm)))) == alarm


def test_a_document_of_another_version_is_read() -> None:
    written = document(FULL)
    del written["acknowledged_by"], written["tick_run"]
    written["added_later"] = 1
    written["tasks"][0]["added_later"] = 1
    read = alarm_of(written)
    assert (read.acknowledged_by, read.tick_run, read.tasks) == ("", "", FULL.tasks)


@pytest.mark.parametrize("identity", ["", "a.b", "a\nb", "ä", "a" * 101])
def test_an_id_is_safe_in_a_header_and_in_what_is_signed(identity: str) -> None:
    with pytest.raises(ValueError, match="other characters"):
        Alarm(id=identity, monitor="m", model="m", suite="s", kind=AlarmKind.TEST, at_s=0.0, what="w")


@given(alarms)
def test_a_shortened_alarm_has_no_long_text_and_few_lists(alarm: Alarm) -> None:
    written = document(shortened(alarm, tasks=2, examples=1, longest=30))
    texts = [value for value in written.values() if isinstance(value, str)]
    texts += [value for each in (*written["tasks"], *written["examples"]) for value in each.values() if isinstance(value, str)]
    assert max(len(text) for text in texts if text != alarm.id) <= 30
    assert (len(written["tasks"]) <= 2, len(written["examples"]) <= 1) == (True, True)
    assert shortened(alarm, tasks=10**6, examples=10**6, longest=10**6) == alarm

"""What a destination comes to with what the environment and files hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from evaluator.alarms.targets import target_of
from genlevel.runtime import logs
from genlevel.runtime.destinations import DestinationKind
from genlevel.runtime.errors import ConfigurationError
from genlevel.runtime.watching_settings import Destination


def destination(kind: str, **fields: object) -> Destination:
    return Destination.model_validate({"kind": DestinationKind(kind), **fields})


def test_usual_addresses_need_not_be_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "0123456789abcdef0123456789abcdef")
    pager = target_of("pager", destination("pagerduty", secret_env="KEY"))
    assert (pager.url, pager.secret) == ("https://events.pagerduty.com/v2/enqueue", "0123456789abcdef0123456789abcdef")
    europe = target_of("pager", destination("pagerduty", secret_env="KEY", url="https://events.eu.pagerduty.com/v2/enqueue"))
    assert europe.host == "events.eu.pagerduty.com"


def test_an_address_and_a_secret_come_from_files_and_are_shown_nowhere(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("https://hooks.example/services/T000/B000/in-a-file-alone\n")
    (tmp_path / "secret").write_text("a secret in a file, of some length\n")
    target = target_of("hook", destination("webhook", url_file=tmp_path / "url", secret_file=tmp_path / "secret"))
    assert target.url == "https://hooks.example/services/T000/B000/in-a-file-alone"
    assert target.secret == "a secret in a file, of some length"
    assert "in-a-file" not in repr(target) + str(target)
    assert logs.redact(f"{target.url} {target.secret}") == "*** ***"


@pytest.mark.parametrize(
    ("held", "said"),
    [
        ("", "no address; put it into the environment variable HERE of the evaluator"),
        ("https://a.example/\nhttps://b.example/", "does not hold its address alone"),
        ("ftp://a.example/", "its address is none"),
        ("https://", "its address is none"),
        ("https://[1/", "its address is none"),
        ("http://a.example/services/x", "must begin with https://"),
    ],
)
def test_what_cannot_be_an_address_is_told_without_being_shown(held: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HERE", held)
    with pytest.raises(ConfigurationError, match=said) as raised:
        target_of("chat", destination("slack", url_env="HERE"))
    assert str(raised.value).startswith("destinations.chat: ")
    assert "example" not in str(raised.value).replace("https://example.com/alarms", "")


def test_a_secret_goes_unencrypted_to_this_machine_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "ghp_0123456789")
    fields = {"secret_env": "TOKEN", "repository": "owner/name"}
    assert target_of("ci", destination("github", url="http://127.0.0.1:8080", **fields)).host == "127.0.0.1"
    with pytest.raises(ConfigurationError, match="https"):
        target_of("ci", destination("github", url="http://github.example/api/v3", **fields))

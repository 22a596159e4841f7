"""Log lines: readable by people and machines, without secrets."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine

from genlevel.runtime import logs
from genlevel.runtime.logs import LogFormat, configure_logging, hide, redact
from genlevel.runtime.pool import ClosingPool


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_json_line_has_the_message_the_fields_and_the_exception() -> None:
    stream = io.StringIO()
    configure_logging("json", stream=stream)
    try:
        raise ValueError("broken")
    except ValueError:
        logging.getLogger("gateway").exception("call %d failed", 3, extra={"route": "fast"})
    line = json.loads(stream.getvalue())
    assert (line["level"], line["logger"], line["message"], line["route"]) == ("ERROR", "gateway", "call 3 failed", "fast")
    assert "ValueError: broken" in line["exception"]
    assert len(stream.getvalue().splitlines()) == 1


def test_a_plain_line_ends_with_its_fields() -> None:
    stream = io.StringIO()
    configure_logging("plain", stream=stream)
    logging.getLogger("gateway").info("started", extra={"port": 7401})
    assert stream.getvalue().endswith("INFO gateway: started port=7401\n")


@pytest.mark.parametrize("log_format", ["plain", "json"])
def test_a_secret_that_was_hidden_is_in_no_line(log_format: LogFormat) -> None:
    stream = io.StringIO()
    configure_logging(log_format, stream=stream)
    key = "sk-very-secret-1"
    hide(key)
    logging.getLogger("gateway").warning("refused: Bearer %s", key, extra={"account": f"team {key}", "header": key})
    assert "refused: Bearer ***" in stream.getvalue()
    assert "very-secret" not in stream.getvalue()


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """None is remembered, whatever other tests made known."""
    monkeypatch.setattr(logs, "_SECRETS", set())


@pytest.mark.usefixtures("secrets")
@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize(
    ("hidden", "text", "shown"),
    [
        (["part", "a-part-of-it"], "key a-part-of-it, part", "key ***, ***"),
        (["abcX", "Xdef"], "abcXdef! Xdefg", "***! ***g"),
        (["aXa"], "aXaXa.aXa", "***.***"),
        (["one", "two"], "one two onetwo", "*** *** ******"),
        (["nowhere", ""], "as it was", "as it was"),
    ],
)
def test_a_secret_is_hidden_whole_whatever_else_is_hidden(hidden: list[str], text: str, shown: str, order: int) -> None:
    for secret in hidden[::order]:
        hide(secret)
    assert redact(text) == shown


@pytest.mark.usefixtures("secrets")
@pytest.mark.parametrize("secret", ['pass"word', "pass\\word", "passwörd\t1"])
def test_a_secret_is_hidden_as_it_stands_in_json(secret: str) -> None:
    stream = io.StringIO()
    configure_logging("json", stream=stream)
    hide(secret)
    logging.getLogger("gateway").warning("refused: %s", secret, extra={"header": secret})
    assert json.loads(stream.getvalue())["message"] == "refused: ***"
    assert json.loads(stream.getvalue())["header"] == "***"


@given(st.lists(st.text("abc", min_size=1, max_size=4), max_size=4), st.text("abcd", max_size=30))
def test_what_is_shown_is_what_no_secret_covers(hidden: list[str], text: str) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(logs, "_SECRETS", set())
        for secret in hidden:
            hide(secret)
        shown = redact(text)
    covered = {
        at for secret in hidden for begin in range(len(text)) if text.startswith(secret, begin) for at in range(begin, begin + len(secret))
    }
    assert shown.replace("*", "") == "".join(letter for at, letter in enumerate(text) if at not in covered)


def test_levels_below_the_one_asked_for_are_not_shown_and_libraries_only_warn() -> None:
    stream = io.StringIO()
    configure_logging(level="info", stream=stream)
    logging.getLogger("gateway").debug("no")
    logging.getLogger("httpx2").info("no")
    logging.getLogger("httpx2").warning("yes")
    assert stream.getvalue().count("\n") == 1


def test_a_database_that_is_closed_is_no_news(tmp_path: Path) -> None:
    stream = io.StringIO()
    configure_logging(level="info", stream=stream)
    engine = create_engine(f"sqlite:///{tmp_path}/database.sqlite", poolclass=ClosingPool)
    engine.connect().close()
    engine.dispose()
    assert stream.getvalue() == ""

"""Log lines: readable by people and machines, without secrets."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from genlevel.runtime.logs import LogFormat, configure_logging, hide


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


def test_levels_below_the_one_asked_for_are_not_shown_and_libraries_only_warn() -> None:
    stream = io.StringIO()
    configure_logging(level="info", stream=stream)
    logging.getLogger("gateway").debug("no")
    logging.getLogger("httpx2").info("no")
    logging.getLogger("httpx2").warning("yes")
    assert stream.getvalue().count("\n") == 1

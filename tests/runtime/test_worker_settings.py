"""A queue needs a database that all share; what a worker does is said in words that are known."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from genlevel.runtime.errors import ConfigurationError
from genlevel.runtime.settings import Settings
from genlevel.runtime.settings_file import parse_settings

SHARED = "postgresql+psycopg://localhost/genlevel"


def test_without_a_queue_an_evaluator_asks_and_scores_what_needs_no_network() -> None:
    settings = Settings()
    assert (settings.queue, settings.worker.asks, settings.worker.scores, settings.worker.device) == ("", True, ["any"], "")


@pytest.mark.parametrize("queue", ["nats://localhost:4222", "tls://user@queue.example:4222"])
def test_a_queue_goes_with_a_shared_database(queue: str) -> None:
    assert parse_settings(f"queue: {queue}\nstorage: {{url: {SHARED}}}\n").queue == queue
    for storage in ("", "storage: {url: sqlite:///runs.db}\n"):
        with pytest.raises(
            ConfigurationError, match=r":1: queue: needs a database that all evaluators share: set storage\.url to postgresql"
        ):
            parse_settings(f"queue: {queue}\n{storage}")


def test_a_queue_is_an_address_of_nats() -> None:
    with pytest.raises(ConfigurationError, match=r":2: queue: the address should begin with nats:// or tls://"):
        parse_settings(f"storage: {{url: {SHARED}}}\nqueue: amqp://localhost\n")
    with pytest.raises(
        ConfigurationError, match=r":2: queue: the address has a server that is no HOST or HOST:PORT; write special"
    ) as raised:
        parse_settings(f"storage: {{url: {SHARED}}}\nqueue: nats://me:hunter22@\n")
    assert "hunter22" not in str(raised.value)


def test_what_a_worker_scores_is_a_word_that_is_known() -> None:
    assert Settings.model_validate({"worker": {"asks": False, "scores": ["vision", "audio"]}}).worker.scores == ["vision", "audio"]
    with pytest.raises(ValidationError, match="scores"):
        Settings.model_validate({"worker": {"scores": ["smell"]}})

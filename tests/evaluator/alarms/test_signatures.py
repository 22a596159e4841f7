"""A webhook's signature is that of Standard Webhooks."""

from __future__ import annotations

import pytest

from evaluator.alarms.signatures import key_of, signature


def test_the_standards_own_example() -> None:
    """The vector that the libraries of Standard Webhooks test themselves with."""
    key = key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signed = signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_id_time_and_body_are_all_signed() -> None:
    key = key_of("a secret that is written in plain text")
    signed = {
        signature(key, "a", 1, b"{}"),
        signature(key, "b", 1, b"{}"),
        signature(key, "a", 2, b"{}"),
        signature(key, "a", 1, b"[]"),
        signature(key_of("another secret that is written in text"), "a", 1, b"{}"),
    }
    assert len(signed) == 5


@pytest.mark.parametrize(
    ("secret", "said"), [("short", "fewer than 24"), ("whsec_" + "!" * 40, "not base64"), ("whsec_YWJj", "fewer than 24")]
)
def test_a_weak_secret_is_refused_without_being_shown(secret: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as raised:
        key_of(secret)
    assert secret not in str(raised.value)

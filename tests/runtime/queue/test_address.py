"""Addresses of NATS are read whole, and no message shows what is secret in one."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genlevel.runtime.errors import ConfigurationError
from genlevel.runtime.logs import redact
from genlevel.runtime.queue.address import Address


def test_an_address_says_where_with_whom_and_under_which_prefix() -> None:
    found = Address.of(
        "nats://me:se%40cret%2C@a:4223, nats://me:se%40cret%2C@b,[::1]:7/team-1?replicas=3&ca=/tls/ca.pem&certificate=c&key=k"
    )
    assert found.servers == ("a:4223", "b:4222", "[::1]:7")
    assert (found.user, found.password, found.prefix, found.replicas, found.tls) == ("me", "se@cret,", "team-1", 3, False)
    assert (found.ca, found.certificate, found.key) == (Path("/tls/ca.pem"), Path("c"), Path("k"))
    assert found.shown == "nats://a:4223,b:4222,[::1]:7"


def test_the_shortest_address_has_the_usual_port_and_prefix() -> None:
    assert Address.of("nats://queue") == Address(("queue:4222",), False)
    assert Address.of("tls://queue/") == Address(("queue:4222",), True)


def test_what_is_before_the_host_alone_is_a_token() -> None:
    found = Address.of("nats://very-secret-token@queue:4222")
    assert (found.user, found.password) == ("", "very-secret-token")
    assert "very-secret" not in found.shown + repr(found)
    assert "very-secret" not in redact("it said very-secret-token")


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://queue", "such as nats://localhost:4222"),
        ("queue:4222", "such as nats://localhost:4222"),
        ("nats://", "no HOST"),
        ("nats://a,", "no HOST"),
        ("nats://a:port", "no HOST"),
        ("nats://a,tls://b", "servers with TLS and servers without"),
        ("nats://one:pw@a,two:pw@b", "several users"),
        ("nats://a/Team", "no prefix"),
        ("nats://a/one/two", "no prefix"),
        ("nats://a?replicas=2", "not 1, 3 or 5"),
        ("nats://a?password=x", "after ? that is none of replicas, ca, certificate, key, credentials"),
        ("nats://a?ca", "cannot be read"),
        ("nats://a?certificate=c", "both certificate and key"),
    ],
)
def test_an_address_that_is_wrong_is_one_line(url: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match="queue: the address ") as raised:
        Address.of(url)
    assert says in str(raised.value)


@given(st.text(st.sampled_from(":/?#@,%&=[]a1 \n"), max_size=12), st.sampled_from(["@queue", "@queue:4222/team", ",other@queue"]))
def test_no_message_shows_a_password(rest: str, end: str) -> None:
    try:
        said = Address.of(f"nats://me:hunter22{rest}{end}").shown
    except ConfigurationError as error:
        said = str(error)
    assert "hunter22" not in said


def test_credentials_may_be_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "credentials"
    address = Address.of(f"nats://a?credentials={file}")
    with pytest.raises(ConfigurationError, match="which cannot be read"):
        address.login()
    for text, login in (("me:pass:word\n", ("me", "pass:word")), ("token\n", ("", "token"))):
        file.write_text(text)
        assert address.login() == login
    file.write_text("-----BEGIN NATS USER JWT-----\nx\n")
    with pytest.raises(ConfigurationError, match="it should have USER:PASSWORD or a token in it"):
        address.login()


def test_tls_is_spoken_of_only_if_the_address_does(tmp_path: Path) -> None:
    assert Address.of("nats://a").context() is None
    assert Address.of("tls://a").context() is not None
    with pytest.raises(ConfigurationError, match="which is no file of certificates"):
        Address.of(f"nats://a?ca={tmp_path / 'none'}").context()
    with pytest.raises(ConfigurationError, match="cannot be used or do not belong together"):
        Address.of(f"tls://a?certificate={tmp_path / 'c'}&key={tmp_path / 'k'}").context()

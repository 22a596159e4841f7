"""What messages show of names, addresses and keys that somebody else wrote."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from genlevel.runtime import logs
from genlevel.runtime.blobs import BlobStore
from genlevel.runtime.errors import ConfigurationError, GenlevelError, StorageError
from genlevel.runtime.failures import to_status
from genlevel.runtime.schema import Schema
from genlevel.runtime.settings_file import parse_settings
from genlevel.runtime.shown import hide_secrets_of, is_variable_name, looks_like_key, quoted, without_secrets
from genlevel.runtime.storage import open_engine

KEYS = [
    "sk-abcdef123456", "sk-proj-Ab_cd-12345678", "sk-ant-api03-xyz123456", "gsk_abcdefgh12345678", "xai-abcdef123456",
    "hf_abcdefghijkl1234",
    "AIzaSyA1234567890abcdef", "AKIAABCDEFGHIJKLMNOP", "ghp_abcdefgh12345678",
]  # fmt: skip
RANDOM = ["0123456789abcdef0123456789abcdef", "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY", "a1" * 30]
NAMES = ["OPENAI_API_KEY", "MY_KEY", "K", "HF_TOKEN_OF_TEAM_2", "my_key", "AWS_SECRET_ACCESS_KEY_FOR_TEAM_12", "_X", "GSK_KEY_1"]


@pytest.mark.parametrize("text", [*KEYS, *RANDOM, "", "MY KEY", "MY-KEY", "1KEY", "K=v", "K\n", "a" * 200])
def test_a_key_is_no_name_of_a_variable(text: str) -> None:
    assert not is_variable_name(text)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_of_a_variable_is_one(name: str) -> None:
    assert is_variable_name(name)
    assert not looks_like_key(name)


@pytest.mark.parametrize("key", [*KEYS, *RANDOM])
def test_a_key_in_place_of_its_variable_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_settings(f'accounts:\n  a:\n    provider: openai\n    api_key_env: "{key}"\n')
    assert "genlevel.yaml:4: accounts.a.api_key_env: must be the name of an environment variable" in str(caught.value)
    assert key not in str(caught.value)


def test_a_key_in_place_of_its_file_is_refused_and_not_shown() -> None:
    with pytest.raises(ConfigurationError, match=r"accounts\.a\.api_key_file: must be the path") as caught:
        parse_settings("accounts: {a: {provider: openai, api_key_file: sk-abcdef123456}}")
    assert "abcdef" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("s3://KEY:SECRET@bucket/blobs", "s3://…@bucket/blobs"),
        ("s3://KEY:SE/CR+ET=@bucket/blobs", "s3://…@bucket/blobs"),
        ("s3://KEY:SE@CRET@bucket", "s3://…@bucket"),
        ("https://user:SECRET@h/v1?sig=SECRET#SECRET", "https://…@h/v1?…"),
        ("https://h/v1?key=SECRET is it", "https://h/v1?… is it"),
        ("http://h/v1", "http://h/v1"),
        ("a@b", "a@b"),
    ],
)
def test_an_address_is_shown_without_what_is_secret_in_it(text: str, shown: str) -> None:
    assert without_secrets(text) == shown


STORES = ["s3://KEYKEY:SECRET/PART@bucket/blobs", "nosuchscheme://KEYKEY:SECRET/PART@x", "ftp://KEYKEY:SECRET/PART@127.0.0.1:1/x"]


@pytest.mark.parametrize("url", STORES)
def test_no_message_of_a_blob_store_has_its_password(url: str) -> None:
    with pytest.raises(GenlevelError) as caught:
        BlobStore.open(url).get("0" * 64)
    for said in (str(caught.value), to_status(caught.value).message, logs.redact(f"failed: {url}")):
        assert "SECRET" not in said
        assert "PART" not in said


def test_a_store_of_memory_shows_no_password_either() -> None:
    store = BlobStore.open("memory://KEYKEY:SECRETS@here/blobs")
    assert "SECRETS" not in store.name + store.place("0" * 64)
    with pytest.raises(StorageError) as caught:
        store.get("0" * 64)
    assert "SECRETS" not in str(caught.value)


URLS = [
    "postgresql+psycopg://me:WORDS@127.0.0.1:1/db",
    "postgresql+psycopg://127.0.0.1:1/db?user=me&password=WORDS",
    "WORDS",
    "x://me:WORDS@h",
]


@pytest.mark.parametrize("url", URLS)
def test_a_database_shows_no_password(url: str, tmp_path: Path) -> None:
    with pytest.raises(GenlevelError) as caught:
        open_engine(url, Schema("evaluator", "0001", tmp_path))
    assert "WORDS" not in str(caught.value)


def test_what_was_an_address_with_a_password_stays_hidden_in_logs_and_over_the_network() -> None:
    hide_secrets_of("s3://ID:hidden-in-an-address@bucket")
    formatter = logging.Formatter()
    record = logging.makeLogRecord({"msg": "cannot open s3://ID:hidden-in-an-address@bucket"})
    assert "hidden-in-an-address" not in logs.redact(formatter.format(record))
    assert "hidden-in-an-address" not in to_status(StorageError("s3: hidden-in-an-address is wrong")).message


@pytest.mark.parametrize("text", ['storage: "s3://KEY:SECRET@bucket"', 'accounts: {a: {provider: openai, base_url: "s3://KEY:SECRET@h"}}'])
def test_a_wrong_setting_is_shown_without_its_password(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_settings(text)
    assert "SECRET" not in str(caught.value)


def test_a_long_name_is_cut() -> None:
    assert quoted("a") == "'a'"
    assert len(quoted("a" * 10_000)) < 100

"""What GENLEVEL_TEST_AUTH gives to services and commands, and when it gives nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.integration.credentials import Credentials

ADDRESSES = {"addresses": {"gateway": "127.0.0.1:1"}}


def configuration(folder: Path, document: dict[str, object], name: str = "genlevel.yaml") -> None:
    (folder / name).write_text(yaml.safe_dump(document))


@pytest.mark.parametrize("kind", ["", "tokens", "mtls"])
def test_a_configuration_that_says_who_may_call_needs_the_mark(tmp_path: Path, kind: str) -> None:
    credentials = Credentials(kind, tmp_path)
    configuration(tmp_path, ADDRESSES | {"auth": "none"})
    for arguments in (["up"], ["--config", "genlevel.yaml", "up"], ["runs"]):
        with pytest.raises(AssertionError, match="own_auth"):
            credentials.given(tmp_path, arguments)


@pytest.mark.parametrize("kind", ["tokens", "mtls"])
def test_services_get_theirs_always_and_commands_if_they_call_services(tmp_path: Path, kind: str) -> None:
    credentials = Credentials(kind, tmp_path)
    configuration(tmp_path, {})
    assert credentials.given(tmp_path, ["runs"]) == (["runs"], {})
    _, of_service = credentials.given(tmp_path, ["gateway", "--out", "x"])
    assert yaml.safe_load(Path(of_service["GENLEVEL_CONFIG"]).read_text())["auth"]
    configuration(tmp_path, ADDRESSES, "other.yaml")
    (option, file, *rest), of_command = credentials.given(tmp_path, ["--config", "other.yaml", "runs"])
    assert (option, rest) == ("--config", ["runs"])
    given = yaml.safe_load(Path(file).read_text())
    assert given["addresses"]["gateway"] == "127.0.0.1:1"
    assert ("GENLEVEL_TOKEN" in of_command, "certificate" in given["addresses"]) == (kind == "tokens", kind == "mtls")
    assert of_command.get("GENLEVEL_TOKEN", "") != of_service.get("GENLEVEL_TOKEN"), "services may do more"


def test_a_file_that_a_service_may_still_read_is_not_written_anew(tmp_path: Path) -> None:
    credentials = Credentials("tokens", tmp_path)
    configuration(tmp_path, {"grace_s": 1})
    _, first = credentials.given(tmp_path, ["gateway"])
    configuration(tmp_path, {"grace_s": 2})
    _, second = credentials.given(tmp_path, ["scorer"])
    assert [yaml.safe_load(Path(each["GENLEVEL_CONFIG"]).read_text())["grace_s"] for each in (first, second)] == [1, 2]


def test_nobody_shows_anything_unless_it_is_asked_for(tmp_path: Path) -> None:
    configuration(tmp_path, ADDRESSES)
    credentials = Credentials("", tmp_path)
    assert credentials.given(tmp_path, ["up"]) == (["up"], {})
    assert credentials.shown() == {}

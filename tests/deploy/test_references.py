"""docs/settings.md and docs/api.md are what their sources say."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from genlevel.runtime.settings import Settings


@pytest.fixture(scope="module")
def references(repository: Path) -> ModuleType:
    """scripts/make_references.py."""
    found = importlib.util.spec_from_file_location("make_references", repository / "scripts" / "make_references.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_the_pages_are_current(references: ModuleType) -> None:
    again = "make them again: python scripts/make_references.py"
    assert references.SETTINGS_PAGE.read_text("utf-8") == references.settings_page(), again
    assert references.API_PAGE.read_text("utf-8") == references.api_page(), again


def test_the_interface_has_each_method_field_and_value_that_the_generated_code_has(references: ModuleType) -> None:
    page = references.api_page()
    names = {"service": 0, "field": 0, "value": 0}
    for name in references.FILES:
        file = importlib.import_module(f"genlevel.v1.{name}_pb2").DESCRIPTOR
        for service in file.services_by_name.values():
            for method in service.methods:
                names["service"] += 1
                assert f"| `{method.name}` | " in page
        for enum in [
            *file.enum_types_by_name.values(),
            *(inner for one in file.message_types_by_name.values() for inner in one.enum_types),
        ]:
            for value in enum.values:
                names["value"] += 1
                assert f"| `{value.name}` | {value.number} | " in page
        for message in _messages(file.message_types_by_name.values()):
            section = page.partition(f"\n### {message.full_name.removeprefix('genlevel.v1.')}\n")[2].partition("\n### ")[0]
            for field in message.fields:
                names["field"] += 1
                assert f"| `{field.name}` | {field.number} | " in section, field.full_name
    assert min(names.values()) > 30, names
    assert page.count("\n| `") == sum(names.values())


def _messages(messages: Iterator) -> Iterator:
    for message in messages:
        if not message.GetOptions().map_entry:
            yield message
            yield from _messages(message.nested_types)


def test_each_setting_is_there_once_with_the_variable_that_sets_it(references: ModuleType) -> None:
    from genlevel.runtime.settings_variables import variables

    rows = [line.split(" | ") for line in references.settings_page().splitlines() if line.startswith("| `")]
    assert len({row[0] for row in rows}) == len(rows)
    for _, variable, *_ in rows:  # one that nobody knows is refused, whatever its value
        name = variable.strip("`")
        assert [found.name for found in variables({name: "1"})] == [name]
    sections = {row[0].strip("| `").partition(".")[0] for row in rows}
    assert sections == set(Settings.model_fields)

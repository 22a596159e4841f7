"""Levels of the reference workbooks equal the figures that two other implementations of the rules agree on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from scorer.reports.level_report import state_workbook_level, statement_json
from scorer.workbooks.results import workbook_results

pytestmark = pytest.mark.full
CASES = [
    *("GPT-4V", "Emu2-37B", "Qwen2-VL-72B", "NExT-GPT-V1.5", "AnyGPT", "3D-VisTA", "random-0", "random-1", "random-2", "random-3"),
    *("copy-of-reference", "shuffled"),
]


@pytest.fixture(scope="module")
def expected(reference_data: Path) -> dict[str, Any]:
    cases: dict[str, Any] = json.loads((reference_data / "official_cases" / "expected.json").read_text("utf-8"))
    assert sorted(cases) == sorted(f"{name}.xlsx" for name in CASES)
    return cases


@pytest.mark.parametrize(("references", "key"), [("workbook", "paper"), ("appendix", "appendix_references")])
@pytest.mark.parametrize("name", CASES)
def test_every_figure_of_the_reference_cases_is_reproduced(
    reference_data: Path, expected: dict[str, Any], name: str, references: str, key: str
) -> None:
    case = expected[f"{name}.xlsx"]
    file = reference_data / "official_cases" / f"{name}.xlsx"
    found = statement_json(state_workbook_level(file, case["model"], references=references))
    wanted = case[key]
    assert found["verdict"] == wanted["verdict"]
    assert found["levels"] == pytest.approx(wanted["levels"], abs=1e-6)
    assert found["language"] == pytest.approx(wanted["language"], abs=1e-6)
    assert list(found["modalities"]) == ["image", "video", "audio", "3d"]
    for modality, figures in wanted["modalities"].items():
        assert found["modalities"][modality] == pytest.approx(figures, abs=1e-6)


def test_only_a_zero_in_an_error_metric_is_worth_a_warning_there(reference_data: Path, expected: dict[str, Any]) -> None:
    for name, case in expected.items():
        for warning in workbook_results(reference_data / "official_cases" / name, case["model"]).warnings:
            assert "is read as a perfect score" in warning

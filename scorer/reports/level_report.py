"""The level of a workbook or a run under either rule, with its explanation: what `genlevel level` prints."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from genlevel.benchmark.model import GENERAL_BENCH, Benchmark
from genlevel.benchmark.suites import load_benchmark
from genlevel.runtime.documents import Document
from genlevel.runtime.errors import UsageError
from genlevel.v1 import scorer_pb2 as sc
from scorer.levels.rules import Levels, TaskResult, compute_levels, judge, judge_all
from scorer.reports.certificates import certificate_json, certify_values
from scorer.reports.documents import level_json, references_of
from scorer.reports.explain import Explanation, explain, explanation_json
from scorer.tasks import TaskIndex, TaskRecord, benchmark_of
from scorer.wire import levels_of, task_of
from scorer.workbooks.official import OfficialReport, official_levels
from scorer.workbooks.reader import WorkbookSheet
from scorer.workbooks.references import ReferenceSet, reference_set
from scorer.workbooks.results import workbook_results
from scorer.workbooks.writer import result_sheets

RULES = ("paper", "official")
_COLUMN = "run"
_INCOMPLETE = "run {} is incomplete: tasks with failed or pending instances count as 0, so levels are lower bounds"


@dataclass(frozen=True, slots=True)
class LevelStatement:
    """One model's level by one rule.

    levels: None if the official ranker would have ended without output; ``crash`` then says on what. explanation: if it was asked for.
    warnings: a line each. certified: what of the paper's verdict is certain, by either rule; against_specialists: the same against
    their own true scores; both None for a run against a reference workbook.
    references: None if there are none, so that nothing can be won. run: its id; "" for a workbook, of which nothing is asked. partial: only
    a part of the benchmark was asked. incomplete: instances of the run failed or are pending. own: whether the suite is its own benchmark.
    """

    model: str
    rules: str
    references: str | None
    levels: Levels | None
    crash: str
    explanation: Explanation | None
    warnings: tuple[str, ...]
    certified: sc.Certificate | None = None
    against_specialists: sc.Certificate | None = None
    run: str = ""
    partial: bool = False
    incomplete: bool = False
    own: bool = False


def state_workbook_level(
    path: Path | str, model: str, *, rules: str = "paper", references: str = "workbook", explained: bool = False
) -> LevelStatement:
    """The level of one column of a result workbook over all 699 tasks.

    references: workbook, appendix or a workbook in the official reference layout. Raises WorkbookError if a file is not a
    workbook or has no such column, UsageError for a rule that does not exist.
    """
    _check_rules(rules)
    read = workbook_results(path, model, references)
    official = _official(read.sheets, model, read.references) if explained or rules == "official" else None
    statement = _statement(
        read.model, read.results, read.references.name, rules=rules, explained=explained, official=official, warnings=read.warnings
    )
    certified = certify_values(read.results, instances=read.instances)
    return replace(statement, certified=certified.published, against_specialists=certified.specialists)


def state_run_level(
    verdict: sc.GetVerdictResponse,
    *,
    rules: str = "paper",
    references: str = "workbook",
    explained: bool = False,
    partial: bool = False,
    unfinished: int = 0,
) -> LevelStatement:
    """The level of a run from its scores. partial: as the run says. unfinished: its failed and pending instances, also of unscored tasks.

    A suite that is its own benchmark has the paper's rules and its own references alone. Raises UsageError if others are asked.
    """
    _check_rules(rules)
    statement = _run_level(verdict, rules=rules, references=references, explained=explained)
    incomplete = verdict.incomplete or unfinished > 0
    warnings = (*statement.warnings, *([_INCOMPLETE.format(verdict.run_id)] if incomplete else []))
    # As the scorer drew them, if they are against these references.
    drawn = verdict.HasField("certificate") and verdict.references == references
    return replace(
        statement,
        certified=verdict.certificate if drawn else None,
        against_specialists=verdict.certificate_against_specialists if drawn else None,
        run=verdict.run_id,
        partial=partial,
        incomplete=incomplete,
        warnings=warnings,
    )


def _run_level(verdict: sc.GetVerdictResponse, *, rules: str, references: str, explained: bool) -> LevelStatement:
    if verdict.benchmark != GENERAL_BENCH:
        if rules == "official" or references not in ("workbook", "appendix"):
            raise UsageError(
                f"run {verdict.run_id} is on {verdict.benchmark!r}, which is its own benchmark: the official rules and reference"
                " workbooks are for General-Bench alone"
            )
        return _own_benchmark(verdict, explained=explained)
    against = reference_set(references)
    values = run_values(verdict, against.benchmark)
    results = judge_all(against.benchmark, values, against.name)
    official = None
    if explained or rules == "official":
        official = _official(result_sheets(against.benchmark, _COLUMN, values), _COLUMN, against)
    return _statement(verdict.model, results, against.name, rules=rules, explained=explained, official=official, warnings=against.warnings)


def run_values(verdict: sc.GetVerdictResponse, benchmark: Benchmark) -> dict[str, float]:
    """The scores of a run by ``Task.id``; tasks without a score are left out."""
    index = TaskIndex(benchmark)
    found = ((index.find(task_of(score.task)), score) for score in verdict.tasks if score.HasField("score"))
    return {task.id: score.score for task, score in found if task is not None}


def statement_json(statement: LevelStatement) -> Document:
    """As `genlevel level --json` prints it. Under official rules "levels" has the two printed decimals, and "crash" is added.

    "run", "partial" and "incomplete" are null for a workbook.
    """
    name, rules, references = statement.model, statement.rules, statement.references
    if statement.levels is None:
        document: Document = {"model": name, "rules": rules, "references": references}
        document |= dict.fromkeys(("levels", "verdict", "modalities", "language"))
    else:
        document = level_json(statement.levels, model=name, rules=rules, references=references)
    if rules == "official":
        if statement.levels is not None:
            document["levels"] = {level: float(f"{score:.2f}") for level, score in document["levels"].items()}
        document["crash"] = statement.crash or None
    of_run = bool(statement.run)
    document["run"] = statement.run or None
    document["partial"], document["incomplete"] = (statement.partial, statement.incomplete) if of_run else (None, None)
    for key, certificate in (("certified", statement.certified), ("certified_against_specialists", statement.against_specialists)):
        document[key] = None if certificate is None else certificate_json(certificate)
    if statement.explanation is not None:
        document["explanation"] = explanation_json(statement.explanation)
    found: Document = _finite(document)
    return found


def _check_rules(rules: str) -> None:
    if rules not in RULES:
        raise UsageError(f"there are no rules {rules!r}; use one of: {', '.join(RULES)}")


def _official(sheets: Sequence[WorkbookSheet], model: str, against: ReferenceSet) -> OfficialReport:
    if against.crash:
        return OfficialReport(model=model, references=against.name, scores=None, crash=against.crash, rows=())
    return official_levels(sheets, model, against.positions, against.name, other_sheets=against.other_sheets)


def _statement(
    model: str,
    results: Sequence[TaskResult],
    references: str,
    *,
    rules: str,
    explained: bool,
    official: OfficialReport | None,
    warnings: tuple[str, ...],
) -> LevelStatement:
    """official: if the rules or the explanation need it."""
    computed = compute_levels(results)
    explanation = explain(results, computed, official) if explained else None
    levels, crash = (official.scores, official.crash) if rules == "official" and official is not None else (computed, "")
    return LevelStatement(
        model=model, rules=rules, references=references, levels=levels, crash=crash, explanation=explanation, warnings=warnings
    )


def _own_benchmark(verdict: sc.GetVerdictResponse, *, explained: bool) -> LevelStatement:
    """Levels as the scorer has them: it knows the benchmark's tasks, and here only the asked ones are known."""
    levels = levels_of(verdict.levels)
    explanation = None
    if explained:
        shipped = load_benchmark(verdict.benchmark)
        benchmark = shipped or benchmark_of(
            verdict.benchmark, [_with_reference(score) for score in verdict.tasks if not score.task.unlisted]
        )
        values = run_values(verdict, benchmark)
        explanation = explain([judge(task, values.get(task.id)) for task in benchmark.tasks], levels)
    return LevelStatement(
        model=verdict.model,
        rules="paper",
        references=references_of(verdict),
        levels=levels,
        crash="",
        explanation=explanation,
        warnings=(),
        own=True,
    )


def _with_reference(score: sc.TaskScore) -> TaskRecord:
    task = task_of(score.task)
    return replace(task, reference=score.reference) if score.HasField("reference") else task


def _finite(value: Any) -> Any:
    """JSON has no infinity, which the ranker's sums of huge numbers can reach."""
    match value:
        case float() if not math.isfinite(value):
            return None
        case dict():
            return {key: _finite(entry) for key, entry in value.items()}
        case list():
            return [_finite(entry) for entry in value]
        case _:
            return value

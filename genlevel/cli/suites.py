"""``genlevel suites``: the suites that come with the package."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from genlevel.cli.options import json_option, print_json
from genlevel.cli.printing import console, table

if TYPE_CHECKING:
    from genlevel.runtime.documents import Document


@click.command("suites")
@json_option
def suites(as_json: bool) -> None:
    """List the shipped suites. A folder in General-Bench layout is a suite too: name it with --suite."""
    from genlevel.benchmark.suites import load_suite, shipped_suites

    entries: list[Document] = []
    for name in shipped_suites():
        suite = load_suite(name)
        entries.append(
            {
                "suite": name,
                "benchmark": suite.benchmark.name,
                "tasks": [
                    {
                        "key": task.key,
                        "task": task.name,
                        "modality": task.modality.value,
                        "paradigm": task.paradigm.value if task.paradigm else None,
                        "metric": task.metric.id if task.metric else None,
                        "instances": task.count(),
                    }
                    for task in suite.tasks
                ],
                "folder": str(suite.root),
            }
        )
    if as_json:
        print_json(entries)
        return
    for entry in entries:
        rows = table("task", "modality", "paradigm", "metric", ">instances")
        for task in entry["tasks"]:
            rows.add_row(task["task"], task["modality"], task["paradigm"] or "-", task["metric"] or "-", str(task["instances"]))
        console().print(f"{entry['suite']} (benchmark {entry['benchmark']}, {sum(task['instances'] for task in entry['tasks'])} instances)")
        console().print(rows)

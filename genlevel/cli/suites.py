"""``genlevel suites``: the suites that have a name: those of the package and those below configured folders."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from genlevel.cli.options import json_option, print_json, settings_of
from genlevel.cli.printing import console, table

if TYPE_CHECKING:
    from genlevel.runtime.documents import Document


@click.command("suites")
@json_option
@click.pass_context
def suites(ctx: click.Context, as_json: bool) -> None:
    """List the suites that have a name: the shipped ones, and those below suites.folders of the configuration.

    A folder in General-Bench layout is a suite too: name it with --suite.
    """
    from genlevel.benchmark.suite_folders import SuiteFolders
    from genlevel.benchmark.suites import load_suite, shipped_suites

    folders = SuiteFolders(settings_of(ctx).suites.folders)
    # Large copies are not read for a list.
    entries: list[Document] = [{"suite": name, "benchmark": None, "tasks": [], "folder": str(place)} for name, place in folders.listed()]
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
        if entry["benchmark"] is None:
            console().print(f"{entry['suite']} ({entry['folder']})")
            continue
        rows = table("task", "modality", "paradigm", "metric", ">instances")
        for task in entry["tasks"]:
            rows.add_row(task["task"], task["modality"], task["paradigm"] or "-", task["metric"] or "-", str(task["instances"]))
        console().print(f"{entry['suite']} (benchmark {entry['benchmark']}, {sum(task['instances'] for task in entry['tasks'])} instances)")
        console().print(rows)

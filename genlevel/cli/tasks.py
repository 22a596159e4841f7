"""``genlevel tasks``: the tasks of General-Bench."""

from __future__ import annotations

import click

from genlevel.cli.options import json_option, print_json
from genlevel.cli.printing import console, table


@click.command("tasks")
@click.option("--modality", metavar="NAME", help="image, video, audio, 3d, or language (nlp and text mean the same).")
@click.option("--paradigm", type=click.Choice(["comprehension", "generation"]))
@click.option("--skill", metavar="TEXT", help="A skill's id (I-C-17) or a part of its name.")
@json_option
def tasks(modality: str | None, paradigm: str | None, skill: str | None, as_json: bool) -> None:
    """List the 699 tasks of General-Bench with their metrics and specialists' scores."""
    from genlevel.benchmark.catalogue import select_tasks

    chosen = select_tasks(modality=modality or "", paradigm=paradigm or "", skill=skill or "")
    if as_json:
        print_json(
            [
                {
                    "id": task.id,
                    "task": task.name,
                    "sheet": task.sheet,
                    "modality": task.modality.value,
                    "paradigm": task.paradigm.value if task.paradigm else None,
                    "metric": task.metric.id,
                    "metric_label": task.metric.label,
                    "reference": task.reference_workbook,
                    "reference_appendix": task.reference_appendix,
                    "specialist": task.specialist,
                    "skill_id": task.skill_id,
                    "skill": task.skill,
                    "domain": task.domain,
                    "capability": task.capability,
                    "instances": task.instances,
                }
                for task in chosen
            ]
        )
        return
    rows = table("id", "sheet", "skill", "metric", ">reference", "specialist", ">instances")
    for task in chosen:
        reference = "-" if task.reference_workbook is None else f"{task.reference_workbook:g}"
        rows.add_row(task.id, task.sheet, task.skill_id, task.metric.label, reference, task.specialist, str(task.instances))
    console().print(rows)
    console().print(f"{len(chosen)} tasks")

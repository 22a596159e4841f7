"""``genlevel models``, ``suites`` and ``tasks``: what there is to choose from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from genlevel.cli.connection import services
from genlevel.cli.options import json_option, out_option, print_json, run_async, settings_of
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw


@click.command("models")
@out_option
@json_option
@click.pass_context
def models(ctx: click.Context, out: Path, as_json: bool) -> None:
    """List the models that can be evaluated: configured routes, known hosted models, and the embedded one."""
    settings = settings_of(ctx)

    async def work() -> list[dict[str, Any]]:
        if settings.addresses.evaluator:
            async with services(settings, out) as found:
                response = await found.gateway.list_models(gw.ListModelsRequest())
        else:
            from gateway.service import Gateway
            from genlevel.embedded import service_registry

            gateway = Gateway(settings, service_registry(), out)
            try:
                response = await gateway.list_models(gw.ListModelsRequest())
            finally:
                await gateway.close()
        return [_model_entry(model) for model in response.models]

    entries = run_async(work())
    if as_json:
        print_json(entries)
        return
    from genlevel.cli.card import console, table

    rows = table("route", "takes", "makes", "US$ per M tokens in / out", "ready")
    for entry in entries:
        price = entry["price"]
        cost = _cost(price) if price else ("unpriced" if entry["charges"] else "free")
        ready = "yes" if entry["ready"] else f"no: {entry['problem'].removeprefix(entry['route'] + ': ')}"
        rows.add_row(entry["route"], ", ".join(entry["takes"]), ", ".join(entry["gives"]), cost, ready)
    from gateway.providers import implied_names

    console().print(rows)
    console().print(
        f"Any model of these providers works as PROVIDER/MODEL: {', '.join(implied_names())}; any OpenAI-compatible server by --base-url."
    )


_PIECES = {"per_image": "an image", "per_second": "a second", "per_call": "a call"}


def _price(price: gw.Price) -> dict[str, str]:
    return {"input": price.input, "output": price.output} | {name: getattr(price, name) for name in _PIECES if getattr(price, name)}


def _cost(price: dict[str, str]) -> str:
    """A price for people: of tokens, unless they are free and pieces are not."""
    pieces = [f"{price[name]} {piece}" for name, piece in _PIECES.items() if name in price]
    tokens = [] if pieces and price["input"] == price["output"] == "0" else [f"{price['input']} / {price['output']}"]
    return ", ".join([*tokens, *pieces])


def _model_entry(model: gw.ModelInfo) -> dict[str, Any]:
    def names(modalities: Any) -> list[str]:
        return [ct.Modality.Name(modality).removeprefix("MODALITY_").lower().replace("three_d", "3d") for modality in modalities]

    return {
        "route": model.route,
        "provider": model.provider,
        "model": model.model,
        "takes": names(model.input_modalities),
        "gives": names(model.output_modalities),
        "price": _price(model.price) if model.HasField("price") else None,
        "charges": model.charges,
        "context_tokens": model.context_tokens or None,
        "ready": model.ready,
        "problem": model.problem or None,
        "note": model.parameter_note or None,
    }


@click.command("suites")
@json_option
def suites(as_json: bool) -> None:
    """List the shipped suites. A folder in General-Bench layout is a suite too: name it with --suite."""
    from genlevel.benchmark.suites import load_suite, shipped_suites

    entries: list[dict[str, Any]] = []
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
    from genlevel.cli.card import console, table

    for entry in entries:
        rows = table("task", "modality", "paradigm", "metric", ">instances")
        for task in entry["tasks"]:
            rows.add_row(task["task"], task["modality"], task["paradigm"] or "-", task["metric"] or "-", str(task["instances"]))
        console().print(f"{entry['suite']} (benchmark {entry['benchmark']}, {sum(task['instances'] for task in entry['tasks'])} instances)")
        console().print(rows)


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
    from genlevel.cli.card import console, table

    rows = table("id", "sheet", "skill", "metric", ">reference", "specialist", ">instances")
    for task in chosen:
        reference = "-" if task.reference_workbook is None else f"{task.reference_workbook:g}"
        rows.add_row(task.id, task.sheet, task.skill_id, task.metric.label, reference, task.specialist, str(task.instances))
    console().print(rows)
    console().print(f"{len(chosen)} tasks")

"""``genlevel metrics``: the 58 metrics, what they need, and whether they can run here now; ``genlevel metrics fetch`` brings weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from genlevel.cli.options import json_option, print_json, settings_of
from genlevel.cli.printing import console, table

if TYPE_CHECKING:
    from genlevel.runtime.documents import Document
    from scorer.metrics.listing import Listed


@click.group("metrics", invoke_without_command=True)
@click.option("--networks", "show_networks", is_flag=True, help="List the networks that metrics need, and where their weights are.")
@json_option
@click.pass_context
def metrics(ctx: click.Context, show_networks: bool, as_json: bool) -> None:
    """List the metrics of General-Bench with their kind, unit and direction, and whether they can run here now."""
    from scorer.models import configure

    configure(settings_of(ctx).scorer.weights)
    if ctx.invoked_subcommand is not None:
        return
    if show_networks:
        _print_networks(as_json)
        return
    from scorer.metrics.listing import listing

    entries = [_entry(listed) for listed in listing()]
    if as_json:
        print_json(entries)
        return
    rows = table("metric", "kind", "better", "unit", ">tasks", "extra", "runs here")
    for entry in entries:
        problem = entry["problem"] or ""
        note = f"{entry['runs']}: {problem}" if problem else f"{entry['runs']} ({entry['needs']})" if entry["needs"] else entry["runs"]
        shown = (entry["metric"], entry["kind"], entry["direction"], entry["unit"] or "-", str(entry["tasks"]), entry["extra"] or "-")
        rows.add_row(*shown, note)
    console().print(rows)
    able = sum(entry["runs"] == "yes" for entry in entries)
    console().print(f"{len(entries)} metrics, {able} of them run here; docs/scoring-metrics.md has their definitions")


@metrics.command("fetch")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.pass_context
def fetch(ctx: click.Context, names: tuple[str, ...]) -> None:
    """Fetch published weights from the Hugging Face hub: NAME is a network, or a metric (all of its networks that are on the hub)."""
    from genlevel.benchmark.metrics import METRICS
    from scorer.metrics.listing import listing
    from scorer.models import networks
    from scorer.models.fetching import fetch as fetch_weights
    from scorer.models.files import is_hub_id

    found = networks()
    wanted: list[str] = []
    for name in names:
        if name in METRICS:
            needed = [each for listed in listing() if listed.info.id == name for sense in listed.senses for each in sense.networks]
            wanted += [each for each in needed if is_hub_id(found.named(each))]
            for each in sorted({each for each in needed if not found.named(each)}):
                click.echo(f"genlevel: {name}: {found.problem(each)}", err=True)
        else:
            wanted.append(name)
    for name in dict.fromkeys(wanted):
        click.echo(f"{name}: {fetch_weights(name, found)}")


def _entry(listed: Listed) -> Document:
    info = listed.info
    return {
        "metric": info.id,
        "labels": list(info.labels),
        "kind": info.kind,
        "direction": info.direction,
        "unit": info.unit,
        "tasks": sum(sense.tasks for sense in listed.senses),
        "extra": ", ".join(listed.extras),
        "runs": listed.runs,
        "problem": listed.problem or None,
        "needs": next((sense.needs for sense in listed.senses if sense.needs), None),
        "senses": [
            {
                "parameters": dict(sense.parameters),
                "tasks": sense.tasks,
                "networks": list(sense.networks),
                "runs": not sense.problem,
                "problem": sense.problem or None,
            }
            for sense in listed.senses
        ],
    }


def _print_networks(as_json: bool) -> None:
    from scorer.models import NETWORKS, networks

    found = networks()
    entries = [
        {
            "network": network.name,
            "purpose": network.purpose,
            "weights": found.named(network.name) or None,
            "extra": network.extra,
            "form": network.form,
            "variable": network.variable,
            "ready": not found.problem(network.name),
            "problem": found.problem(network.name) or None,
        }
        for network in NETWORKS.values()
    ]
    if as_json:
        print_json(entries)
        return
    rows = table("network", "for", "weights", "extra", "ready")
    for entry in entries:
        rows.add_row(
            str(entry["network"]),
            str(entry["purpose"]),
            str(entry["weights"] or "-"),
            str(entry["extra"]),
            "yes" if entry["ready"] else f"no: {entry['problem']}",
        )
    console().print(rows)

"""suite.yaml: what a suite that is its own benchmark says about itself. Data from outside, so checked field by field.

Example (a suite's folder has this file and the task folders it names, each in General-Bench layout)::

    name: starter                      # letters, digits, "-", "_", "."; not "general-bench"
    title: A first look at a model     # one line, optional
    licence: CC0-1.0; see LICENSES.md  # optional
    tasks:                             # folder within the suite, "/"-separated -> what it is
      nlp/Capital-Cities:
        metric: ACC                    # a label or id of the metric registry (`genlevel metrics`)
      image/comprehension/Sign-Reading:
        name: Sign Reading             # default: the folder's last part
        metric: AP@75                  # thresholds may stand in the label
        metric_parameters: {of: boxes} # optional; over the label's own
        reference: null                # a specialist's value in the metric's unit; null or absent: nothing can be won
        skill: Optical character recognition   # optional, as are domain and capability
      my-videos:
        modality: video                # default: from the folder's path, as General-Bench lays it out
        paradigm: comprehension        # language tasks have none
        metric: accuracy

Fields that are not listed here are refused. Task folders that no entry names are read as unlisted ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict, cast

from genlevel.benchmark.model import Modality, Paradigm

MANIFEST = "suite.yaml"


@dataclass(frozen=True, slots=True)
class ManifestTask:
    """One task folder of the suite."""

    metric: str
    metric_parameters: Mapping[str, str] = field(default_factory=dict)
    name: str = ""
    modality: Modality | None = None
    paradigm: Paradigm | None = None
    reference: float | None = None
    skill: str = ""
    domain: str = ""
    capability: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """The whole of suite.yaml. tasks: by folder within the suite."""

    name: str
    tasks: Mapping[str, ManifestTask]
    title: str = ""
    licence: str = ""


class _Shipped(TypedDict):
    """A suite.yaml of our own."""

    name: str
    title: str
    licence: str
    tasks: dict[str, dict[str, str]]


def shipped_manifest(path: Path) -> Manifest:
    """Reads the suite.yaml of a suite that comes with the package. It is our own, so a test checks it, not each start: that it says the
    same as ``genlevel.benchmark.manifest_file.load_manifest``, which reads what comes from outside. It has no references or parameters.
    """
    from genlevel.runtime.yaml_text import read_shipped

    document = cast(_Shipped, read_shipped(path.read_text("utf-8")))
    tasks = {folder: _task(**entry) for folder, entry in document["tasks"].items()}
    return Manifest(document["name"], tasks, document["title"], document["licence"])


def _task(*, metric: str, modality: str = "", paradigm: str = "", **texts: str) -> ManifestTask:
    return ManifestTask(
        metric,
        modality=Modality(modality) if modality else None,
        paradigm=Paradigm(paradigm) if paradigm else None,
        name=texts.get("name", ""),
        skill=texts.get("skill", ""),
        domain=texts.get("domain", ""),
        capability=texts.get("capability", ""),
    )

"""Has checkov look at what the Helm chart makes of each set of values, and at the manifests without Helm.

What it finds is mended, or explained in policies.yaml.

    python deploy/check/policies.py [CHECKOV]

CHECKOV is its command, which has an environment of its own (`make policies` makes it), as what it needs does not go with what we need.
"""

from __future__ import annotations

import fnmatch
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import yaml
from charts import ROOT, render, value_sets

EXPLAINED = ROOT / "deploy/check/policies.yaml"
BASE = ROOT / "deploy/kubernetes/base"


@dataclass(frozen=True, slots=True)
class Finding:
    """A check that failed. of: the object, as Kind.namespace.name."""

    check: str
    said: str
    of: str


def main(arguments: list[str]) -> int:
    """Returns the process's exit code: 0 if all findings are explained, and all explanations needed."""
    command = arguments[0] if arguments else str(ROOT / ".venv/checkov/bin/checkov")
    with tempfile.TemporaryDirectory() as folder:
        for name, values in value_sets().items():
            documents = [each.document for each in render(values)]
            (Path(folder) / f"{name}.yaml").write_text(yaml.safe_dump_all(documents), "utf-8")
        shutil.copytree(BASE, Path(folder) / "without-helm")
        passed, findings = look(command, Path(folder))
    problems = judged(set(findings), yaml.safe_load(EXPLAINED.read_text("utf-8"))["explained"])
    print("\n".join(problems) or f"checkov: {passed} checks passed over {len(value_sets())} sets of values, and what failed is explained")
    return 1 if problems else 0


def look(command: str, folder: Path) -> tuple[int, list[Finding]]:
    """How many checks passed over the manifests in a folder, and what failed.

    Raises OSError if there is no checkov, ValueError if it does not look at all of them.
    """
    options = ["--framework", "kubernetes", "--compact", "--quiet", "--skip-download", "--output", "json", "--directory", str(folder)]
    finished = subprocess.run([command, *options], check=False, capture_output=True, text=True)
    try:
        said = json.loads(finished.stdout)
    except json.JSONDecodeError:
        raise ValueError(f"checkov says no JSON (exit code {finished.returncode}): {finished.stdout}{finished.stderr}") from None
    summary = said["summary"]
    if summary["parsing_errors"] or not summary["passed"]:
        raise ValueError(f"checkov could not read the manifests in {folder}: {summary}")
    failed = said["results"]["failed_checks"]
    return summary["passed"], [Finding(each["check_id"], each["check_name"], each["resource"]) for each in failed]


def judged(findings: Iterable[Finding], explained: list[dict[str, str]]) -> list[str]:
    """A line for each finding that nothing explains, and for each explanation that nothing needs."""
    found = sorted(findings, key=lambda finding: (finding.check, finding.of))

    def fits(row: dict[str, str], finding: Finding) -> bool:
        return row["check"] == finding.check and fnmatch.fnmatchcase(finding.of, row["of"])

    lines = [
        f"{finding.of}: {finding.said} ({finding.check}): mend it, or explain it in deploy/check/policies.yaml"
        for finding in found
        if not any(fits(row, finding) for row in explained)
    ]
    return lines + [
        f"deploy/check/policies.yaml: nothing has {row['check']} of {row['of']} any more; take it out"
        for row in explained
        if not any(fits(row, finding) for finding in found)
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

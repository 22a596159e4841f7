"""Looks up known vulnerabilities of every pinned package; each one found has to be explained in audit.yaml, or mended.

    python deploy/check/audit.py              # what no service could be asked about is said, and passes
    python deploy/check/audit.py --complete   # it fails

Asks PyPI and OSV, by pip-audit. What is found and explained is printed with its explanation.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
SERVICES = ("pypi", "osv")
_TIMEOUT_S = 300


@dataclass(frozen=True, slots=True)
class Finding:
    """One known vulnerability of one package. names: its id and aliases. fixed_in: versions."""

    package: str
    version: str
    names: tuple[str, ...]
    fixed_in: tuple[str, ...] = ()

    def __str__(self) -> str:
        fixed = f"mended in {', '.join(self.fixed_in)}" if self.fixed_in else "no version mends it"
        return f"{self.package} {self.version}: {', '.join(self.names)} ({fixed})"


def main() -> int:
    """Returns the process's exit code: 0 if everything that was found is explained."""
    reports = [report for service in SERVICES if (report := asked(service, ROOT / "constraints.txt")) is not None]
    explained = yaml.safe_load((ROOT / "deploy/check/audit.yaml").read_text("utf-8"))["explained"]
    lines, fails = judged(reports, explained, complete="--complete" in sys.argv[1:])
    print("\n".join(lines))
    return 1 if fails else 0


def asked(service: str, constraints: Path) -> Sequence[Mapping[str, object]] | None:
    """What a service knows of each package; None if it cannot be asked."""
    command = [sys.executable, "-m", "pip_audit", "--vulnerability-service", service, "--requirement", str(constraints), "--no-deps"]
    command += ["--disable-pip", "--progress-spinner", "off", "--format", "json"]
    try:
        result = subprocess.run(command, check=False, capture_output=True, text=True, timeout=_TIMEOUT_S)
        found: Sequence[Mapping[str, object]] = json.loads(result.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, ValueError, KeyError):
        return None
    return found


def judged(
    reports: Iterable[Sequence[Mapping[str, object]]], explained: Sequence[Mapping[str, str]], *, complete: bool
) -> tuple[list[str], bool]:
    """What there is to say, and whether that is a failure.

    reports: of several services, pip-audit's list of dependencies each. explained: package, id and why of each finding that stays.
    complete: a package that no service knew is a failure, too.
    """
    findings: dict[tuple[str, str], Finding] = {}
    known: set[str] = set()
    every: set[str] = set()
    for report in reports:
        for package in report:
            name = str(package["name"])
            every.add(name)
            if "vulns" in package:
                known.add(name)
                findings |= {(name, finding.names[0]): finding for finding in _findings(name, package)}
    lines, fails = [], False
    told = {(entry["package"], entry["id"]): entry["why"] for entry in explained}
    for finding in findings.values():
        why = next((told.pop((finding.package, name)) for name in finding.names if (finding.package, name) in told), "")
        fails = fails or not why
        lines.append(f"{finding}: {why or 'not explained; take a version that mends it, or explain it in deploy/check/audit.yaml'}")
    for package, name in told:
        if package in known or (every and package not in every):
            fails = True
            lines.append(f"deploy/check/audit.yaml: {package} has no {name} any more; take it out")
    missing = len(every - known)
    if not known:
        lines.append(f"nothing was audited: neither {' nor '.join(SERVICES)} could be reached, or knows any of the packages")
    elif missing:
        lines.append(f"not audited: {missing} of {len(every)} packages, which no service that could be reached knows")
    else:
        lines.append(f"audited {len(every)} packages: {len(findings)} known vulnerabilities")
    return lines, fails or (complete and (bool(missing) or not known))


def _findings(name: str, package: Mapping[str, object]) -> list[Finding]:
    vulnerabilities: list[Mapping[str, object]] = package["vulns"]  # type: ignore[assignment]
    return [
        Finding(
            name,
            str(package.get("version", "")),
            (str(each["id"]), *map(str, each.get("aliases") or ())),  # type: ignore[call-overload]
            tuple(map(str, each.get("fix_versions") or ())),  # type: ignore[call-overload]
        )
        for each in vulnerabilities
    ]


if __name__ == "__main__":
    sys.exit(main())

"""Checks the deployment files with the tools that read them: hadolint, Compose, promtool, amtool, Helm, kustomize and Kubernetes schemas.

    python deploy/check/deployment.py

hadolint, Helm, kubectl and the schemas come with the project's check dependencies; Compose, promtool and amtool are used if they are
installed, and must be if CI=true.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "deploy/prometheus"
COMPOSE = ROOT / "docker-compose.yml"


def main() -> int:
    """Returns the process's exit code: 0 if every check passed."""
    passed = [
        _run("Dockerfile", _installed("hadolint"), "Dockerfile"),
        _run("stand-ins of images", _installed("hadolint"), *map(str, sorted((ROOT / "deploy/check/standins").glob("*.Dockerfile")))),
        _run("docker-compose.yml", _compose(), "config", "--quiet"),
        *(
            _run(
                f"docker-compose.yml with {name}",
                _compose(),
                "--file",
                str(COMPOSE),
                "--file",
                f"deploy/compose/{name}",
                "config",
                "--quiet",
            )
            for name in ("ports.yaml", "sqlite.yaml")
        ),
        _run("docker-compose.yml with tokens made by hand", _compose(), "config", "--quiet", GENLEVEL_EVALUATOR_TOKEN="made"),
        _run("Prometheus configuration", _system("promtool"), "check", "config", str(RULES / "prometheus.yml")),
        *(_run(f"Prometheus {file.stem}", _system("promtool"), "test", "rules", str(file)) for file in sorted(RULES.glob("*_test.yml"))),
        _run("Alertmanager configuration", _system("amtool"), "check-config", str(ROOT / "deploy/alertmanager/alertmanager.yml")),
        _run("Grafana dashboards", [sys.executable], str(ROOT / "deploy/grafana/build.py")),
        _run("Helm chart", [sys.executable], str(ROOT / "deploy/check/chart.py")),
        *(_kubernetes(folder) for folder in sorted((ROOT / "deploy/kubernetes").iterdir())),
    ]
    return 0 if all(passed) else 1


def _kubernetes(folder: Path) -> bool:
    with tempfile.TemporaryDirectory() as scratch:
        rendered = Path(scratch) / f"{folder.name}.yaml"
        rendering = subprocess.run([*_installed("kubectl"), "kustomize", str(folder)], check=False, capture_output=True, text=True)
        if rendering.returncode != 0:
            print(f"Kubernetes {folder.name}: {rendering.stderr.strip()}")
            return False
        rendered.write_text(rendering.stdout, "utf-8")
        return _run(f"Kubernetes {folder.name}", _installed("kubernetes-validate"), "--strict", "--quiet", str(rendered))


def _run(what: str, tool: list[str], *arguments: str, **environment: str) -> bool:
    if not tool:
        missing_is_fine = os.environ.get("CI") != "true"
        print(f"{what}: {'not checked' if missing_is_fine else 'FAILED'}, its tool is not installed")
        return missing_is_fine
    finished = subprocess.run([*tool, *arguments], check=False, capture_output=True, text=True, cwd=ROOT, env=os.environ | environment)
    print(f"{what}: {'fine' if finished.returncode == 0 else 'FAILED'}")
    if finished.returncode != 0:
        print((finished.stdout + finished.stderr).rstrip())
    return finished.returncode == 0


def _installed(tool: str) -> list[str]:
    """A tool of this Python environment."""
    return [str(Path(sys.executable).with_name(tool))]


def _system(tool: str) -> list[str]:
    """A tool that the system may have; empty if not."""
    return [tool] if shutil.which(tool) else []


def _compose() -> list[str]:
    """Compose as a plugin of docker, or as the command of its own."""
    if shutil.which("docker") and subprocess.run(["docker", "compose", "version"], check=False, capture_output=True).returncode == 0:
        return ["docker", "compose"]
    return _system("docker-compose")


if __name__ == "__main__":
    sys.exit(main())

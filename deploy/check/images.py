"""Builds the image with podman, brings the stack of docker-compose.yml up, runs the demo in it, and looks whether all is as it is said.

    make test-images      # as root, on Debian; python deploy/check/images.py

Prints a line for each check, the image's size, and what had to be stood in for.
"""

from __future__ import annotations

import http
import json
import os
import shutil
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from podman import BASE, IMAGE, NEEDED, PACKAGES, PROJECT, ROOT, Failed, Podman, provide_images

SERVICES = ("gateway", "evaluator", "scorer", "web")
GRACE_S = 60
LOOKS_S = 3
DEMO_S = 1200
ANSWERED_S = 60
KILLED_AFTER_S = 12
# What no image may have: keys, what git and we keep of them, caches of what built it.
FORBIDDEN = """
find / -xdev \\( -name '.git' -o -name '.env' -o -name 'tokens.yaml' -o -name 'id_rsa*' -o -name 'id_ed25519*' \\
    -o -name '*.key' -o -name '.netrc' \\
    -o -path '/root/.cache/*' -o -path '/tmp/*' -o -path '/var/lib/apt/lists/*_*' -o -path '/source/*' -o -path '*/site-packages/pip/*' \\
    \\) -not -path '/usr/*' -not -path '/proc/*' -print 2>/dev/null
grep -rlE 'gl_[A-Za-z0-9_-]{40}' /opt/genlevel --include='*.yaml' --include='*.json' --include='*.py' 2>/dev/null || true
"""
WRITABLE = "find / -xdev -writable -not -type l -not -path '/proc/*' -not -path '/dev/*' -not -path '/sys/*' 2>/dev/null || true"
MEMORY = "cat /sys/fs/cgroup/memory/memory.max_usage_in_bytes /sys/fs/cgroup/memory.peak 2>/dev/null || true"
RIGHTS = "id -u; grep -E '^(CapEff|NoNewPrivs):' /proc/self/status; touch /nowhere 2>&1 || true"


def main() -> int:
    """Returns the process's exit code: 0 if every check passed."""
    missing = [tool for tool in NEEDED if shutil.which(tool) is None]
    if missing or os.geteuid() != 0:
        print(f"needs root and {', '.join(NEEDED)} (apt install {PACKAGES}); missing: {', '.join(missing) or 'root'}")
        return 1
    checks = Checks()
    with tempfile.TemporaryDirectory() as name:
        podman = Podman(Path(name))
        for line in provide_images(podman, Path(name)):
            print(line, flush=True)
        if not checks.run("the image is built", lambda: podman.build(IMAGE, ROOT / "Dockerfile", ROOT)):
            return 1
        look_at_image(podman, checks)
        with podman.serving():
            try:
                look_at_stack(podman, checks)
            finally:
                podman.compose("down", "--volumes", "--timeout", "5")
    return 1 if checks.failed else 0


class Checks:
    """Runs checks, each of which raises or returns what is wrong (nothing: it is fine), and prints what came of it."""

    def __init__(self) -> None:
        self.failed: list[str] = []

    def run(self, what: str, check: Callable[[], object]) -> bool:
        """One check. Whether it passed."""
        started = time.monotonic()
        try:
            wrong = check()
        except (Failed, OSError, ValueError, KeyError) as error:
            wrong = f"{type(error).__name__}: {error}"
        print(f"{what}: {f'FAILED: {wrong}' if wrong else 'fine'} ({time.monotonic() - started:.1f} s)", flush=True)
        if wrong:
            self.failed.append(what)
        return not wrong


def look_at_image(podman: Podman, checks: Checks) -> None:
    """Its size, user and health check, and what is in it."""
    found = json.loads(podman.run("image", "inspect", IMAGE))[0]
    below = json.loads(podman.run("image", "inspect", BASE))[0]["Size"]
    print(f"the image has {found['Size'] / 1e6:.0f} MB, {(found['Size'] - below) / 1e6:.0f} of them over the image that it is made from")
    free = ("run", "--rm", "--network", "none", "--entrypoint", "sh", IMAGE, "-c")
    inside = ("run", "--rm", "--network", "none", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "all", "--entrypoint", "sh", IMAGE, "-c")
    checks.run("it runs as 10001", lambda: "" if found["Config"]["User"] == "10001:10001" else found["Config"]["User"])
    checks.run("it has a health check", lambda: "" if found.get("Healthcheck") else "none")
    secret = [name for name in found["Config"]["Env"] if any(word in name for word in ("KEY", "TOKEN", "PASSWORD", "PIP_"))]
    checks.run("its environment has no secret", lambda: ", ".join(secret))
    unread = ("run", "--rm", "--network", "none", "--user", "0", "--entrypoint", "sh", IMAGE, "-c")
    checks.run("no key, token or cache is in it", lambda: podman.run(*unread, FORBIDDEN))
    mine = {"/data", "/blobs", "/cache", *(f"/access/{name}" for name in ("caller", "database", "evaluator", "storage", "tokens"))}
    usual = {"/tmp", "/var/tmp", "/run/lock", "/var/lock"}
    checks.run("its user can change nothing but data", lambda: ", ".join(set(podman.run(*free, WRITABLE).split()) - mine - usual))
    version = podman.run(*inside, "genlevel --version")
    checks.run("the command works over a read-only file system", lambda: "" if version.startswith("genlevel") else version)


def look_at_stack(podman: Podman, checks: Checks) -> None:
    """The whole of docker-compose.yml, from its first start to its end."""
    if not checks.run("the stack comes up", lambda: podman.compose("up", "--detach", "--no-build") and ""):
        print(podman.run("ps", "--all", "--format", "{{.Names}} {{.Status}}"))
        return
    checks.run("the demo ends with 0 and a level card", lambda: demo(podman))
    for name in running(podman):
        checks.run(f"{name} has no rights, and nowhere to write", lambda name=name: rights(podman, name))
    checks.run("the pages ask who comes", lambda: pages(podman))
    checks.run("any command runs, with the token that was made", lambda: listed(podman))
    checks.run("nobody logs a token or a password", lambda: logged(podman))
    checks.run("three evaluators are healthy, and Prometheus finds all", lambda: scaled(podman))
    checks.run("a run ends though one of three evaluators is killed in its middle", lambda: survived(podman))
    checks.run("the demo asks nothing at the next start", lambda: repeated(podman))
    for name in running(podman):
        used = [int(word) for word in podman.run("exec", name, "sh", "-c", MEMORY).split()]
        print(f"{name} has used {max(used, default=0) / 2**20:.0f} MiB at most")
    for service in (*reversed(SERVICES), "queue", "database"):
        checks.run(f"{service} ends when it is told to", lambda service=service: stopped(podman, service))


def running(podman: Podman) -> list[str]:
    """The names of the containers that run."""
    found = podman.run("ps", "--filter", f"label=com.docker.compose.project={PROJECT}", "--format", "{{.Names}}")
    return sorted(found.split())


def container(service: str, number: int = 1) -> str:
    """The name of a service's container."""
    return f"{PROJECT}-{service}-{number}"


def demo(podman: Podman) -> str:
    """What is wrong with the demo, which is waited for."""
    ended = time.monotonic() + DEMO_S
    state = ""
    while time.monotonic() < ended:
        state = podman.run("inspect", "--format", "{{.State.Status}} {{.State.ExitCode}}", container("demo"))
        if state.startswith("exited"):
            break
        time.sleep(LOOKS_S)
    said = podman.logs(container("demo"))
    return "" if state == "exited 0" and "103 answered" in said and "Level 2" in said else f"{state}\n{said[-1500:]}"


def rights(podman: Podman, name: str) -> str:
    """What is wrong with what a container may do."""
    user, *lines = podman.run("exec", name, "sh", "-c", RIGHTS).splitlines()
    said = "\n".join(lines)
    wrong = [] if user != "0" else ["it is root"]
    wrong += [] if "CapEff:\t0000000000000000" in said else ["it has capabilities"]
    wrong += [] if "NoNewPrivs:\t1" in said else ["it may get more privileges"]
    wrong += [] if "Read-only file system" in said else ["it can write to its root"]
    return ", ".join(wrong)


def at(podman: Podman, service: str, port: int) -> str:
    """Where a service's port is published."""
    return f"http://{podman.run('port', container(service), f'{port}/tcp')}"


def pages(podman: Podman) -> str:
    """What is wrong with the pages for somebody without a token."""
    try:
        with urllib.request.urlopen(at(podman, "web", 7400), timeout=30) as answer:
            return f"{answer.url} is open"
    except urllib.error.HTTPError as error:
        return "" if error.code == http.HTTPStatus.UNAUTHORIZED else str(error)


def listed(podman: Podman) -> str:
    """What is wrong with a command that lists runs."""
    runs = json.loads(podman.compose("run", "--rm", "--no-deps", "--no-TTY", "cli", "runs", "--json"))
    return "" if "embedded/generalist" in json.dumps(runs) else json.dumps(runs)[:300]


def logged(podman: Podman) -> str:
    """Secrets that stand in some log."""
    secrets = {}
    for volume, file in (("evaluator-token", "token"), ("caller-token", "token"), ("database-password", "password")):
        where = podman.run("volume", "inspect", "--format", "{{.Mountpoint}}", f"{PROJECT}_{volume}")
        secrets[volume] = (Path(where) / file).read_text("utf-8").strip()
    names = podman.run("ps", "--all", "--quiet", "--filter", f"label=com.docker.compose.project={PROJECT}").split()
    logs = "".join(podman.logs(name) for name in names)
    if "gRPC on" not in logs:
        return "logs are not read"
    return ", ".join(name for name, secret in secrets.items() if len(secret) < 20 or secret in logs)


def scaled(podman: Podman) -> str:
    """What is wrong with three evaluators."""
    podman.compose("up", "--detach", "--no-build", "--no-recreate", "--scale", "evaluator=3", "evaluator")
    expected = {f"genlevel-{service}": 3 if service == "evaluator" else 1 for service in SERVICES}
    up: dict[str, int] = {}
    for _ in range(40):
        with urllib.request.urlopen(f"{at(podman, 'prometheus', 9090)}/api/v1/targets", timeout=30) as answer:
            targets = json.load(answer)["data"]["activeTargets"]
        up = {job: sum(target["labels"]["job"] == job and target["health"] == "up" for target in targets) for job in expected}
        health = [podman.run("inspect", "--format", "{{.State.Health.Status}}", container("evaluator", number)) for number in (1, 2, 3)]
        if up == expected and set(health) == {"healthy"}:
            return ""
        time.sleep(LOOKS_S)
    return f"{up}, {health}"


def survived(podman: Podman) -> str:
    """What is wrong with a run whose evaluators lose one."""
    command = ("eval", "--model", "embedded/generalist", "--suite", "starter", "--limit", "4")
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(podman.compose, "run", "--rm", "--no-deps", "--no-TTY", "cli", *command, timeout_s=600)
        time.sleep(KILLED_AFTER_S)
        if run.done():
            return f"it was over before: {run.result()[-300:]}"
        podman.run("kill", "--signal", "KILL", container("evaluator", 2))
        said = run.result()
    podman.run("start", container("evaluator", 2))
    return "" if "48 answered" in said else said[-500:]


def repeated(podman: Podman) -> str:
    """What is wrong with the demo if all is started again."""
    started = time.monotonic()
    podman.compose("up", "--detach", "--no-build", "--no-recreate", "demo")
    wrong = demo(podman)
    took = time.monotonic() - started
    return wrong or ("" if took < ANSWERED_S else f"it took {took:.0f} s")


def stopped(podman: Podman, service: str) -> str:
    """What is wrong with how a service ends on SIGTERM."""
    started = time.monotonic()
    podman.run("stop", "--time", str(GRACE_S), container(service))
    took = time.monotonic() - started
    code = podman.run("inspect", "--format", "{{.State.ExitCode}}", container(service))
    return "" if code == "0" and took < GRACE_S - 5 else f"code {code} after {took:.1f} s"


if __name__ == "__main__":
    sys.exit(main())

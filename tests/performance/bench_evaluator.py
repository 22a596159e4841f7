"""How fast a run is driven, beside a bare client loop that keeps nothing: ``python tests/performance/bench_evaluator.py``.

Everything is measured in turns, each in a process of its own, against a stub of an upstream in its own process; what is printed are ratios
of what was measured beside each other, then the figures themselves:

  1. 100 ms upstream, 64 in flight, 10,000 instances: run time as a share of the ideal N x latency / concurrency, and that as a share of
     what the bare aiohttp loop reaches (aim: at least 97 %);
  2. 20 ms upstream: samples/s beside the bare loop's (aim: at least 70 %), and CPU a sample, journal and scores included, beside that of
     lm_eval (aim: at most 0.45), if ``--lm-eval`` or GENLEVEL_BENCH_LM_EVAL names the folder of a virtual environment that has it
     (``pip install 'lm_eval[api]==0.4.10'``);
  3. the pauses of Python's garbage collection in these runs;
  4. resident memory after 1,000 and 20,000 instances (``--large``: 100,000, too; aim: at most 130 MiB), and bytes for an instance: of the
     journal's table of answers (aim: at most 230), of its index, and of the whole database.
  5. CPU a sample of a run that asks until its wins are decided, of tasks so close that nearly all is asked, beside that of asking all of
     them (aim: at most 1.10), and how long it takes to put 325,876 instances of 699 tasks into their order (aim: at most 5 s).

--times: how often each is measured (default: 3); the median counts.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import random
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing, suppress
from functools import partial
from pathlib import Path

from machine import interleaved, machine, median_ratio

STUB = Path(__file__).resolve().parent.parent / "integration" / "stub_upstream.py"
TASKS = [
    "Causal-Reasoning", "Commonsense-Reasoning", "Social-Science-Question-Answering", "Temporal-Reasoning", "Counterfactual-Reasoning",
]  # fmt: skip

CLOSE = {
    "Causal-Reasoning": 65.0, "Commonsense-Reasoning": 83.33, "Spatial-Reasoning": 66.45, "Ethical-Reasoning": 79.0,
    "Science-Question-Answering": 63.0, "Nature-Question-Answering": 58.0, "Art-Question-Answering": 73.0,
    "Earth-Question-Answering": 66.67,
}  # fmt: skip
"""Tasks with their references."""

CONCURRENCY = 64
LM_EVAL = "GENLEVEL_BENCH_LM_EVAL"
Figures = dict[str, float]


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


def make_close_suite(root: Path, instances: int) -> Path:
    """Questions of which the stub knows so many that it is hard to tell whether it wins; it knows those with an option "right"."""
    each = instances // len(CLOSE)
    for task, reference in CLOSE.items():
        folder, share, chance = root / "nlp" / task, reference / 100, random.Random(task)
        folder.mkdir(parents=True)
        known = [True] * round(each * share + 3.8 * (each * share * (1 - share)) ** 0.5)
        known += [False] * (each - len(known))
        chance.shuffle(known)
        data = []
        for item, is_known in enumerate(known):
            label = chance.randrange(3) if is_known else chance.randrange(1, 3)  # else it says A
            options = ["right" if is_known and place == label else word for place, word in enumerate(("this", "that", "none"))]
            given = {"question": f"Question {item}: which of these is right, and why is it so?", "options": options}
            data.append({"id": f"q{item}", "input": given, "output": {"answer": "ABC"[label]}})
        (folder / "annotation.json").write_text(json.dumps({"task": task, "type": "MultipleChoiceQA", "data": data}))
    return root


def make_large_suite(root: Path, instances: int, tasks: int) -> Path:
    """Tasks of questions about texts of their own, every third one with pictures."""
    for number in range(tasks):
        pictures = number % 3 == 0
        folder = root / ("image/comprehension" if pictures else "nlp") / f"Made-Up-{number}"
        (folder / "images").mkdir(parents=True)
        data = []
        for item in range(instances // tasks + (number < instances % tasks)):
            given = {"question": f"Question {item}: which of these is right?", "options": ["this", "that", "none"]}
            if pictures:
                (folder / "images" / f"{item}.png").write_bytes(b"\x89PNG")
                given["image_file"] = f"images/{item}.png"
            else:
                given["context"] = f"A text of its own, number {item}. " * 5
            data.append({"id": f"q{item}", "input": given, "output": {"answer": "A"}})
        (folder / "annotation.json").write_text(json.dumps({"task": folder.name, "type": "MultipleChoiceQA", "data": data}))
    return root


class Upstream:
    """The stub in its own process."""

    def __init__(self, folder: Path, latency_s: float) -> None:
        port_file = folder / f"port-{latency_s}"
        self._process = subprocess.Popen([sys.executable, str(STUB), f"--port-file={port_file}", f"--latency={latency_s}", "--knows=right"])
        while not port_file.exists():
            time.sleep(0.02)
        self.base_url = f"http://127.0.0.1:{port_file.read_text()}/v1"

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()


def cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


async def run_genlevel(base_url: str, suite: Path, folder: Path, concurrency: int, *, decides: bool = False) -> dict[str, float]:
    """One embedded run, until all is asked or its wins are decided; wall and CPU seconds from the first call to the last, with scoring."""
    from genlevel.embedded import embedded_services
    from genlevel.runtime.settings import Settings
    from genlevel.v1 import evaluator_pb2 as ev

    async with embedded_services(Settings(), folder) as services:
        specification = ev.RunSpecification(model="stub", suite=str(suite), base_url=base_url)
        traffic = ev.TrafficSettings(concurrency=concurrency)
        if decides:
            traffic.until_decided.aim = ev.UntilDecided.AIM_WINS
        request = ev.StartRunRequest(specification=specification, traffic=traffic)
        run = (await services.evaluator.start_run(request)).run
        begun, cpu_begun, pauses = time.perf_counter(), cpu_s(), Pauses()
        async for progress in services.evaluator.watch_run(ev.WatchRunRequest(run_id=run.run_id)):
            run = progress.run
        ended, cpu_ended = time.perf_counter(), cpu_s()
    assert run.counts.answered == run.counts.total or decides, run
    stopped = {"pauses": pauses.total, "longest": pauses.longest, "full": pauses.full}
    return {"n": run.counts.answered, "wall": ended - begun, "cpu": cpu_ended - cpu_begun, **stopped}


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


class Pauses:
    """How long Python's garbage collection has stopped this process from now on: in all and at most, in seconds.

    full: how many collections looked at everything.
    """

    def __init__(self) -> None:
        self.total = self.longest = self._began = 0.0
        self.full = 0
        gc.callbacks.append(self._seen)

    def _seen(self, phase: str, information: dict[str, int]) -> None:
        if phase == "start":
            self._began = time.perf_counter()
            return
        took = time.perf_counter() - self._began
        self.total, self.longest = self.total + took, max(self.longest, took)
        self.full += information["generation"] == 2


def resident_mib() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def measure(mode: str, folder: Path, base_url: str, count: int) -> None:
    """Runs one measurement in this (fresh) process and prints it as JSON."""
    from genlevel.runtime.loop import run

    if mode == "genlevel":
        suite = make_suite(folder / "suite", count)
        figures = run(run_genlevel(base_url, suite, folder / "data", CONCURRENCY))
        figures |= database_bytes(folder / "data" / "genlevel.db")
    elif mode in ("whole", "decided"):
        suite = make_close_suite(folder / "suite", count)
        figures = run(run_genlevel(base_url, suite, folder / "data", CONCURRENCY, decides=mode == "decided"))
    elif mode == "order":
        figures = order_s(make_large_suite(folder / "suite", count, 699))
    else:
        figures = run(run_aiohttp(base_url, count, CONCURRENCY))
    figures["resident_mib"] = resident_mib()
    figures["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(figures))


def order_s(root: Path) -> Figures:
    """Seconds that it takes to put the instances of a suite into the order in which they are asked until something is decided."""
    from evaluator.deciding.units import units_of
    from evaluator.planning.plans import TaskPlan
    from genlevel.benchmark.suites import load_suite

    plans = [TaskPlan(task, None, task.count()) for task in load_suite(root).tasks]
    began = time.process_time()
    units = [units_of(planned, 0) for planned in plans]
    return {"n": sum(map(len, units)), "seconds": time.process_time() - began}


def database_bytes(path: Path) -> Figures:
    """Of the file, of the table of answers and of its index; the last two only where SQLite can tell."""
    found = {"database": float(path.stat().st_size)}
    with closing(sqlite3.connect(path)) as connection, suppress(sqlite3.OperationalError):
        for name, table in (("answers", "evaluator_answers"), ("index", "sqlite_autoindex_evaluator_answers_1")):
            found[name] = connection.execute("SELECT sum(pgsize) FROM dbstat WHERE name = ?", (table,)).fetchone()[0]
    return found


def in_own_process(mode: str, base_url: str, count: int) -> Figures:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, "--measure", mode, folder, base_url, str(count)]
        figures: Figures = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        return figures


_TASK = """
task: bench
dataset_path: json
dataset_kwargs: {data_files: {test: QUESTIONS}}
output_type: generate_until
test_split: test
doc_to_text: "{{question}}"
doc_to_target: "A"
generation_kwargs: {until: ["<never>"], max_gen_toks: 16, temperature: 0}
metric_list: [{metric: exact_match, aggregation: mean, higher_is_better: true}]
"""


def lm_eval_s(peer: Path, base_url: str, count: int) -> float:
    """CPU seconds of one whole run of lm_eval over so many questions."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        questions = folder / "questions.jsonl"
        asked = [{"question": f"Question {n}: which of these is right, and why?\nA. this\nB. that\nC. none"} for n in range(count)]
        questions.write_text("".join(json.dumps(one) + "\n" for one in asked))
        (folder / "bench.yaml").write_text(_TASK.replace("QUESTIONS", str(questions)))
        arguments = f"model=stub,base_url={base_url}/chat/completions,num_concurrent={CONCURRENCY},max_retries=1,tokenizer_backend=None"
        command = [
            str(peer / "bin" / "lm_eval"), "--model", "local-chat-completions", "--model_args", f"{arguments},tokenized_requests=False",
            "--tasks", "bench", "--include_path", name, "--apply_chat_template",
        ]  # fmt: skip
        environment = {**os.environ, "OPENAI_API_KEY": "none", "HF_HOME": name, "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
        environment.pop("PYTHONPATH", None)
        process = subprocess.Popen(command, cwd=name, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert process.stdout is not None
        said = process.stdout.read()
        _pid, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0, said[-3000:]
        return used.ru_utime + used.ru_stime


def lm_eval(peer: Path, base_url: str, count: int) -> Figures:
    """CPU a sample without what a run costs whatever its size: of many samples less that of few."""
    few = count // 10
    return {"cpu_ms": (lm_eval_s(peer, base_url, count) - lm_eval_s(peer, base_url, few)) / (count - few) * 1000}


def column(found: list[Figures], name: str) -> list[float]:
    return [figures[name] for figures in found]


def share_of_the_ideal(base_url: str, times: int) -> None:
    count = 10_000
    ideal = count * 0.1 / CONCURRENCY
    print(f"100 ms upstream, {CONCURRENCY} in flight, {count} instances, ideal {ideal:.2f} s:")
    found = interleaved({mode: partial(in_own_process, mode, base_url, count) for mode in ("genlevel", "aiohttp")}, times)
    walls = {mode: column(figures, "wall") for mode, figures in found.items()}
    reached = median_ratio(walls["aiohttp"], walls["genlevel"])
    print(f"  share of the bare loop's share of the ideal    {reached:6.1%}   (aim: at least 97 %)")
    for mode, several in walls.items():
        print(f"  {mode:10} {ideal / statistics.median(several):6.1%} of the ideal")
    tell_pauses(found["genlevel"])


def tell_pauses(found: list[Figures]) -> None:
    told = {name: statistics.median(column(found, name)) for name in ("pauses", "longest", "full")}
    total, longest = told["pauses"] * 1000, told["longest"] * 1000
    print(f"  garbage collection of genlevel: {total:.0f} ms in all, {longest:.0f} ms at most, {told['full']:.0f} full ones")


def rate_and_cost(base_url: str, times: int, peer: Path | None) -> None:
    count = 4000
    print(f"20 ms upstream, {CONCURRENCY} in flight, {count} samples:")
    measurements = {mode: partial(in_own_process, mode, base_url, count) for mode in ("genlevel", "aiohttp")}
    if peer is not None:
        measurements["lm_eval"] = partial(lm_eval, peer, base_url, count)
    found = interleaved(measurements, times)
    for figures in (*found["genlevel"], *found["aiohttp"]):
        figures |= {"rate": figures["n"] / figures["wall"], "cpu_ms": figures["cpu"] / figures["n"] * 1000}
    rates = {mode: column(found[mode], "rate") for mode in ("genlevel", "aiohttp")}
    costs = {mode: column(figures, "cpu_ms") for mode, figures in found.items()}
    beside = median_ratio(rates["genlevel"], rates["aiohttp"])
    print(f"  samples/s beside the bare loop's               {beside:6.1%}   (aim: at least 70 %)")
    if peer is not None:
        beside = median_ratio(costs["genlevel"], costs["lm_eval"])
        print(f"  CPU a sample beside lm_eval's                  {beside:6.2f}   (aim: at most 0.45)")
    for mode, several in costs.items():
        rate = f"{statistics.median(rates[mode]):6.0f} samples/s, " if mode in rates else ""
        print(f"  {mode:10} {rate}{statistics.median(several):.2f} ms CPU a sample")
    tell_pauses(found["genlevel"])


def deciding(base_url: str, times: int) -> None:
    count = 4000
    print(f"20 ms upstream, {CONCURRENCY} in flight, {count} samples of tasks whose wins are close:")
    found = interleaved({mode: partial(in_own_process, mode, base_url, count) for mode in ("decided", "whole")}, times)
    costs = {mode: [figures["cpu"] / figures["n"] * 1000 for figures in several] for mode, several in found.items()}
    print(f"  CPU a sample beside that of asking all         {median_ratio(costs['decided'], costs['whole']):6.2f}   (aim: at most 1.10)")
    for mode, several in costs.items():
        asked, rate = (statistics.median(column(found[mode], name)) for name in ("n", "wall"))
        print(f"  {mode:10} {asked:.0f} asked, {asked / rate:6.0f} samples/s, {statistics.median(several):.2f} ms CPU a sample")
    order = in_own_process("order", base_url, 325_876)
    print(f"  {order['n']:.0f} units of 699 tasks put in order in {order['seconds']:.1f} s of CPU (aim: at most 5 s)")


def memory(base_url: str, sizes: tuple[int, ...]) -> None:
    print(
        "memory after a run, and bytes of the database for an instance (aims at 100,000: at most 130 MiB, and 230 in the table of answers):"
    )
    for size in sizes:
        figures = in_own_process("genlevel", base_url, size)
        told = {name: f"{figures[name] / size:.0f}" if name in figures else "unknown" for name in ("answers", "index", "database")}
        print(
            f"  {size:6} instances: {figures['resident_mib']:.0f} MiB resident, {figures['peak_mib']:.0f} MiB at its peak; "
            f"{told['answers']} bytes in the table of answers, {told['index']} in its index, {told['database']} in all"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--lm-eval", type=Path, default=os.environ.get(LM_EVAL))
    parser.add_argument("--only", choices=["share", "rate", "memory", "deciding"])
    parser.add_argument("--measure", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        mode, folder, base_url, count = options.measure
        measure(mode, Path(folder), base_url, int(count))
        return
    print(machine())
    with tempfile.TemporaryDirectory() as name:
        slow, fast = Upstream(Path(name), 0.1), Upstream(Path(name), 0.02)
        try:
            if options.only in (None, "share"):
                share_of_the_ideal(slow.base_url, options.times)
            if options.only in (None, "rate"):
                rate_and_cost(fast.base_url, options.times, Path(options.lm_eval) if options.lm_eval else None)
            if options.only in (None, "deciding"):
                deciding(fast.base_url, options.times)
            if options.only in (None, "memory"):
                memory(fast.base_url, (1000, 20_000, 100_000) if options.large else (1000, 20_000))
        finally:
            slow.stop()
            fast.stop()


if __name__ == "__main__":
    main()

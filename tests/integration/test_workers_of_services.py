"""``genlevel workers`` over processes that share PostgreSQL and NATS: who is there, what each can do, and who is lost."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.cluster import Cluster
from tests.nats_server import NatsServer

pytestmark = [pytest.mark.full, pytest.mark.slow]


@pytest.fixture
def cluster(tmp_path: Path, credentials: Any, forker: Any, postgresql: str, stub_upstream: Any) -> Iterator[Cluster]:
    """Two evaluators, of which one is told to have pictures scored on a GPU that there is not, and a scorer."""
    queue = NatsServer(tmp_path / "nats")
    queue.start()
    (tmp_path / "cluster").mkdir()
    gpu = {"worker": {"scores": ["any", "vision"], "asks": False, "device": "cuda:99"}}
    made = Cluster(
        tmp_path / "cluster",
        credentials,
        forker,
        database=postgresql,
        queue=queue.url,
        base_url=stub_upstream().base_url,
        limits={},
        counts={"evaluator": 2},
        own={"evaluator-1": gpu, "scorer-0": gpu},
    )
    try:
        made.start("gateway-0", "scorer-0", "evaluator-0")
        made.launch("evaluator-1")  # which does not become ready
        yield made
    finally:
        made.close()
        queue.stop()


def listed(cluster: Cluster, *arguments: str) -> dict[str, Any]:
    done = cluster.command.run("workers", "--json", *arguments)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def until_listed(cluster: Cluster, condition: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
    deadline = time.monotonic() + 30
    while not condition(found := listed(cluster)["workers"]):
        assert time.monotonic() < deadline, found
        time.sleep(0.3)
    return found


def test_workers_come_and_go(cluster: Cluster) -> None:
    def other(workers: list[dict[str, Any]]) -> dict[str, Any] | None:
        return next((one for one in workers if one["service"] == "evaluator" and not one["asks"]), None)

    found = until_listed(cluster, lambda workers: len(workers) == 3 and bool((gpu := other(workers)) and gpu["problem"]))
    asking, gpu = next(one for one in found if one["asks"]), other(found)
    assert gpu is not None
    assert (asking["scores"], asking["problem"], asking["lost"]) == (["any"], None, False)
    assert gpu["scores"] == ["any"]
    assert "needs torch" in gpu["problem"] or "cuda:99, which torch cannot use here" in gpu["problem"]
    whole = listed(cluster, "--dead")
    assert (whole["shared"], whole["queue_problem"], whole["dead"], whole["dead_letters"]) == (True, None, 0, [])
    refused = cluster.command.run("workers", "--retry-dead", "none of these")
    assert (refused.returncode, "no dead letter has the key" in refused.stderr) == (2, True)
    cluster.end("evaluator-1", signal.SIGTERM)
    until_listed(cluster, lambda workers: len(workers) == 2)

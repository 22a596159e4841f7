"""What Prometheus sees of a queue that evaluators share. Each of them shows the same figures: they are the queue's, not its own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from genlevel.runtime.errors import QueueError
from genlevel.runtime.queue.port import Queue

LOOK_S = 15.0
"""Seconds between two looks at the queue."""
_KINDS = ("ask", "score")
_OTHER = "other"

logger = logging.getLogger(__name__)


class QueueSeries(Collector):
    """The series of a queue, as it was when it was looked at last; while it is away, that alone.

    Args:
        queue: what is looked at while ``run`` runs.
        registry: what shows the series.
    """

    def __init__(self, queue: Queue, registry: CollectorRegistry) -> None:
        self._queue = queue
        self._messages: dict[tuple[str, str], int] | None = None
        self._dead = 0
        registry.register(self)

    async def run(self) -> None:
        """Looks every LOOK_S, until it is cancelled."""
        while True:
            try:
                await self.look()
            except Exception:  # else the last figures would be shown for ever
                self._messages = None
                logger.exception("the queue cannot be looked at for an unforeseen reason")
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """Looks once."""
        try:
            topics = await self._queue.topics()
            self._dead = await self._queue.count_dead()
        except QueueError:
            self._messages = None
            return
        messages = {(kind, state): 0 for kind in _KINDS for state in ("waiting", "in_hand")}
        for topic, depth in topics.items():
            kind = topic.partition(".")[0]
            for state, count in (("waiting", depth.waiting), ("in_hand", depth.in_hand)):
                key = (kind if kind in _KINDS else _OTHER, state)
                messages[key] = messages.get(key, 0) + count
        self._messages = messages

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """See ``Collector``."""
        there = self._messages is not None and not self._queue.waits_for
        yield GaugeMetricFamily("genlevel_queue_up", "Whether the queue of work can be used.", value=float(there))
        if not there or self._messages is None:
            return
        messages = GaugeMetricFamily("genlevel_queue_messages", "Messages of the queue that are not done.", labels=("kind", "state"))
        for labels, count in self._messages.items():
            messages.add_metric(labels, count)
        yield messages
        yield GaugeMetricFamily("genlevel_queue_dead_letters", "Messages that were given up.", value=self._dead)

"""Delivers alarms to destinations: again and again until a receiver has them, and once as far as a receiver can tell.

What was sent is stored only after it was sent, so that a crash repeats it and loses nothing. A repetition has the same webhook-id or
dedup_key.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

import aiohttp
from yarl import URL

from evaluator.alarms.alarm import Alarm, AlarmKind
from evaluator.alarms.outbox import Delivery, Outbox
from evaluator.alarms.payloads import request
from evaluator.alarms.retries import Delivered, Fate, GivenUp, PutOff, after_answer, after_silence
from evaluator.alarms.targets import Target, target_of
from evaluator.alarms.words import plain
from genlevel.runtime import logs
from genlevel.runtime.certificates import believed
from genlevel.runtime.connection_errors import reason
from genlevel.runtime.errors import ConfigurationError, GenlevelError
from genlevel.runtime.proxies import proxy_to
from genlevel.runtime.shown import cut, without_secrets
from genlevel.runtime.watching_settings import Destination

TIMEOUT_S = 10.0
"""For one try, from the connection to the end of what is read of the answer."""
ROUND_S = 30.0
"""After this time a destination's further deliveries are left to the next round."""
_MOST_SAID_BYTES = 2048
_LONGEST_SAID = 200

logger = logging.getLogger(__name__)


def open_session() -> aiohttp.ClientSession:
    """Connections that are made when they are needed and not kept, without cookies. Raises ConfigurationError for certificates."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(force_close=True, ssl=believed()),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None),
        auto_decompress=False,
        headers={"accept-encoding": "identity"},
    )


class Courier:
    """Takes what is due from an outbox and posts it.

    Args:
        destinations: of the settings, by name.
        session: makes the connections.
        clock: UNIX seconds.
        counted: told of each try: the destination, and "delivered", "retried" or "given_up".
        every_s: seconds between two looks into the outbox.
    """

    def __init__(
        self,
        destinations: Mapping[str, Destination],
        outbox: Outbox,
        *,
        session: Callable[[], aiohttp.ClientSession] = open_session,
        clock: Callable[[], float] = time.time,
        counted: Callable[[str, str], None] = lambda destination, outcome: None,
        every_s: float = 1.0,
    ) -> None:
        self._destinations = destinations
        self._outbox = outbox
        self._make_session = session
        self._session: aiohttp.ClientSession | None = None
        self._clock = clock
        self._counted = counted
        self._every_s = every_s
        self._news = logs.News()
        self._unsaved: dict[str, Fate] = {}

    async def run(self) -> None:
        """Delivers until it is cancelled, whatever the outbox or a receiver does."""
        while True:
            try:
                await self.deliver()
            except GenlevelError as error:
                if self._news.is_new(str(error)):
                    logger.warning("alarms are not delivered: %s", error)
            except Exception:
                logger.exception("alarms are not delivered")
            await asyncio.sleep(self._every_s)

    async def deliver(self) -> None:
        """One round: tries what is due, destinations side by side. Raises GenlevelError if the outbox cannot be used."""
        by_destination: dict[str, list[Delivery]] = defaultdict(list)
        due = await self._outbox.due(self._clock())
        for delivery in due:
            by_destination[delivery.destination].append(delivery)
        self._unsaved = {delivery.id: self._unsaved[delivery.id] for delivery in due if delivery.id in self._unsaved}
        rounds = [self._deliver_to(name, deliveries) for name, deliveries in by_destination.items()]
        for ended in await asyncio.gather(*rounds, return_exceptions=True):
            if isinstance(ended, BaseException):
                raise ended

    async def test(self, destination: str, monitor: str, model: str, suite: str) -> str:
        """Sends a test alarm at once, and once. Returns "" if the receiver took it, else why not. monitor, model, suite: what it names."""
        alarm = Alarm(
            id=f"test-{uuid.uuid4().hex}",
            monitor=monitor,
            model=model,
            suite=suite,
            kind=AlarmKind.TEST,
            at_s=self._clock(),
            what="a person tries whether alarms arrive here; nothing is wrong",
        )
        fate = await self._try(destination, alarm, tries=0)
        return "" if isinstance(fate, Delivered) else fate.why

    async def close(self) -> None:
        """Closes the connections."""
        if self._session is not None:
            await self._session.close()

    async def _deliver_to(self, name: str, deliveries: Sequence[Delivery]) -> None:
        """Tries one destination's deliveries in turn. If it is away, the others are put off without a try of their own."""
        waits: PutOff | None = None
        ends = time.monotonic() + ROUND_S
        for delivery in deliveries:
            if waits is None and time.monotonic() > ends:
                return
            fate = self._unsaved.get(delivery.id) or waits or await self._try(name, delivery.alarm, tries=delivery.tries)
            self._unsaved[delivery.id] = fate  # an outbox that cannot be written now is no reason to send it again
            await self._store(name, delivery, fate)
            del self._unsaved[delivery.id]
            if isinstance(fate, PutOff) and fate.for_all:
                waits = fate

    async def _store(self, name: str, delivery: Delivery, fate: Fate) -> None:
        match fate:
            case Delivered():
                await self._outbox.delivered(delivery.id)
                self._counted(name, "delivered")
            case PutOff(wait_s, why):
                await self._outbox.put_off(delivery.id, self._clock() + wait_s, why)
                self._counted(name, "retried")
                if self._news.is_new(f"{name}: {why}"):
                    logger.warning("the destination %s does not take alarms, and is tried again: %s", name, why)
            case GivenUp(why):
                await self._outbox.given_up(delivery.id, why)
                self._counted(name, "given_up")
                logger.error("the alarm %s did not reach the destination %s: %s", delivery.alarm.id, name, why)

    async def _try(self, name: str, alarm: Alarm, *, tries: int) -> Fate:
        """One try. What the settings or the environment lack may come, so it is waited for like a receiver that is away."""
        jitter = random.random()
        destination = self._destinations.get(name)
        if destination is None:
            return GivenUp(f"no destination is called {name} in the settings any more")
        try:
            target = target_of(name, destination)
            return await self._post(target, alarm, tries=tries, jitter=jitter)
        except ConfigurationError as problem:
            return after_silence(str(problem), tries=tries, jitter=jitter)
        except TimeoutError:
            return after_silence(f"{target.host} did not answer within {TIMEOUT_S:g} s", tries=tries, jitter=jitter)
        except (aiohttp.ClientError, OSError) as error:
            said = _shown(reason(error)) or type(error).__name__
            return after_silence(f"{target.host} cannot be reached ({said})", tries=tries, jitter=jitter)
        except (ValueError, OverflowError) as error:
            return GivenUp(f"the alarm cannot be written for it ({_shown(str(error))})")

    async def _post(self, target: Target, alarm: Alarm, *, tries: int, jitter: float) -> Fate:
        """Raises ConfigurationError, TimeoutError, ClientError, OSError; ValueError for an alarm that cannot be written."""
        sent = request(alarm, target, now_s=self._clock())
        if self._session is None:
            self._session = self._make_session()
        url = URL(sent.url, encoded=True)  # signatures in addresses stay as they were given
        async with (
            asyncio.timeout(TIMEOUT_S),
            self._session.post(url, data=sent.body, headers=sent.headers, allow_redirects=False, proxy=proxy_to(sent.url)) as response,
        ):
            said = "" if response.ok else _shown((await response.content.read(_MOST_SAID_BYTES)).decode("utf-8", "replace"))
            headers = {name.lower(): value for name, value in response.headers.items()}
            response.close()  # what else comes is not waited for
        return after_answer(response.status, headers, said, tries=tries, jitter=jitter, now_s=self._clock())


def _shown(text: str) -> str:
    """What somebody else said, as a line without secrets."""
    return cut(logs.redact(without_secrets(plain(text))), _LONGEST_SAID)

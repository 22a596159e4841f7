"""A queue that many processes share: NATS JetStream behind the port. What a server keeps of it is in ``streams``."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager

from nats import errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import RawStreamMsg, StreamConfig
from nats.js.errors import APIError, NoStreamResponseError, NotFoundError, ServiceUnavailableError

from genlevel.runtime.errors import QueueError
from genlevel.runtime.logs import News, redact
from genlevel.runtime.queue.address import Address
from genlevel.runtime.queue.deliveries import NatsDelivery
from genlevel.runtime.queue.link import ANSWER_S, LIBRARY_ERRORS, Link
from genlevel.runtime.queue.port import ACK_WAIT_S, MOST_BYTES, DeadLetter, Delivery, Depth, checked_key, checked_topic
from genlevel.runtime.queue.pulling import Gone, Pulls
from genlevel.runtime.queue.streams import (
    KEY,
    MESSAGE_ID,
    Names,
    consumer_of,
    differences,
    letter_headers,
    letter_of,
    reader_of_dead_letters,
    stream_of_dead_letters,
    stream_of_work,
)

_PAUSE_S = 0.3
_AT_ONCE = 256  # dead letters, and consumers that the server lists
_SHORTEST_WAIT_S = 0.001
# https://github.com/nats-io/nats-server/blob/main/server/errors.json
_OTHER_CONFIGURATION, _OVERLAPS = 10058, 10065
_DISABLED = (10039, 10076)
_NOBODY = (NoStreamResponseError, ServiceUnavailableError, errors.NoRespondersError)
_FULL = (10023, 10028, 10047, 10077, 10122)

logger = logging.getLogger(__name__)


class NatsQueue:
    """Implements ``Queue``. Of one event loop; ``open`` it first.

    Args:
        address: of the servers.
        name: what they call this process.
        ack_wait_s: how long a message is somebody's; the same for all who share the queue.
    """

    def __init__(self, address: Address, *, name: str, ack_wait_s: float = ACK_WAIT_S) -> None:
        self._address = address
        self._names = Names(address.prefix)
        self._ack_wait_s = ack_wait_s
        self._link = Link(address, name, self._up, self._down)
        self._pulls = Pulls()
        self._consumers: set[str] = set()  # topics whose consumer is there, as far as is known
        self._heard: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._trouble = ""
        self._news = News()
        self._closed = False

    def open(self) -> None:
        """Begins to connect, and does not wait."""
        self._link.open()

    @property
    def waits_for(self) -> str:
        """See ``Queue``."""
        return self._link.waits_for or self._trouble

    async def close(self) -> None:
        """See ``Queue``."""
        self._closed = True
        await self._link.close()
        self._pulls.end()

    # -- the connection --------------------------------------------------------------------------------------------------

    async def _up(self, client: Client) -> None:
        await client.subscribe(self._names.all_hints, cb=self._hear)
        self._consumers.clear()
        for topic in list(self._heard):
            self._wake(topic)
        try:
            with self._told():
                await self._make_streams(client.jetstream(timeout=ANSWER_S))
        except QueueError as error:  # whoever uses it makes them, or is told
            self._note(error)

    def _down(self) -> None:
        self._pulls.end()

    async def _jetstream(self) -> JetStreamContext:
        return (await self._link.client()).jetstream(timeout=ANSWER_S)

    async def _make_streams(self, server: JetStreamContext) -> None:
        for wanted in self._wanted_streams():
            try:
                await server.add_stream(wanted)
            except APIError as error:
                if error.err_code != _OTHER_CONFIGURATION:
                    raise
                found = await server.stream_info(wanted.name or "")
                if differs := differences(wanted, found):
                    said = f"its stream {wanted.name} was changed by somebody: {', '.join(differs)}"
                    raise QueueError(f"the queue at {self._address.shown}: {said}; delete the stream, and it is made again") from None
                if found.config.max_age != wanted.max_age:
                    await server.update_stream(found.config.evolve(max_age=wanted.max_age))

    def _wanted_streams(self) -> tuple[StreamConfig, StreamConfig]:
        return stream_of_work(self._names, self._address.replicas), stream_of_dead_letters(self._names, self._address.replicas)

    @contextmanager
    def _told(self, *, sure: bool = True) -> Iterator[None]:
        """Makes of the library's errors a QueueError for people. sure: without an error the server has done something."""
        try:
            yield
        except LIBRARY_ERRORS as error:
            why, passes = _advice(error)
            if isinstance(error, TimeoutError) and self._link.refused:
                why = self._refusal
            elif isinstance(error, (TimeoutError, *_NOBODY)):
                self._link.failed()
            raise QueueError(redact(f"the queue at {self._address.shown} {why}"), passes=passes) from None
        else:
            self._trouble = ""
            if sure:
                self._link.worked()

    @property
    def _refusal(self) -> str:
        return f"refuses it to the user of the address: {self._link.refused}"

    def _note(self, error: QueueError) -> None:
        self._trouble = str(error)
        if not self._link.waits_for and self._news.is_new(self._trouble):
            logger.warning("%s", self._trouble)

    # -- messages --------------------------------------------------------------------------------------------------------

    async def publish(self, topic: str, body: bytes, *, key: str) -> bool:
        """See ``Queue``."""
        if len(body) > MOST_BYTES:
            raise QueueError(f"a message of {len(body):,} bytes is too large for the queue, which takes {MOST_BYTES:,}")
        return await self._store(self._names.subject(checked_topic(topic)), body, {MESSAGE_ID: checked_key(key), KEY: key})

    async def _store(self, subject: str, body: bytes, headers: dict[str, str]) -> bool:
        """Whether it was stored; else it was before."""
        with self._told():
            server = await self._jetstream()
            try:
                stored = await server.publish(subject, body, headers=dict(headers))
            except NoStreamResponseError:
                await self._make_streams(server)
                stored = await server.publish(subject, body, headers=dict(headers))
            return not stored.duplicate

    async def pull(self, topic: str, *, most: int, wait_s: float) -> list[Delivery]:
        """See ``Queue``."""
        until = time.monotonic() + wait_s
        checked_topic(topic)
        while True:
            try:
                with self._told(sure=False):
                    client = await self._link.client(max(0.0, until - time.monotonic()))
                    found = await self._pull(client, topic, most, until)
                if found or time.monotonic() >= until:
                    return [NatsDelivery(self, message, topic, self._ack_wait_s) for message in found]
            except Gone as error:
                logger.debug("the consumer of %s: %s", topic, error)
                self._consumers.discard(topic)
            except QueueError as error:
                self._note(error)
            if (left_s := until - time.monotonic()) <= 0 or self._closed:
                return []
            await asyncio.sleep(min(left_s, _PAUSE_S))

    async def _pull(self, client: Client, topic: str, most: int, until: float) -> list[Msg]:
        stream, consumer = self._names.work, self._names.consumer(topic)
        if topic not in self._consumers:
            await self._make_consumer(client.jetstream(timeout=ANSWER_S), topic)
        found: list[Msg] = []
        if most > 1 or until - time.monotonic() < _SHORTEST_WAIT_S:
            found = await self._pulls.pull(client, stream, consumer, most=most, wait_s=0)
        if not found and (wait_s := until - time.monotonic()) >= _SHORTEST_WAIT_S:
            found = await self._pulls.pull(client, stream, consumer, most=1, wait_s=wait_s)
        return found

    async def _make_consumer(self, server: JetStreamContext, topic: str) -> None:
        wanted = consumer_of(self._names, topic, self._ack_wait_s)
        try:
            await server.add_consumer(self._names.work, wanted)
        except NotFoundError:
            await self._make_streams(server)
            await server.add_consumer(self._names.work, wanted)
        self._consumers.add(topic)

    async def depth(self, topic: str) -> Depth:
        """See ``Queue``."""
        with self._told():
            server = await self._jetstream()
            try:
                found = await server.consumer_info(self._names.work, self._names.consumer(checked_topic(topic)))
                return Depth(found.num_pending or 0, found.num_ack_pending or 0)
            except NotFoundError:
                return Depth(waiting=(await self._counts(server, self._names.subject(topic))).get(topic, 0))

    async def topics(self) -> dict[str, Depth]:
        """See ``Queue``."""
        with self._told():
            server = await self._jetstream()
            counts = await self._counts(server, self._names.all_work)
            in_hand: dict[str, int] = {}
            offset = 0
            while counts:
                listed = await server.consumers_info(self._names.work, offset)
                in_hand |= {self._names.topic_of(found.name): found.num_ack_pending or 0 for found in listed}
                offset += len(listed)
                if len(listed) < _AT_ONCE:
                    break
            return {topic: Depth(count - (had := min(count, in_hand.get(topic, 0))), had) for topic, count in sorted(counts.items())}

    async def _counts(self, server: JetStreamContext, subject: str) -> dict[str, int]:
        """How many messages each topic has, of those whose subject is so."""
        try:
            state = (await server.stream_info(self._names.work, subjects_filter=subject)).state
        except NotFoundError:
            return {}
        return {self._names.topic(found): count for found, count in (state.subjects or {}).items()}

    async def drop(self, topic: str) -> None:
        """See ``Queue``."""
        with self._told():
            server = await self._jetstream()
            self._consumers.discard(checked_topic(topic))
            with contextlib.suppress(NotFoundError):
                await server.delete_consumer(self._names.work, self._names.consumer(topic))
            with contextlib.suppress(NotFoundError):
                await server.purge_stream(self._names.work, subject=self._names.subject(topic))

    # -- what deliveries say ---------------------------------------------------------------------------------------------

    async def confirm(self, subject: str, answer: bytes) -> None:
        """See ``Answers``. If the consumer is gone, nobody waits for the answer."""
        with self._told():
            client = await self._link.client()
            with contextlib.suppress(errors.NoRespondersError):
                await client.request(subject, answer, timeout=ANSWER_S)

    async def send(self, subject: str, answer: bytes) -> bool:
        """See ``Answers``."""
        try:
            await (await self._link.client(0.0)).publish(subject, answer)
        except (*LIBRARY_ERRORS, QueueError):
            return False
        return True

    async def bury(self, letter: DeadLetter) -> None:
        """See ``Queue`` and ``Answers``."""
        checked_topic(letter.topic)
        checked_key(letter.key)
        await self._store(self._names.letter(letter.key), letter.body, letter_headers(letter))

    # -- dead letters ----------------------------------------------------------------------------------------------------

    async def dead_letters(self, most: int = 100) -> list[DeadLetter]:
        """See ``Queue``."""
        newest: deque[DeadLetter] = deque(maxlen=most)
        with self._told():
            client = await self._link.client()
            server = client.jetstream(timeout=ANSWER_S)
            try:
                reader = (await server.add_consumer(self._names.dead, reader_of_dead_letters())).name
            except NotFoundError:
                return []
            with contextlib.suppress(Gone):
                while found := await self._pulls.pull(client, self._names.dead, reader, most=_AT_ONCE, wait_s=0):
                    newest.extend(letter for message in found if (letter := letter_of(message.headers, message.data)))
            with contextlib.suppress(NotFoundError):
                await server.delete_consumer(self._names.dead, reader)
        return list(reversed(newest))

    async def dead_letter(self, key: str) -> DeadLetter | None:
        """See ``Queue``."""
        with self._told():
            try:
                found = await (await self._jetstream()).get_last_msg(self._names.dead, self._names.letter(checked_key(key)))
            except NotFoundError:
                return None
            return letter_of(found.headers, found.data or b"")

    async def count_dead(self) -> int:
        """See ``Queue``."""
        with self._told():
            try:
                return (await (await self._jetstream()).stream_info(self._names.dead)).state.messages
            except NotFoundError:
                return 0

    async def forget_dead(self, key: str) -> bool:
        """See ``Queue``."""
        return await self._end_dead(checked_key(key), again=False)

    async def retry_dead(self, key: str) -> bool:
        """See ``Queue``."""
        return await self._end_dead(checked_key(key), again=True)

    async def _end_dead(self, key: str, *, again: bool) -> bool:
        with self._told():
            server = await self._jetstream()
            try:
                found: RawStreamMsg = await server.get_last_msg(self._names.dead, self._names.letter(key))
            except NotFoundError:
                return False
            if again:
                if (letter := letter_of(found.headers, found.data or b"")) is None:
                    return False
                # Its number makes it a message of its own, and the same one if this is done twice.
                headers = {MESSAGE_ID: f"{key} again {found.seq}", KEY: key}
                await self._store(self._names.subject(letter.topic), letter.body, headers)
            with contextlib.suppress(NotFoundError):
                await server.delete_msg(self._names.dead, found.seq or 0)
            return True

    # -- hints -----------------------------------------------------------------------------------------------------------

    async def tell(self, topic: str) -> None:
        """See ``Queue``."""
        await self.send(self._names.hint(checked_topic(topic)), b"")

    @contextmanager
    def heard(self, topic: str) -> Iterator[asyncio.Event]:
        """See ``Queue``."""
        event = asyncio.Event()
        self._heard[checked_topic(topic)].add(event)
        try:
            yield event
        finally:
            self._heard[topic].discard(event)
            if not self._heard[topic]:
                del self._heard[topic]

    async def _hear(self, message: Msg) -> None:
        self._wake(self._names.topic(message.subject))

    def _wake(self, topic: str) -> None:
        for event in self._heard.get(topic, ()):
            event.set()

    async def problem(self) -> str:
        """See ``Queue``."""
        try:
            with self._told():
                server = (await self._link.tried()).jetstream(timeout=ANSWER_S)
                await self._make_streams(server)
                await self.tell("look")  # what is refused is told before what is asked after it is answered
                for wanted in self._wanted_streams():
                    found = await server.stream_info(wanted.name or "")
                    if (kept_by := found.config.num_replicas or 1) != (replicas := self._address.replicas):
                        said = f"its stream {wanted.name} is kept by {kept_by} of its servers, and the address says replicas={replicas}"
                        return f"the queue at {self._address.shown}: {said}; change one of them (nats stream edit --replicas)"
                if self._link.refused:
                    return redact(f"the queue at {self._address.shown} {self._refusal}")
        except QueueError as error:
            return str(error)
        return ""


def _advice(error: Exception) -> tuple[str, bool]:
    """What a server said, what to do about it, and whether it may pass."""
    if isinstance(error, APIError) and error.err_code in _FULL:
        return f"has no room for more ({error.description}); give JetStream more, or end runs", True
    if isinstance(error, APIError) and error.err_code in _DISABLED:
        return "has no JetStream; switch it on (nats-server --jetstream)", True
    if isinstance(error, APIError) and error.err_code == _OVERLAPS:
        return f"has a stream of somebody else's for the same subjects ({error.description}); give queue a prefix: nats://HOST/PREFIX", True
    if isinstance(error, _NOBODY):
        return "has no JetStream that answers: it is switched off, or its servers have no leader now", True
    if isinstance(error, APIError):
        return f"refused it: {error.description or error}", True
    if isinstance(error, errors.MaxPayloadError):
        return "takes no message as large as this; raise its max_payload to 1 MB", False
    if isinstance(error, TimeoutError):
        return f"did not answer within {ANSWER_S:g} s", True
    return f"cannot be used: {str(error).removeprefix('nats: ')}", True

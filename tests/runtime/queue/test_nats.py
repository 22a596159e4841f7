"""A queue over NATS lives through what happens to servers, and says in a line what it cannot live through."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trustme

from genlevel.runtime.errors import QueueError
from genlevel.runtime.queue import Depth
from genlevel.runtime.queue.address import Address
from genlevel.runtime.queue.port import MOST_AGE_S
from tests.nats_server import NatsServer
from tests.ports import free_ports
from tests.waiting import LONG_S, until

if TYPE_CHECKING:
    from nats.aio.client import Client

    from genlevel.runtime.queue.nats import NatsQueue

pytestmark = pytest.mark.full

ACK_WAIT_S = 0.6
MANY = 150


@pytest.fixture
def server(tmp_path: Path) -> NatsServer:
    """A server that a test starts, ended with it."""
    return NatsServer(tmp_path / "nats")


@pytest.fixture(autouse=True)
def ended(request: pytest.FixtureRequest) -> object:
    """Ends every server of a test."""
    made: list[NatsServer] = []
    start = NatsServer.start

    def started(self: NatsServer) -> NatsServer:
        made.append(self)
        return start(self)

    patch = pytest.MonkeyPatch()
    patch.setattr(NatsServer, "start", started)
    yield
    patch.undo()
    for each in made:
        each.kill()


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[NatsQueue]:
    """A queue at an address."""
    from genlevel.runtime.queue.nats import NatsQueue

    queue = NatsQueue(Address.of(url), name="test", ack_wait_s=ACK_WAIT_S)
    queue.open()
    try:
        yield queue
    finally:
        await queue.close()


async def person_at(server: NatsServer) -> Client:
    """Somebody who changes things on a server."""
    import nats

    return await nats.connect(server.url)


async def works(queue: NatsQueue, key: str) -> bool:
    """Whether a message goes through it, tried for a while."""
    deadline = time.monotonic() + LONG_S
    while time.monotonic() < deadline:
        try:
            await queue.publish("ask.works", b"", key=key)
            (delivery,) = await queue.pull("ask.works", most=1, wait_s=LONG_S)
            await delivery.done()
        except QueueError:
            await asyncio.sleep(0.05)
        else:
            return True
    return False


async def test_a_server_that_is_killed_and_started_again_has_all_that_was_published(
    server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("genlevel.runtime.queue.nats.ANSWER_S", 2.0)
    async with opened(server.start().url) as queue:
        for number in range(20):
            assert await queue.publish("ask.run", str(number).encode(), key=str(number))
        first, second = await queue.pull("ask.run", most=2, wait_s=LONG_S)
        waiting = asyncio.create_task(queue.pull("ask.other", most=1, wait_s=LONG_S))
        with queue.heard("ask.run") as event:
            server.kill()
            await until(lambda: queue.waits_for)
            assert "is away since" in queue.waits_for
            event.clear()
            server.start()
            async with asyncio.timeout(LONG_S):
                await event.wait()  # something may have been told meanwhile
        with contextlib.suppress(QueueError):  # it may not know any more that it has delivered it, and says nothing then
            await first.done()
        await queue.publish("ask.other", b"late", key="late")
        assert [delivery.body for delivery in await waiting] == [b"late"]
        found, others = {second.body: 1}, {str(number).encode() for number in range(20)} - {first.body}
        while not others <= found.keys():
            for delivery in await queue.pull("ask.run", most=30, wait_s=LONG_S):
                found[delivery.body] = delivery.tries
                await delivery.done()
        await until_empty(queue, "ask.run")


async def until_empty(queue: NatsQueue, topic: str) -> None:
    """Takes what is still there."""
    while await queue.depth(topic) != Depth():
        for delivery in await queue.pull(topic, most=30, wait_s=ACK_WAIT_S):
            await delivery.done()


async def test_a_server_that_lost_its_data_gets_streams_and_consumers_again(server: NatsServer) -> None:
    async with opened(server.start().url) as queue:
        await queue.publish("ask.run", b"lost", key="1")
        (delivery,) = await queue.pull("ask.run", most=1, wait_s=LONG_S)
        pulling = asyncio.create_task(queue.pull("ask.run", most=1, wait_s=LONG_S))
        server.kill()
        server.lose_data()
        await until(lambda: queue.waits_for)
        server.start()
        await until(lambda: not queue.waits_for)
        await delivery.done()
        assert await queue.publish("ask.run", b"again", key="1")
        assert [found.body for found in await pulling] == [b"again"]
        assert await queue.problem() == ""


@pytest.mark.parametrize("what", ["consumer", "stream"])
async def test_what_a_person_deletes_is_made_again(server: NatsServer, what: str) -> None:
    async with opened(server.start().url) as queue:
        await queue.publish("ask.run", b"1", key="1")
        (delivery,) = await queue.pull("ask.run", most=1, wait_s=LONG_S)
        await delivery.done()
        pulling = asyncio.create_task(queue.pull("ask.run", most=1, wait_s=LONG_S))
        await asyncio.sleep(0.1)
        person = await person_at(server)
        if what == "consumer":
            await person.jetstream().delete_consumer("GENLEVEL_WORK", "ask~run")
        else:
            await person.jetstream().delete_stream("GENLEVEL_WORK")
        await person.close()
        await queue.publish("ask.run", b"2", key="2")
        (delivery,) = await pulling
        assert delivery.body == b"2"
        await delivery.done()
        assert await queue.topics() == {}


async def test_a_queue_that_is_away_at_the_start_is_used_once_it_is_there(server: NatsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genlevel.runtime.queue.link.Link.client.__defaults__", (0.3,))
    async with opened(server.url) as queue:
        await until(lambda: "connection refused" in queue.waits_for)
        assert queue.waits_for.startswith(f"the queue at {server.url} is away since ")
        with pytest.raises(QueueError, match="nothing listens there") as raised:
            await queue.publish("ask.run", b"", key="1")
        assert raised.value.passes
        assert "nothing listens there" in await queue.problem()
        assert await queue.pull("ask.run", most=1, wait_s=0.1) == []
        await queue.tell("ask.run")
        server.start()
        assert await works(queue, "1")
        assert queue.waits_for == ""


async def test_a_server_that_hangs_is_an_error_and_then_left(server: NatsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    room = "genlevel.runtime.queue"
    for name, value in (("nats.ANSWER_S", 0.5), ("link._LOOK_S", 0.5), ("link.ANSWER_S", 1), ("link.CONNECT_S", 1.0)):
        monkeypatch.setattr(f"{room}.{name}", value)
    monkeypatch.setattr(f"{room}.link.Link.client.__defaults__", (1.0,))
    async with opened(server.start().url) as queue:
        assert await works(queue, "before")
        with server.paused():
            with pytest.raises(QueueError, match="did not answer within") as raised:
                await queue.publish("ask.run", b"", key="1")
            assert raised.value.passes
            assert await queue.pull("ask.run", most=1, wait_s=0.1) == []
            await until(lambda: "does not answer" in queue.waits_for)
        assert await works(queue, "after")


async def test_a_host_that_nobody_knows_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    async def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(asyncio, "open_connection", unknown)
    async with opened("nats://nobody.example") as queue:
        assert (await queue.problem()).endswith("nobody knows that name of a host; correct the address")


async def test_of_several_servers_one_that_is_there_is_enough(server: NatsServer, tmp_path: Path) -> None:
    away = NatsServer(tmp_path / "away")
    async with opened(f"nats://{away.address},{server.start().address}") as queue:
        assert await works(queue, "1")


async def test_two_installations_share_a_server_by_their_prefixes(server: NatsServer) -> None:
    url = server.start().url
    async with opened(url) as one, opened(f"{url}/other") as other:
        await one.publish("ask.run", b"one", key="1")
        assert await other.publish("ask.run", b"other", key="1")
        (delivery,) = await other.pull("ask.run", most=5, wait_s=LONG_S)
        await delivery.dead("no")
        assert (await one.count_dead(), await other.count_dead()) == (0, 1)
        assert await one.topics() == {"ask.run": Depth(1, 0)}


LOGINS: list[tuple[str, str, str]] = [
    ('authorization { user: "me", password: "se@cret" }', "me:se%40cret@", "me:wrong-one@"),
    ('authorization { token: "token-abc" }', "token-abc@", "wrong-one@"),
]


@pytest.mark.parametrize(("configured", "right", "wrong"), LOGINS)
async def test_a_server_asks_who_comes(server: NatsServer, tmp_path: Path, configured: str, right: str, wrong: str) -> None:
    server.more = configured
    server.start()
    async with opened(f"nats://{right}{server.address}") as queue:
        assert await works(queue, "1")
    file = tmp_path / "credentials"
    file.write_text(right.removesuffix("@").replace("%40", "@"))
    async with opened(f"{server.url}?credentials={file}") as queue:
        assert await works(queue, "2")
    for url in (f"nats://{wrong}{server.address}", server.url):
        async with opened(url) as queue:
            await until(lambda queue=queue: "does not let these credentials in" in queue.waits_for)
            assert "wrong-one" not in queue.waits_for


async def test_a_user_needs_no_more_than_the_docs_say(server: NatsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    subjects = '"genlevel.>", "$JS.API.>", "$JS.ACK.>", "_INBOX.>"'
    may = f"publish: [{subjects}], subscribe: [{subjects}]"
    server.more = f'authorization {{ users: [{{ user: "me", password: "secret", permissions: {{ {may} }} }}] }}'
    server.start()
    async with opened(f"nats://me:secret@{server.address}") as queue:
        assert await works(queue, "1")
        await queue.publish("ask.run", b"", key="2")
        (delivery,) = await queue.pull("ask.run", most=1, wait_s=LONG_S)
        await delivery.working()
        await delivery.later(0.0)
        (delivery,) = await queue.pull("ask.run", most=1, wait_s=LONG_S)
        await delivery.dead("no")
        assert await queue.retry_dead("2")
        assert await queue.topics() == {"ask.run": Depth(1, 0)}
        with queue.heard("ask.run") as event:
            await queue.tell("ask.run")
            async with asyncio.timeout(LONG_S):
                await event.wait()
        await queue.drop("ask.run")
        assert await queue.problem() == ""
    enough = server.more
    for lacking, what in (('publish: ["genlevel.>", ', "publish: ["), ('subscribe: ["genlevel.>", ', "subscribe: [")):
        server.stop()
        server.more = enough.replace(lacking, what)
        server.start()
        async with opened(f"nats://me:secret@{server.address}") as queue:
            assert "refuses it to the user of the address: permissions violation" in (await queue.problem()).lower()
    server.stop()
    server.more = enough.replace('"$JS.API.>", ', "")
    server.start()
    monkeypatch.setattr("genlevel.runtime.queue.nats.ANSWER_S", 0.3)
    async with opened(f"nats://me:secret@{server.address}") as queue:
        await until(lambda: "refuses it to the user of the address: permissions violation for publish to" in queue.waits_for.lower())


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Who signs the certificates of servers."""
    return trustme.CA()


@pytest.fixture
def tls(authority: trustme.CA, tmp_path: Path) -> Callable[[str], str]:
    """The lines of a server's configuration for TLS, with further lines in that part; its ca is in ca.pem, a client's in client.pem."""
    issued = authority.issue_cert("127.0.0.1")
    issued.private_key_and_cert_chain_pem.write_to_path(tmp_path / "server.pem")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    authority.issue_cert("client").private_key_and_cert_chain_pem.write_to_path(tmp_path / "client.pem")
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
    return lambda more: f'tls {{ cert_file: "{tmp_path}/server.pem", key_file: "{tmp_path}/server.pem", {more} }}'


async def test_tls_trusts_whom_the_address_says(server: NatsServer, tls: Callable[[str], str], tmp_path: Path) -> None:
    server.more = tls("")
    server.start()
    async with opened(f"tls://{server.address}?ca={tmp_path}/ca.pem") as queue:
        assert await works(queue, "1")
    for url in (f"tls://{server.address}?ca={tmp_path}/other.pem", f"tls://{server.address}", server.url):
        async with opened(url) as queue:
            await until(lambda queue=queue: "its certificate is not one that ca trusts" in queue.waits_for)


async def test_a_server_may_ask_for_a_certificate(server: NatsServer, tls: Callable[[str], str], tmp_path: Path) -> None:
    server.more = tls(f'ca_file: "{tmp_path}/ca.pem", verify: true')
    server.start()
    async with opened(f"tls://{server.address}?ca={tmp_path}/ca.pem&certificate={tmp_path}/client.pem&key={tmp_path}/client.pem") as queue:
        assert await works(queue, "1")
    async with opened(f"tls://{server.address}?ca={tmp_path}/ca.pem") as queue:
        await until(lambda: "is away since" in queue.waits_for and "not reached yet" not in queue.waits_for)


async def test_what_asks_for_tls_says_nothing_to_a_server_without(server: NatsServer) -> None:
    server.more = 'authorization { token: "token-abc" }\ntrace: true\nlogtime: false'
    server.start()
    async with opened(f"tls://token-abc@{server.address}") as queue:
        await until(lambda: "does not speak TLS" in queue.waits_for)
    assert "CONNECT" not in server.log


async def test_a_full_queue_says_so_and_takes_more_once_there_is_room(tmp_path: Path) -> None:
    server = NatsServer(tmp_path / "small", jetstream="max_file_store: 18MB").start()
    async with opened(server.url) as queue:
        number = 0

        async def fill() -> None:
            nonlocal number
            for number in range(100):
                await queue.publish("ask.run", b"x" * 200_000, key=str(number))

        with pytest.raises(QueueError, match="has no room for more") as raised:
            await fill()
        assert number > 3
        assert raised.value.passes
        for _ in range(5):
            (delivery,) = await queue.pull("ask.run", most=1, wait_s=LONG_S)
            await delivery.done()
        assert await queue.publish("ask.run", b"x" * 200_000, key="more")


@pytest.mark.parametrize(
    ("more", "jetstream", "says"),
    [("", None, "JetStream"), ("max_payload: 100KB", "", "takes no message as large as this; raise its max_payload")],
)
async def test_a_server_that_cannot_do_it_says_what_to_change(tmp_path: Path, more: str, jetstream: str | None, says: str) -> None:
    server = NatsServer(tmp_path / "unfit", more, jetstream=jetstream).start()
    async with opened(server.url) as queue:
        with pytest.raises(QueueError, match=says):
            await queue.publish("ask.run", b"x" * 200_000, key="1")
        if jetstream is None:
            assert await queue.pull("ask.run", most=1, wait_s=0.1) == []
            assert says in queue.waits_for
            assert says in await queue.problem()


async def changed(server: NatsServer, **change: object) -> None:
    """Somebody changes the stream of work."""
    person = await person_at(server)
    config = (await person.jetstream().stream_info("GENLEVEL_WORK")).config
    await person.jetstream().update_stream(config.evolve(**change))
    await person.close()


async def test_a_stream_that_somebody_has_changed_is_found(server: NatsServer) -> None:
    async with opened(server.start().url) as queue:
        assert await queue.problem() == ""
        await changed(server, discard="old", max_msgs_per_subject=1)
        problem = await queue.problem()
        differs = "discard is old, not new, max_msgs_per_subject is 1, not -1"
        assert f"its stream GENLEVEL_WORK was changed by somebody: {differs}; delete the stream" in problem


async def test_how_long_messages_are_kept_is_set_right(server: NatsServer) -> None:
    async with opened(server.start().url) as queue:
        assert await queue.problem() == ""
        await changed(server, max_age=600.0)
        assert await queue.problem() == ""
        person = await person_at(server)
        assert (await person.jetstream().stream_info("GENLEVEL_WORK")).config.max_age == MOST_AGE_S
        await person.close()


async def test_one_server_keeps_no_replicas(server: NatsServer) -> None:
    async with opened(f"{server.start().url}?replicas=3") as queue:
        assert "replicas > 1 not supported in non-clustered mode" in await queue.problem()


async def test_a_consumer_that_many_pull_from_at_once_serves_all(server: NatsServer) -> None:
    async with opened(server.start().url) as queue:
        pulls: list[Awaitable[list[object]]] = [queue.pull("ask.run", most=1, wait_s=LONG_S) for _ in range(100)]
        gathering = asyncio.gather(*pulls)
        await asyncio.sleep(0.2)
        for number in range(100):
            await queue.publish("ask.run", b"", key=str(number))
        assert [len(found) for found in await gathering] == [1] * 100


async def test_nothing_that_was_published_is_lost_whatever_is_killed(server: NatsServer) -> None:
    chance = random.Random(1)
    published: set[bytes] = set()
    done: set[bytes] = set()

    async def publish(queue: NatsQueue) -> None:
        for number in range(MANY):
            body = str(number).encode()
            while body not in published:
                try:
                    await queue.publish("ask.run", body, key=str(number))
                    published.add(body)
                except QueueError:  # it may have been stored all the same: the key says that it is the same
                    await asyncio.sleep(0.05)
            await asyncio.sleep(0.005)

    async def work(queue: NatsQueue) -> None:
        while len(done) < MANY:
            for delivery in await queue.pull("ask.run", most=chance.randint(1, 8), wait_s=0.3):
                what = chance.random()
                try:
                    if what < 0.1:
                        continue  # as if it had died
                    if what < 0.2:
                        await delivery.later(0.1)
                    else:
                        done.add(delivery.body)
                        await delivery.done()
                except QueueError:
                    pass

    async def kill() -> None:
        for _ in range(2):
            await asyncio.sleep(0.4)
            server.kill()
            await asyncio.sleep(0.2)
            server.start()

    url = server.start().url
    async with opened(url) as one, opened(url) as two, opened(url) as three, asyncio.timeout(LONG_S):
        await asyncio.gather(publish(one), work(two), work(three), kill())
        assert done == published
        while await one.topics():
            for delivery in await two.pull("ask.run", most=100, wait_s=0.3):
                await delivery.done()


@pytest.mark.soak
async def test_three_servers_keep_what_two_of_them_have(tmp_path: Path) -> None:
    servers = [NatsServer(tmp_path / name) for name in "abc"]
    ports = free_ports(3)
    routes = ", ".join(f'"nats://127.0.0.1:{port}"' for port in ports)
    for server, port in zip(servers, ports, strict=True):
        server.more = f'server_name: "{server.folder.name}"\ncluster {{ name: three, listen: "127.0.0.1:{port}", routes: [{routes}] }}'
        server.start()
    async with opened(f"nats://{','.join(server.address for server in servers)}?replicas=3") as queue:
        assert await works(queue, "first")
        assert await queue.publish("ask.run", b"kept", key="kept")
        assert await queue.problem() == ""
        leader = (await (await queue._jetstream()).stream_info("GENLEVEL_WORK")).cluster
        assert leader is not None
        next(server for server in servers if server.folder.name == leader.leader).kill()
        assert await works(queue, "second")
        (delivery,) = await queue.pull("ask.run", most=1, wait_s=LONG_S)
        assert delivery.body == b"kept"
        await delivery.done()


async def test_who_waits_is_let_go_when_the_queue_is_closed(server: NatsServer) -> None:
    async with opened(server.start().url) as queue:
        pulling = asyncio.create_task(queue.pull("ask.run", most=1, wait_s=LONG_S))
        await asyncio.sleep(0.1)
    async with asyncio.timeout(5):
        assert await pulling == []

"""Alarms reach a real receiver over HTTP, whatever it does: late, never, twice, or with a reason why not."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import socket
import ssl
import time
import tracemalloc
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
import trustme
from aiohttp import web

from evaluator.alarms import courier as couriers
from evaluator.alarms.alarm import alarm_of
from evaluator.alarms.courier import Courier
from evaluator.alarms.outbox import Delivery
from evaluator.alarms.signatures import key_of, signature
from genlevel.runtime.destinations import DestinationKind
from genlevel.runtime.errors import StorageError
from genlevel.runtime.watching_settings import Destination
from tests.evaluator.alarms.examples import FULL
from tests.evaluator.alarms.receiver import MemoryOutbox, Receiver, Reply, hangs, never_ends, receiving, trickles

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class Rig:
    """A courier with a receiver, an outbox and a clock of its own."""

    def __init__(self, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HOOK_SECRET", SECRET)
        self.receiver = receiver
        self.outbox = MemoryOutbox()
        self.now_s = 1_800_000_000.0
        self.counted: Counter[tuple[str, str]] = Counter()
        self.destinations = {"hook": Destination(kind=DestinationKind.WEBHOOK, url=f"{receiver.url}/alarms", secret_env="HOOK_SECRET")}
        self.courier = Courier(
            self.destinations, self.outbox, clock=lambda: self.now_s, counted=lambda *tried: self.counted.update([tried]), every_s=0.01
        )

    @property
    def bodies(self) -> list[bytes]:
        return [received.body for received in self.receiver.received]


NAMED = ("nightly", "chat", "bench")


@pytest.fixture
async def rig(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    for variable in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    async with receiving() as receiver:
        made = Rig(receiver, monkeypatch)
        yield made
        await made.courier.close()


async def test_an_alarm_arrives_once_signed_and_whole(rig: Rig) -> None:
    delivery = rig.outbox.add("hook", FULL)
    await rig.courier.deliver()
    await rig.courier.deliver()
    assert rig.outbox.done == [delivery]
    (received,) = rig.receiver.received
    assert received.path == "/alarms"
    assert alarm_of(json.loads(received.body)["data"]) == FULL
    assert received.headers["content-type"] == "application/json"
    assert received.headers["webhook-id"] == FULL.id
    at_s = int(received.headers["webhook-timestamp"])
    assert at_s == 1_800_000_000
    assert received.headers["webhook-signature"] == signature(key_of(SECRET), FULL.id, at_s, received.body)
    assert rig.counted == {("hook", "delivered"): 1}


async def test_a_receiver_that_fails_is_tried_again_later_with_the_same_id(rig: Rig) -> None:
    delivery = rig.outbox.add("hook", FULL)
    rig.receiver.replies.extend([web.Response(status=500), web.Response(status=503, text="soon")])
    await rig.courier.deliver()
    await rig.courier.deliver()
    assert len(rig.bodies) == 1, "not before its time"
    rig.now_s += 11
    await rig.courier.deliver()
    rig.now_s += 33
    await rig.courier.deliver()
    assert rig.outbox.done == [delivery]
    assert rig.outbox.whys == ["it answered 500", "it answered 503 (soon)"]
    assert {received.headers["webhook-id"] for received in rig.receiver.received} == {FULL.id}
    assert rig.counted == {("hook", "retried"): 2, ("hook", "delivered"): 1}


async def test_a_receiver_that_asks_for_time_gets_it_and_other_alarms_wait_with_it(rig: Rig) -> None:
    first, second = rig.outbox.add("hook", FULL), rig.outbox.add("hook", replace(FULL, id="another"))
    rig.receiver.replies.append(web.Response(status=429, headers={"Retry-After": "600"}))
    await rig.courier.deliver()
    assert len(rig.bodies) == 1
    assert [round((due_s - rig.now_s) / 600, 1) for _, due_s in rig.outbox.waiting.values()] in ([1.0, 1.0], [1.1, 1.1], [1.0, 1.1])
    rig.now_s += 661
    await rig.courier.deliver()
    assert rig.outbox.done == [first, second]


async def test_what_a_receiver_refuses_for_good_is_given_up_with_its_reason(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    delivery = rig.outbox.add("hook", FULL)
    rig.receiver.replies.append(web.Response(status=400, text=f"bad\n{'x' * (8 << 20)}"))
    started = time.process_time()
    await rig.courier.deliver()
    assert time.process_time() - started < 1
    assert len(rig.outbox.lost[delivery]) < 300
    assert rig.outbox.lost[delivery].startswith("it answered 400 (bad xxx")
    assert f"the alarm {FULL.id} did not reach the destination hook" in caplog.text
    assert rig.counted == {("hook", "given_up"): 1}


async def test_a_compressed_answer_is_not_unpacked(rig: Rig) -> None:
    delivery = rig.outbox.add("hook", FULL)
    packed = gzip.compress(bytes(64 << 20))
    rig.receiver.replies.append(web.Response(status=400, body=packed, headers={"Content-Encoding": "gzip"}))
    tracemalloc.start()
    try:
        await rig.courier.deliver()
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()
    assert rig.outbox.lost[delivery].startswith("it answered 400 (")
    assert rig.receiver.received[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("status", [301, 307, 308])
async def test_a_redirect_is_not_followed(rig: Rig, status: int) -> None:
    async with receiving() as elsewhere:
        delivery = rig.outbox.add("hook", FULL)
        rig.receiver.replies.append(web.Response(status=status, headers={"Location": f"{elsewhere.url}/stolen"}))
        await rig.courier.deliver()
        assert elsewhere.received == []
    assert "correct its address" in rig.outbox.lost[delivery]


@pytest.mark.parametrize("reply", [hangs, never_ends, trickles])
async def test_a_receiver_that_does_not_end_costs_one_try_and_holds_up_nobody(
    rig: Rig, reply: Reply, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(couriers, "TIMEOUT_S", 0.3)
    async with receiving() as other:
        rig.destinations["other"] = Destination(kind=DestinationKind.WEBHOOK, url=other.url)
        for number in range(20):
            rig.outbox.add("hook", replace(FULL, id=f"a{number}"))
        delivery = rig.outbox.add("other", FULL)
        rig.receiver.replies.extend([reply] * 20)
        started = time.monotonic()
        await rig.courier.deliver()
        assert time.monotonic() - started < 5
        assert rig.outbox.done == [delivery]
    assert len(rig.outbox.waiting) == 20, "none of them is lost"


async def test_nothing_listens_and_then_something_does(rig: Rig) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    rig.destinations["hook"] = Destination(kind=DestinationKind.WEBHOOK, url=f"http://127.0.0.1:{port}")
    delivery = rig.outbox.add("hook", FULL)
    await rig.courier.deliver()
    assert rig.outbox.whys == ["127.0.0.1 cannot be reached (connection refused)"]
    rig.destinations["hook"] = Destination(kind=DestinationKind.WEBHOOK, url=rig.receiver.url)
    rig.now_s += 11
    await rig.courier.deliver()
    assert rig.outbox.done == [delivery]


async def test_a_receiver_that_speaks_no_tls_gets_nothing_that_can_be_read(rig: Rig) -> None:
    rig.destinations["hook"] = Destination(kind=DestinationKind.WEBHOOK, url=rig.receiver.url.replace("http:", "https:"))
    rig.outbox.add("hook", FULL)
    await rig.courier.deliver()
    assert rig.receiver.received == []
    assert "localhost cannot be reached" in rig.outbox.whys[0]


async def test_a_certificate_is_checked_and_one_that_is_believed_is_taken(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signer, context = trustme.CA(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    signer.issue_cert("localhost").configure_cert(context)
    signer.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    async with receiving(context) as receiver:
        rig.destinations["hook"] = Destination(kind=DestinationKind.WEBHOOK, url=receiver.url)
        delivery = rig.outbox.add("hook", FULL)
        await rig.courier.deliver()
        assert "certificate is not accepted" in rig.outbox.whys[0]
        assert receiver.received == []
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        believing = Courier(rig.destinations, rig.outbox, clock=lambda: rig.now_s + 11)
        await believing.deliver()
        await believing.close()
        assert rig.outbox.done == [delivery]


class Full(MemoryOutbox):
    """Can be read and not written: the disk is full."""

    full = True

    async def delivered(self, delivery: str) -> None:
        if self.full:
            raise StorageError("the disk is full", passes=True)
        await super().delivered(delivery)


async def test_a_crash_between_sending_and_storing_repeats_under_the_same_id(rig: Rig) -> None:
    outbox = Full()
    outbox.add("hook", FULL)
    for _ in range(2):
        courier = Courier(rig.destinations, outbox, clock=lambda: rig.now_s)
        with pytest.raises(StorageError):
            await courier.deliver()
        await courier.close()
    assert [received.headers["webhook-id"] for received in rig.receiver.received] == [FULL.id, FULL.id]


async def test_what_has_arrived_is_not_sent_again_while_that_cannot_be_stored(rig: Rig) -> None:
    outbox = Full()
    delivery = outbox.add("hook", FULL)
    courier = Courier(rig.destinations, outbox, clock=lambda: rig.now_s)
    for _ in range(5):
        with pytest.raises(StorageError):
            await courier.deliver()
    outbox.full = False
    await courier.deliver()
    await courier.deliver()
    await courier.close()
    assert (outbox.done, len(rig.bodies)) == ([delivery], 1)


async def test_it_goes_on_while_the_outbox_is_away_and_says_so_once(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    class Away(MemoryOutbox):
        looks = 0
        arrived = asyncio.Event()

        async def due(self, now_s: float) -> Sequence[Delivery]:
            self.looks += 1
            if self.looks < 4:
                raise StorageError("the database is away")
            if self.looks == 4:
                raise RuntimeError("a mistake")
            return await super().due(now_s)

        async def delivered(self, delivery: str) -> None:
            await super().delivered(delivery)
            self.arrived.set()

    outbox = Away()
    delivery = outbox.add("hook", FULL)
    courier = Courier(rig.destinations, outbox, clock=lambda: rig.now_s, every_s=0.01)
    running = asyncio.create_task(courier.run())
    async with asyncio.timeout(10):
        await outbox.arrived.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await courier.close()
    assert outbox.done == [delivery]
    assert caplog.text.count("alarms are not delivered: the database is away") == 1


async def test_a_secret_that_is_missing_is_waited_for_and_told(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOOK_SECRET")
    delivery = rig.outbox.add("hook", FULL)
    await rig.courier.deliver()
    assert rig.bodies == []
    said = "destinations.hook: no secret that signs it; put it into the environment variable HOOK_SECRET of the evaluator"
    assert rig.outbox.whys == [said]
    assert await rig.courier.test("hook", *NAMED) == said
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    rig.now_s += 11
    await rig.courier.deliver()
    assert rig.outbox.done == [delivery]


async def test_a_destination_that_is_not_in_the_settings_any_more_is_given_up(rig: Rig) -> None:
    delivery = rig.outbox.add("gone", FULL)
    await rig.courier.deliver()
    assert rig.outbox.lost == {delivery: "no destination is called gone in the settings any more"}


async def test_an_alarm_that_cannot_be_written_does_not_hold_up_others(rig: Rig) -> None:
    bad = rig.outbox.add("hook", replace(FULL, id="bad", estimate=float("nan")))
    worse = rig.outbox.add("hook", replace(FULL, id="worse", at_s=1e300))
    good = rig.outbox.add("hook", FULL)
    await rig.courier.deliver()
    assert rig.outbox.done == [good]
    assert set(rig.outbox.lost) == {bad, worse}


async def test_a_secret_that_a_receiver_repeats_is_in_no_log_and_no_reason(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = "T0/B0/a-secret-path-for-tests"
    monkeypatch.setenv("CHAT", f"{rig.receiver.url}/services/{secret}?sig=a-secret-signature")
    rig.destinations["chat"] = Destination(kind=DestinationKind.SLACK, url_env="CHAT")
    delivery = rig.outbox.add("chat", FULL)
    rig.receiver.replies.append(web.Response(status=404, text=f"no {secret}: services/{secret}?sig=a-secret-signature"))
    await rig.courier.deliver()
    assert rig.receiver.received[0].path == f"/services/{secret}?sig=a-secret-signature"
    said = rig.outbox.lost[delivery] + caplog.text
    assert "a-secret" not in said
    assert "***" in said


async def test_a_test_is_sent_at_once_and_says_why_it_did_not_arrive(rig: Rig) -> None:
    assert await rig.courier.test("hook", *NAMED) == ""
    (received,) = rig.receiver.received
    written = json.loads(received.body)
    assert (written["type"], written["data"]["kind"]) == ("alarm.test", "test")
    assert tuple(written["data"][name] for name in ("monitor", "model", "suite")) == NAMED
    rig.receiver.replies.append(web.Response(status=403, text="no_service"))
    assert await rig.courier.test("hook", *NAMED) == "it answered 403 (no_service)"
    assert await rig.courier.test("nobody", *NAMED) == "no destination is called nobody in the settings any more"


async def test_an_address_is_sent_as_it_was_given(rig: Rig) -> None:
    """Workflows of Teams sign their addresses."""
    address = f"{rig.receiver.url}/workflows/x/triggers/manual/paths/invoke?sp=%2Ftriggers%2Fmanual%2Frun&sig=a%2Bb-c_d"
    rig.destinations["hook"] = Destination(kind=DestinationKind.WEBHOOK, url=address)
    assert await rig.courier.test("hook", *NAMED) == ""
    assert rig.receiver.received[0].path == address.removeprefix(rig.receiver.url)


async def test_the_environments_proxy_is_used(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.destinations["hook"] = Destination(kind=DestinationKind.WEBHOOK, url="http://hooks.example/alarms")
    monkeypatch.setenv("http_proxy", rig.receiver.url)
    monkeypatch.setenv("no_proxy", "")
    assert await rig.courier.test("hook", *NAMED) == ""
    assert rig.receiver.received[0].headers["host"] == "hooks.example"


async def test_connections_are_not_kept_and_no_cookies_are(rig: Rig) -> None:
    rig.receiver.replies.append(web.Response(headers={"Set-Cookie": "a=b"}))
    assert [await rig.courier.test("hook", *NAMED) for _ in range(2)] == ["", ""]
    assert "cookie" not in rig.receiver.received[1].headers
    async with couriers.open_session() as session:
        assert isinstance(session.connector, aiohttp.TCPConnector)
        assert session.connector.force_close

"""Making media through the gateway, against a server of its own that makes real pictures, sounds and videos."""

from __future__ import annotations

import asyncio
import base64
import io
import uuid
import wave

import av
import openai
import pytest
from PIL import Image

from gateway import making
from gateway.adapters.images import OpenAIImages
from gateway.adapters.making import Job, JobFailed, Made, Reply, Request
from gateway.adapters.videos import OpenAIVideos, poll_delay_s
from gateway.downloads import download
from gateway.landing import Landing
from gateway.making import Jobs
from gateway.media import duration_ms, media_part
from genlevel.runtime.blobs import BlobStore
from genlevel.runtime.errors import CallFailed, ConfigurationError
from genlevel.runtime.settings import Account, ModelPrice, Route, RouteMedia, Settings
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw


def picture(shade=200, size=(20, 10)):
    buffer = io.BytesIO()
    Image.new("RGB", size, (shade, 0, 0)).save(buffer, "PNG")
    return buffer.getvalue()


def landing():
    """For what fits into memory."""
    return Landing(lambda: pytest.fail("nothing is stored"), 1 << 20)


def samples(data):
    with wave.open(io.BytesIO(data)) as sound:
        return sound.getnframes()


@pytest.fixture
def settings(media_upstream):
    accounts = {
        "openai": Account(provider="openai", base_url=media_upstream.base_url, api_key_env="GENLEVEL_TEST_KEY"),
        "local": Account(provider="compatible", base_url=media_upstream.base_url),
    }
    routes = {}
    for account in accounts:
        routes[f"{account}-images"] = Route(account=account, model="drawer", api="images", media=RouteMedia(size="96x32"))
        routes[f"{account}-speech"] = Route(account=account, model="speaker", api="speech")
        routes[f"{account}-video"] = Route(account=account, model="filmer", api="video", media=RouteMedia(seconds=2))
    return Settings(accounts=accounts, routes=routes)


@pytest.fixture
async def gateway(settings, make_gateway):
    gateway = make_gateway(settings)
    yield gateway
    await gateway.close()


def make(route, *parts, modality=ct.MODALITY_IMAGE, **parameters):
    message = ct.Message(role=ct.ROLE_USER)
    for part in parts:
        message.parts.append(ct.Part(text=part) if isinstance(part, str) else ct.Part(media=part))
    return gw.GenerateRequest(
        route=route, messages=[message], output_modalities=[modality], parameters=gw.GenerationParameters(**parameters)
    )


def image(data, mime_type="image/png"):
    return ct.Media(modality=ct.MODALITY_IMAGE, mime_type=mime_type, inline=data)


def test_the_server_is_what_openais_own_client_expects(media_upstream, tmp_path):
    """A stand-in is only worth as much as it is like the real thing."""
    client = openai.OpenAI(api_key="k", base_url=media_upstream.base_url, max_retries=0)
    made = client.images.generate(model="m", prompt="a square")
    assert made.data
    assert made.data[0].b64_json
    assert made.usage
    assert made.usage.input_tokens_details.image_tokens == 40
    edited = client.images.edit(model="m", prompt="softer", image=[("a.png", picture()), ("b.png", picture())])
    assert edited.data
    assert edited.data[0].b64_json
    sound = client.audio.speech.create(model="m", voice="alloy", input="hello", response_format="wav").content
    assert samples(sound) == 8000
    with pytest.deprecated_call():
        video = client.videos.create_and_poll(model="sora-2", prompt="a wave", seconds="4")
        assert client.videos.download_content(video.id).content[4:8] == b"ftyp"
    with pytest.raises(openai.BadRequestError, match="safety system"):
        client.images.generate(model="m", prompt="[refuse]")


@pytest.mark.parametrize("account", ["openai", "local"])
async def test_a_text_becomes_a_picture(gateway, account):
    answer = await gateway.generate(make(f"{account}-images", "a red square"))
    (part,) = answer.parts
    assert (part.media.modality, part.media.mime_type) == (ct.MODALITY_IMAGE, "image/png")
    assert Image.open(io.BytesIO(part.media.inline)).size == (96, 32)
    assert answer.usage == gw.Usage(input_tokens=50, output_tokens=100, output_images=1, details=gw.UsageDetails(input_image_tokens=40))
    assert answer.upstream_s > 0


@pytest.mark.parametrize("account", ["openai", "local"])
async def test_pictures_and_a_text_become_a_picture(gateway, media_upstream, account):
    prompt = f"softer {uuid.uuid4().hex}"
    answer = await gateway.generate(make(f"{account}-images", image(picture(size=(31, 17))), image(picture(7)), prompt))
    assert Image.open(io.BytesIO(answer.parts[0].media.inline)).size == (31, 17)
    assert media_upstream.calls(prompt) == [("images/edits", prompt)]


@pytest.mark.parametrize("account", ["openai", "local"])
async def test_a_text_is_read_aloud(gateway, account):
    answer = await gateway.generate(make(f"{account}-speech", "Good morning", "cheerfully", modality=ct.MODALITY_AUDIO))
    (part,) = answer.parts
    assert (part.media.modality, part.media.mime_type) == (ct.MODALITY_AUDIO, "audio/wav")
    assert samples(part.media.inline) == 8000
    assert answer.usage == gw.Usage(output_milliseconds=500, details=gw.UsageDetails(input_characters=12))


async def test_what_is_read_and_how_travel_apart(stub, make_gateway):
    gateway = make_gateway(Settings(accounts={"s": Account(provider="compatible", base_url=f"{stub.url}/v1")},
                                    routes={"r": Route(account="s", model="m", api="speech", media=RouteMedia(voice="nova"))}))  # fmt: skip
    stub.replies(b"RIFF\x00\x00\x00\x00WAVE and so on", headers={"content-type": "audio/wav"})
    await gateway.generate(make("r", "Good morning", "cheerfully", modality=ct.MODALITY_AUDIO))
    expected = {"model": "m", "input": "Good morning", "instructions": "cheerfully", "voice": "nova", "response_format": "wav"}
    assert stub.requests[0][0] == "/v1/audio/speech"
    assert stub.requests[0][2] == expected
    await gateway.close()


@pytest.mark.parametrize("account", ["openai", "local"])
async def test_a_video_is_a_job_that_is_begun_once_and_waited_for(gateway, media_upstream, account):
    prompt = f"waves {uuid.uuid4().hex}"
    answer = await gateway.generate(make(f"{account}-video", image(picture()), prompt, modality=ct.MODALITY_VIDEO))
    (part,) = answer.parts
    assert part.media.mime_type == "video/mp4"
    with av.open(io.BytesIO(part.media.inline)) as video:
        assert sum(1 for _ in video.decode(video=0)) == 16
    assert answer.usage.output_milliseconds == 2000
    assert answer.response_id.startswith("video_")
    assert media_upstream.calls(prompt) == [("videos", prompt)]


async def test_a_job_survives_polls_that_fail(gateway, media_upstream):
    prompt = f"[shaky] {uuid.uuid4().hex}"
    answer = await gateway.generate(make("local-video", prompt, modality=ct.MODALITY_VIDEO))
    assert answer.parts[0].media.mime_type == "video/mp4"
    assert len(media_upstream.calls(prompt)) == 1


async def test_a_job_that_outlasts_its_call_is_waited_for_by_the_next_one(gateway, media_upstream):
    prompt = f"[slow] {uuid.uuid4().hex}"
    request = make("openai-video", prompt, modality=ct.MODALITY_VIDEO)
    await gateway.generate(make("openai-video", "at once", modality=ct.MODALITY_VIDEO))  # so that what follows has begun in time
    with pytest.raises(CallFailed) as late:
        await gateway.generate(request, timeout_s=1)
    assert late.value.error_class == gw.ERROR_CLASS_TIMEOUT
    assert late.value.may_be_charged
    assert "its job goes on at the provider, and the same request asked again waits for it" in late.value.message
    answer = await gateway.generate(request, timeout_s=60)
    assert answer.parts[0].media.mime_type == "video/mp4"
    assert len(media_upstream.calls(prompt)) == 1
    again = await asyncio.wait_for(gateway.generate(make("openai-video", prompt + "!", modality=ct.MODALITY_VIDEO)), 60)
    assert again.response_id != answer.response_id


async def test_each_of_several_jobs_of_one_request_is_waited_for_by_the_next_one_that_asks(gateway, media_upstream):
    prompt = f"[slow] {uuid.uuid4().hex}"
    request = make("openai-video", prompt, modality=ct.MODALITY_VIDEO)
    await gateway.generate(make("openai-video", "at once", modality=ct.MODALITY_VIDEO))
    late = await asyncio.gather(*(gateway.generate(request, timeout_s=1) for _ in range(2)), return_exceptions=True)
    assert [failure.error_class for failure in late] == [gw.ERROR_CLASS_TIMEOUT] * 2
    answers = await asyncio.gather(*(gateway.generate(request, timeout_s=60) for _ in range(2)))
    assert len({answer.response_id for answer in answers}) == 2
    assert len(media_upstream.calls(prompt)) == 2
    assert not gateway._generators.jobs._left


@pytest.mark.parametrize("error_class", [gw.ERROR_CLASS_RATE_LIMIT, gw.ERROR_CLASS_TRANSIENT, gw.ERROR_CLASS_CREDENTIAL])
async def test_a_job_that_cannot_be_asked_about_any_more_may_be_charged(monkeypatch, error_class):
    monkeypatch.setattr(making, "_WAITING_S", (0.0,))

    async def send(request):
        if request.method == "GET":
            raise CallFailed(error_class, "not now")
        return 200, Reply({}, b"", None), 0.0

    def begun(*_):
        return Job("job", Request("GET", "videos/job"), 0.0, "queued")

    with pytest.raises(CallFailed, match="not now") as failed:
        await Jobs().make("asked", send, Request("POST", "videos"), begun)
    assert failed.value.may_be_charged


async def test_a_job_that_fails_is_not_waited_for_again(gateway, media_upstream):
    prompt = f"[fail] {uuid.uuid4().hex}"
    for _ in range(2):
        with pytest.raises(CallFailed, match="It did not work") as failed:
            await gateway.generate(make("local-video", prompt, modality=ct.MODALITY_VIDEO))
        assert failed.value.error_class == gw.ERROR_CLASS_TRANSIENT
    assert len(media_upstream.calls(prompt)) == 2


@pytest.mark.parametrize(
    ("kind", "said", "charged"),
    [
        ("[cancelled]", "job_cancelled): the job", True),
        ("[expired]", "job_expired): the job", True),
        ("[forgotten]", "is not known any more", True),
        ("[lost]", "is not known any more", True),
    ],
)
async def test_a_job_that_is_gone_is_denied_at_once_and_not_polled_for_ever(gateway, media_upstream, kind, said, charged):
    prompt = f"{kind} {uuid.uuid4().hex}"
    with pytest.raises(CallFailed) as gone:
        await gateway.generate(make("local-video", prompt, modality=ct.MODALITY_VIDEO), timeout_s=60)
    assert gone.value.error_class == gw.ERROR_CLASS_DENIED
    assert said in gone.value.message
    assert gone.value.may_be_charged == charged
    assert not gateway._generators.jobs._left
    assert len(media_upstream.calls(prompt)) == 1


@pytest.mark.parametrize(
    ("route", "modality"),
    [("local-images", ct.MODALITY_IMAGE), ("local-speech", ct.MODALITY_AUDIO), ("local-video", ct.MODALITY_VIDEO)],
)
async def test_an_error_under_a_good_status_is_classified(gateway, route, modality):
    with pytest.raises(CallFailed, match="slow down") as limited:
        await gateway.generate(make(route, "[later]", modality=modality), timeout_s=60)
    assert limited.value.error_class == gw.ERROR_CLASS_RATE_LIMIT


@pytest.mark.parametrize("route", ["openai-images", "openai-speech", "local-video"])
async def test_a_policy_refusal_is_one(gateway, route):
    modality = next(iter(gateway._routes.resolve(route).outputs))
    with pytest.raises(CallFailed) as refused:
        await gateway.generate(make(route, "[refuse] this", modality=modality))
    assert refused.value.error_class == gw.ERROR_CLASS_CONTENT_REFUSED


async def test_a_job_that_the_policy_ends_is_a_refusal(gateway):
    with pytest.raises(CallFailed) as refused:
        await gateway.generate(make("openai-video", "[blocked] this", modality=ct.MODALITY_VIDEO))
    assert refused.value.error_class == gw.ERROR_CLASS_CONTENT_REFUSED


async def test_a_rate_limit_says_how_long_to_wait(gateway):
    with pytest.raises(CallFailed) as limited:
        await gateway.generate(make("openai-images", "[limit]"))
    assert (limited.value.error_class, limited.value.retry_after_s) == (gw.ERROR_CLASS_RATE_LIMIT, 0.1)


@pytest.mark.parametrize(("route", "modality"), [("openai-images", ct.MODALITY_IMAGE), ("local-speech", ct.MODALITY_AUDIO)])
async def test_a_web_page_is_no_picture_and_no_sound(gateway, route, modality):
    with pytest.raises(CallFailed, match="malformed body") as broken:
        await gateway.generate(make(route, "[garbage]", modality=modality))
    assert broken.value.error_class == gw.ERROR_CLASS_TRANSIENT


async def test_an_address_in_an_answer_is_fetched_from_the_server_itself_without_the_key(gateway):
    answer = await gateway.generate(make("openai-images", "[url] please"))
    assert Image.open(io.BytesIO(answer.parts[0].media.inline)).size == (96, 32)


@pytest.mark.parametrize(
    ("prompt", "why"),
    [
        ("[away]", "169.254.169.254/latest/meta-data is not fetched: only https"),
        ("[redirect]", "127.0.0.1:1/secret.png is not fetched: it is in a private network"),
    ],
)
async def test_an_address_elsewhere_is_not_fetched(gateway, prompt, why):
    with pytest.raises(CallFailed) as refused:
        await gateway.generate(make("openai-images", prompt))
    assert refused.value.error_class == gw.ERROR_CLASS_UNKNOWN
    assert why in refused.value.message


@pytest.mark.parametrize(
    "url",
    [
        "https://localhost/x.png",
        "https://10.0.0.1/x.png",
        "https://[::1]/x",
        "https://[::ffff:127.0.0.1]/x",
        "https://127.1/x",
        "https://2130706433/x",
        "https://0177.0.0.1/x",
        "https://0x7f.0.0.1/x",
        "https://user:word@example.com/x",
        "file:///etc/passwd",
        "ftp://a/b",
        "",
    ],
)
async def test_no_answer_makes_this_machine_call_its_own_network(url):
    with pytest.raises(CallFailed, match="is not fetched"):
        await download(url, "https://api.example.com/v1", landing(), shown="it", provider="openai")


async def test_a_file_that_is_too_large_is_not_fetched(media_upstream, gateway):
    await gateway.generate(make("openai-images", "[url] large"))
    base = media_upstream.base_url
    with pytest.raises(CallFailed, match="it has more than 0 MiB"):
        await download(base.replace("/v1", "/files/0.png"), base, landing(), shown="it", provider="openai", limit=10)


async def test_what_is_too_large_to_travel_inline_is_stored(settings, make_gateway, tmp_path):
    small = Settings.model_validate({**settings.model_dump(), "storage": {"inline_limit_bytes": 10}})
    gateway = make_gateway(small)
    answer = await gateway.generate(make("openai-images", "a red square"))
    media = answer.parts[0].media
    assert media.WhichOneof("source") == "blob"
    assert BlobStore.open(tmp_path / "blobs").get(media.blob.sha256)[:4] == b"\x89PNG"
    assert answer.usage.output_images == 1
    await gateway.close()


@pytest.mark.parametrize(
    ("route", "request_", "why"),
    [
        ("openai-images", gw.GenerateRequest(), "does not make text"),
        ("openai-speech", gw.GenerateRequest(output_modalities=[ct.MODALITY_IMAGE]), "does not make image"),
    ],
)
async def test_what_a_route_does_not_make_is_refused_without_a_call(gateway, route, request_, why):
    request_.route = route
    request_.messages.add(role=ct.ROLE_USER).parts.add(text="hello")
    with pytest.raises(CallFailed, match=why) as refused:
        await gateway.generate(request_)
    assert (refused.value.error_class, refused.value.part) == (gw.ERROR_CLASS_UNSUPPORTED, "output_modalities")


async def test_a_part_that_a_generator_cannot_take_is_named(gateway):
    with pytest.raises(CallFailed, match=r"messages\[0\]\.parts\[0\]: openai/speaker does not take image"):
        await gateway.generate(make("openai-speech", image(picture()), "read", modality=ct.MODALITY_AUDIO))
    with pytest.raises(CallFailed, match="has no parameter temperature in its images API") as refused:
        await gateway.generate(make("openai-images", "draw", temperature=0))
    assert refused.value.error_class == gw.ERROR_CLASS_CALLER_FAULT


async def test_media_are_billed_by_the_piece(media_upstream, make_gateway):
    account = {"s": Account(provider="compatible", base_url=media_upstream.base_url)}
    routes = {
        "by-image": Route(account="s", model="a", api="images", price=ModelPrice(per_image="0.04", per_call="0.001")),
        "by-token": Route(account="s", model="b", api="images", price=ModelPrice(input="5", image_input="8", output="30")),
        "by-second": Route(account="s", model="c", api="speech", price=ModelPrice(per_second="0.0003")),
        "by-character": Route(account="s", model="e", api="speech", price=ModelPrice(characters="15")),
        "no-usage": Route(account="s", model="d", api="speech", price=ModelPrice(input="1", output="2")),
    }
    gateway = make_gateway(Settings(accounts=account, routes=routes))
    costs = {}
    for name, route in routes.items():
        modality = ct.MODALITY_AUDIO if route.api == "speech" else ct.MODALITY_IMAGE
        answer = await gateway.generate(make(name, "a thing", modality=modality))
        costs[name] = answer.cost_nano_usd if answer.HasField("cost_nano_usd") else None
    assert costs == {
        "by-image": 41_000_000,
        "by-token": 10 * 5_000 + 40 * 8_000 + 100 * 30_000,
        "by-second": 150_000,
        "by-character": len("a thing") * 15_000,
        "no-usage": None,
    }
    await gateway.close()


async def test_what_was_made_and_cannot_be_had_has_its_cost(media_upstream, make_gateway):
    account = {"s": Account(provider="compatible", base_url=media_upstream.base_url)}
    prices = {"image": ModelPrice(per_image="0.04"), "token": ModelPrice(input="5", image_input="8", output="30"), "none": None}
    routes = {name: Route(account="s", model="m", api="images", price=price) for name, price in prices.items()}
    gateway = make_gateway(Settings(accounts=account, routes=routes))
    costs = {}
    for name in routes:
        with pytest.raises(CallFailed, match="is not fetched") as lost:
            await gateway.generate(make(name, "[away]"))
        costs[name] = lost.value.cost_nano_usd
        assert lost.value.may_be_charged
        assert lost.value.usage == gw.Usage(
            input_tokens=50, output_tokens=100, output_images=1, details=gw.UsageDetails(input_image_tokens=40)
        )
    assert costs == {"image": 40_000_000, "token": 10 * 5_000 + 40 * 8_000 + 100 * 30_000, "none": None}
    await gateway.close()


async def test_a_length_that_is_billed_and_not_known_makes_the_cost_unknown(stub, make_gateway):
    account = {"s": Account(provider="compatible", base_url=f"{stub.url}/v1")}
    priced = {"second": ModelPrice(per_second="0.1"), "call": ModelPrice(per_call="0.1")}
    routes = {name: Route(account="s", model="m", api="speech", price=price) for name, price in priced.items()}
    gateway = make_gateway(Settings(accounts=account, routes=routes))
    stub.replies(b"RIFF\x00\x00\x00\x00WAVE and so on", headers={"content-type": "audio/wav"})
    by_second, by_call = [await gateway.generate(make(name, "a thing", modality=ct.MODALITY_AUDIO)) for name in routes]
    assert not by_second.HasField("cost_nano_usd")
    assert by_call.cost_nano_usd == 100_000_000
    await gateway.close()


async def test_models_say_what_they_make(gateway):
    made = {info.route: list(info.output_modalities) for info in (await gateway.list_models(gw.ListModelsRequest())).models}
    assert made["openai-images"] == [ct.MODALITY_IMAGE]
    assert made["local-speech"] == [ct.MODALITY_AUDIO]
    assert made["local-video"] == [ct.MODALITY_VIDEO]
    assert made["embedded/generalist"] == [ct.MODALITY_TEXT]


def test_a_route_cannot_say_that_it_makes_what_its_api_cannot(make_gateway):
    settings = Settings(accounts={"o": Account(provider="openai")}, routes={"r": Route(account="o", model="m", output_modalities=["3d"])})
    with pytest.raises(ConfigurationError, match=r"routes\.r\.output_modalities: the chat API of openai makes text, audio, not 3d"):
        make_gateway(settings)


def test_the_bytes_decide_what_media_are():
    part = media_part(picture(), ct.MODALITY_IMAGE, "application/octet-stream")
    assert part.media.mime_type == "image/png"
    with pytest.raises(ValueError, match="but audio was asked for"):
        media_part(picture(), ct.MODALITY_AUDIO, "audio/wav")
    with pytest.raises(ValueError, match="0 bytes"):
        media_part(b"", ct.MODALITY_AUDIO, "audio/wav")
    assert media_part(b"\xff\xf1raw aac", ct.MODALITY_AUDIO, "audio/aac; x=y").media.mime_type == "audio/aac"
    assert duration_ms(b"nothing that can be read") == 0


def reply(document, **headers):
    return Reply(headers, b"{}", document)


@pytest.mark.parametrize(
    ("usage", "known"),
    [
        ({"input_tokens": 5, "output_tokens": 7}, True),
        ({"input_tokens": 5.0, "output_tokens": "7"}, True),
        ({"input_tokens": 5}, False),
        ({"input_tokens": "much", "output_tokens": 7}, False),
        ({"input_tokens": 5, "output_tokens": 1e30}, False),
        ([], False),
        (None, False),
    ],
)
def test_a_picture_of_unreadable_usage_has_an_unknown_one(usage, known):
    data = [{"b64_json": base64.b64encode(picture()).decode()}]
    made = OpenAIImages().answer(reply({"data": data, "usage": usage, "model": ["m"], "id": 5}), None)
    assert isinstance(made, Made)
    assert (made.has_usage, made.model, made.response_id) == (known, "", "5")


@pytest.mark.parametrize("data", [None, [], {}, ["x"], [{}], [{"url": None}], [{"b64_json": 5}], [{"b64_json": "?"}]])
def test_an_answer_without_a_picture_is_malformed(data):
    with pytest.raises(ValueError, match=r"data|base64"):
        OpenAIImages().answer(reply({"data": data}), None)


def test_a_job_is_followed_from_status_to_content():
    videos = OpenAIVideos()
    begun = videos.answer(reply({"id": "v/1", "status": "queued"}), None)
    assert isinstance(begun, Job)
    assert (begun.next.method, begun.next.path, begun.made) == ("GET", "videos/v%2F1", None)
    done = videos.answer(reply({"id": "v/1", "status": "completed", "seconds": "4", "model": "m"}), begun)
    assert isinstance(done, Job)
    assert (done.next.path, done.delay_s) == ("videos/v%2F1/content", 0.0)
    made = videos.answer(Reply({"content-type": "video/mp4"}, b"bytes", None), done)
    assert made == Made([(b"bytes", "video/mp4")], seconds=4.0, model="m", response_id="v/1")
    with pytest.raises(JobFailed):
        videos.answer(reply({"id": "v", "status": "failed", "error": None}), begun)
    for status, code in (("failed", "video_failed"), ("CANCELED", "job_cancelled"), ("expired", "job_expired")):
        with pytest.raises(JobFailed) as over:
            videos.answer(reply({"id": ["v"], "status": status, "error": {"n": 1}}), begun)
        assert (over.value.error.code, over.value.error.message) == (code, f"the job v/1 ended as {status.lower()}")
    for odd in ({"status": "queued"}, {"id": None, "status": "queued"}):
        with pytest.raises(ValueError, match="a job without an id"):
            videos.answer(reply(odd), None)
    with pytest.raises(ValueError, match="has the status 'odd'"):
        videos.answer(reply({"id": "v", "status": "odd"}), begun)


@pytest.mark.parametrize(("said", "delay"), [("250", 0.25), ("1", 0.05), ("9999999", 30.0), ("soon", 1.0), ("", 1.0)])
def test_polls_come_as_the_provider_asks_within_bounds(said, delay):
    assert poll_delay_s({"openai-poll-after-ms": said}) == delay

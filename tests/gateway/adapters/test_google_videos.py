"""Videos of Google's models against a stand-in of both its APIs: begun once, asked about, fetched with the key from Google alone."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from typing import Any

import orjson
import pytest
from aiohttp import web

from gateway import generating, making
from gateway.adapters import omni, veo
from gateway.adapters.blocks import Image, Turn, Video
from gateway.adapters.making import Job, Made, Reply
from gateway.adapters.omni import OmniVideos, fetch_of
from gateway.adapters.veo import VertexVideos
from gateway.service import Gateway
from genlevel.runtime.errors import CallFailed
from genlevel.runtime.settings import Account, Route, RouteMedia, Settings
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw

MP4 = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"
BASE64 = base64.b64encode(MP4).decode()
MODEL = "projects/p/locations/l/publishers/google/models/veo-3.1-generate-001"
FILE = "https://generativelanguage.googleapis.com/v1beta/files/f-1:download?alt=media"
USAGE = {"total_input_tokens": 12, "total_output_tokens": 57920, "total_thought_tokens": 80, "total_tokens": 58012}


class Google:
    """Answers as both APIs do. end: what an operation or interaction comes to; waits: how often it is asked about before that."""

    def __init__(self) -> None:
        self.end: dict[str, Any] = {}
        self.waits = 2
        self.begun: list[Any] = []
        self.asked: list[tuple[str, str]] = []
        self.file: tuple[int, bytes, dict[str, str]] = (200, MP4, {"content-type": "video/mp4"})

    async def handle(self, request: web.Request) -> web.Response:
        path = request.path_qs
        if "sk-test-0123456789abcdef" not in (request.headers.get("x-goog-api-key", ""), request.headers.get("authorization", "")[7:]):
            return web.json_response({"error": {"code": 403, "message": "no key", "status": "PERMISSION_DENIED"}}, status=403)
        self.asked.append((request.method, path))
        if "/files/" in path:
            status, content, headers = self.file
            return web.Response(status=status, body=content, headers=headers)
        body = await request.json() if request.can_read_body else None
        operation = {"name": f"{MODEL}/operations/o-1"} if (body and "instances" in body) or "Operation" in path else None
        if path.endswith(("/interactions", ":predictLongRunning")):
            self.begun.append(body)
            return web.json_response(operation or {"id": "i-1", "object": "interaction", "status": "in_progress"})
        self.waits -= 1
        if self.waits > 0:
            return web.json_response(operation or {"id": "i-1", "status": "in_progress"})
        return web.json_response({**operation, "done": True, **self.end} if operation else {"id": "i-1", **self.end})


@pytest.fixture
async def google(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Google, str]]:
    monkeypatch.setattr(omni, "POLL_S", 0.01)
    monkeypatch.setattr(veo, "POLL_S", 0.01)
    monkeypatch.setattr(making, "_WAITING_S", (0.01,))
    server = Google()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield server, f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.fixture
async def gateway(google: tuple[Google, str], make_gateway: Callable[[Settings], Gateway]) -> AsyncIterator[Gateway]:
    url, key = google[1], "GENLEVEL_TEST_KEY"
    media = RouteMedia(size="9:16", seconds=8)
    made = make_gateway(
        Settings(
            accounts={
                "studio": Account(provider="gemini", base_url=f"{url}/v1beta", api_key_env=key),
                "cloud": Account(provider="vertex", base_url=f"{url}/v1beta1/projects/p/locations/l", api_key_env=key),
            },
            routes={
                "omni": Route(account="studio", model="gemini-omni-1.2-flash", api="video", media=media),
                "veo": Route(account="cloud", model="veo-3.1-generate-001", api="video", media=media),
                "omni at vertex": Route(account="cloud", model="gemini-omni-1.2-flash", api="video"),
            },
        )
    )
    yield made
    await made.close()


def asking_for_a_video(route: str) -> gw.GenerateRequest:
    message = ct.Message(role=ct.ROLE_USER, parts=[ct.Part(text="A marble rolls.")])
    return gw.GenerateRequest(route=route, messages=[message], output_modalities=[ct.MODALITY_VIDEO])


def finished(block: dict[str, Any], status: str = "completed") -> dict[str, Any]:
    steps = [{"type": "user_input", "content": [{"type": "text", "text": "x"}]}, {"type": "model_output", "content": [block]}]
    return {"status": status, "model": "gemini-omni-1.2-flash", "usage": USAGE, "steps": steps}


@pytest.mark.parametrize("route", ["omni", "omni at vertex"])
async def test_an_interaction_is_begun_once_and_asked_about_until_its_video_is_there(
    route: str, google: tuple[Google, str], gateway: Gateway
) -> None:
    server = google[0]
    server.end = finished({"type": "video", "mime_type": "video/mp4", "data": BASE64})
    response = await gateway.generate(asking_for_a_video(route))
    assert [part.media.inline for part in response.parts] == [MP4]
    assert (response.response_id, response.model) == ("i-1", "gemini-omni-1.2-flash")
    assert (response.usage.input_tokens, response.usage.output_tokens, response.usage.reasoning_tokens) == (12, 57920, 80)
    assert len(server.begun) == 1
    root = "/v1beta" if route == "omni" else "/v1beta1/projects/p/locations/l"
    assert server.asked == [("POST", f"{root}/interactions"), *[("GET", f"{root}/interactions/i-1")] * 2]
    form = {"type": "video", "aspect_ratio": "9:16", "duration": "8s"} if route == "omni" else {"type": "video"}
    text = [{"type": "text", "text": "A marble rolls."}]
    assert server.begun[0] == {
        "model": "gemini-omni-1.2-flash",
        "input": [{"type": "user_input", "content": text}],
        "response_format": form,
        "background": True,
        "store": True,
    }


async def test_a_file_of_the_api_is_fetched_with_its_key(google: tuple[Google, str], gateway: Gateway) -> None:
    google[0].end = finished({"type": "video", "mime_type": "video/mp4", "uri": FILE})
    response = await gateway.generate(asking_for_a_video("omni"))
    assert response.parts[0].media.inline == MP4
    assert google[0].asked[-1] == ("GET", "/v1beta/files/f-1:download?alt=media")
    assert response.usage.output_tokens == 57920


async def test_where_a_file_is_redirected_to_it_is_fetched_without_the_key(
    google: tuple[Google, str], gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched = []

    async def download(url: str, *_: object, **__: object) -> tuple[bytes, str]:
        fetched.append(url)
        return MP4, "video/mp4"

    monkeypatch.setattr(generating, "download", download)
    google[0].end = finished({"type": "video", "uri": FILE})
    google[0].file = (302, b"", {"location": "https://elsewhere.example/v.mp4"})
    response = await gateway.generate(asking_for_a_video("omni"))
    assert (response.parts[0].media.inline, fetched) == (MP4, ["https://elsewhere.example/v.mp4"])
    assert (response.response_id, response.usage.output_tokens) == ("i-1", 57920)


async def test_an_operation_of_veo_is_asked_about_by_its_name(google: tuple[Google, str], gateway: Gateway) -> None:
    server = google[0]
    server.end = {"response": {"raiMediaFilteredCount": 0, "videos": [{"bytesBase64Encoded": BASE64, "mimeType": "video/mp4"}]}}
    response = await gateway.generate(asking_for_a_video("veo"))
    assert response.parts[0].media.inline == MP4
    root = "/v1beta1/projects/p/locations/l/publishers/google/models/veo-3.1-generate-001"
    assert server.asked == [("POST", f"{root}:predictLongRunning"), *[("POST", f"{root}:fetchPredictOperation")] * 2]
    assert server.begun == [
        {"instances": [{"prompt": "A marble rolls."}], "parameters": {"sampleCount": 1, "aspectRatio": "9:16", "durationSeconds": 8}}
    ]


@pytest.mark.parametrize(
    ("route", "end", "reason", "said"),
    [
        ("veo", {"response": {"raiMediaFilteredCount": 1, "raiMediaFilteredReasons": ["violence"]}}, "CONTENT_REFUSED", "violence"),
        ("veo", {"response": {"raiMediaFilteredCount": 1}}, "CONTENT_REFUSED", "filtered"),
        ("veo", {"response": {}}, "TRANSIENT", "without videos"),
        ("veo", {"error": {"code": 13, "message": "Internal"}}, "TRANSIENT", "Internal"),
        ("veo", {"error": {"code": 3, "message": "bad aspect ratio"}}, "CALLER_FAULT", "bad aspect ratio"),
        ("veo", {"error": {"code": 8, "message": "busy"}}, "RATE_LIMIT", "busy"),
        ("omni", {"status": "failed", "errors": [{"code": "server_error", "message": "it broke"}]}, "TRANSIENT", "it broke"),
        ("omni", {"status": "cancelled"}, "DENIED", "ended as cancelled"),
        ("omni", {"status": "completed", "steps": []}, "UNKNOWN", "without a video"),
        (
            "omni",
            {"status": "completed", "steps": [{"type": "model_output", "error": {"code": 429, "message": "slow down"}}]},
            "RATE_LIMIT",
            "slow down",
        ),
    ],
)
async def test_what_ends_without_a_video_says_why(
    *, route: str, end: dict[str, Any], reason: str, said: str, google: tuple[Google, str], gateway: Gateway
) -> None:
    google[0].end = end
    with pytest.raises(CallFailed, match=said) as caught:
        await gateway.generate(asking_for_a_video(route))
    assert caught.value.reason == reason
    assert len(google[0].begun) == 1


def test_pictures_and_videos_go_with_the_text_and_veo_takes_one_picture() -> None:
    picture, film = Image("image/png", base64="QUJD"), Video("video/mp4", base64="QUJD")
    omnis = OmniVideos().request("m", [Turn("user", [film, picture, "Go on."])], gw.GenerationParameters(), RouteMedia(size="1080p"))
    assert b'"content":[{"type":"video","data":"QUJD","mime_type":"video/mp4"},{"type":"image"' in orjson.dumps(omnis.body)
    assert b'"resolution":"1080p"' in orjson.dumps(omnis.body)
    veos = VertexVideos().request("veo-3.1", [Turn("user", [picture, "Go on."])], gw.GenerationParameters(), RouteMedia(size="4k"))
    assert b'"image":{"bytesBase64Encoded":"QUJD","mimeType":"image/png"}' in orjson.dumps(veos.body)
    for blocks in ([picture, picture, "x"], [film, "x"]):
        with pytest.raises(CallFailed, match="one picture"):
            VertexVideos().request("veo-3.1", [Turn("user", blocks)], gw.GenerationParameters(), RouteMedia())


@pytest.mark.full
async def test_both_are_asked_as_googles_own_sdk_does(google: tuple[Google, str], gateway: Gateway) -> None:
    from google import genai
    from google.oauth2.credentials import Credentials

    server, url = google
    key = "sk-test-0123456789abcdef"
    studio = genai.Client(api_key=key, http_options={"base_url": url, "api_version": "v1beta"})
    cloud = genai.Client(vertexai=True, project="p", location="l", credentials=Credentials(key), http_options={"base_url": url})

    def by_the_sdk() -> tuple[Any, Any]:
        asked = {"type": "video", "aspect_ratio": "9:16", "duration": "8s"}
        text = [{"type": "text", "text": "A marble rolls."}]
        begun = studio.interactions.create(model="gemini-omni-1.2-flash", input=text, response_format=asked, background=True, store=True)
        server.waits, server.end = 1, finished({"type": "video", "mime_type": "video/mp4", "data": BASE64})
        made = studio.interactions.get(begun.id).output_video.data
        config = {"number_of_videos": 1, "aspect_ratio": "9:16", "duration_seconds": 8}
        operation = cloud.models.generate_videos(model="veo-3.1-generate-001", source={"prompt": "A marble rolls."}, config=config)
        server.waits, server.end = 1, {"response": {"videos": [{"bytesBase64Encoded": BASE64, "mimeType": "video/mp4"}]}}
        return made, cloud.operations.get(operation).response.generated_videos[0].video.video_bytes

    assert await asyncio.to_thread(by_the_sdk) == (BASE64, MP4)
    theirs, asked = server.begun.copy(), [path.partition("?")[0] for _, path in server.asked]
    server.begun.clear()
    server.asked.clear()
    for route, end in (("omni", finished({"type": "video", "data": BASE64})), ("veo", server.end)):
        server.waits, server.end = 1, end
        await gateway.generate(asking_for_a_video(route))
    assert server.begun == theirs
    assert [path for _, path in server.asked] == asked


@pytest.mark.parametrize("maker", [OmniVideos(), VertexVideos()])
@pytest.mark.parametrize(
    "body", [{}, {"status": "queued"}, {"id": "x"}, {"done": True}, {"name": "n", "done": True}, {"steps": [None]}, None]
)
def test_a_reply_that_is_none_of_the_apis_is_malformed_or_failed(maker: Any, body: Any) -> None:
    with pytest.raises((ValueError, omni.JobFailed)):
        maker.answer(Reply({}, b"", body), None)


def test_an_address_that_is_no_file_of_the_api_is_fetched_like_any_other() -> None:
    assert fetch_of("https://storage.example/files/x") == ""
    assert fetch_of("https://generativelanguage.googleapis.com/v1beta/files/x") == "files/x:download?alt=media"
    body = {"id": "i", **finished({"type": "video", "uri": "https://storage.example/v.mp4"})}
    found = OmniVideos().answer(Reply({}, b"", body), Job("i", None, 0.0, "queued"))  # type: ignore[arg-type]
    assert isinstance(found, Made)
    assert list(found.media) == ["https://storage.example/v.mp4"]

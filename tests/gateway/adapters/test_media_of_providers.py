"""Pictures, videos and speech of providers whose APIs of media are their own: requests and answers as values."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from gateway.adapters.base import AnswerError, Refused
from gateway.adapters.blocks import Image, Turn, Video
from gateway.adapters.images import CompatibleImages, OpenAIImages, TogetherImages
from gateway.adapters.making import Job, JobFailed, Made, Reply, Request
from gateway.adapters.speech import MistralSpeech, OpenRouterSpeech
from gateway.adapters.xai_media import XaiImages, XaiSpeech, XaiVideos
from gateway.making import asked_of
from gateway.service import Gateway
from gateway.splicing import Splice
from genlevel.runtime.errors import CallFailed
from genlevel.runtime.settings import Account, Route, RouteMedia, Settings
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw

PNG = b"\x89PNG\r\n\x1a\n"
NOTHING = gw.GenerationParameters()
FAR = Image("image/png", uri="https://example.com/a.png")
NEAR = Image("image/jpeg", "bm90aGluZw==", data=b"nothing")
NEAR_URL = "data:image/jpeg;base64,bm90aGluZw=="


def turns(*blocks: Any, fields: dict[int, Any] | None = None) -> list[Turn]:
    return [Turn("user", blocks, fields or {})]


def reply(body: Any, **headers: str) -> Reply:
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    return Reply(headers, raw, body if isinstance(body, dict) else None)


def asked(maker: Any, *blocks: Any, fields: dict[int, Any] | None = None, **media: Any) -> Request:
    request: Request = maker.request("m", turns(*blocks, fields=fields), NOTHING, RouteMedia(**media))
    return request


def test_openai_changes_pictures_by_address_and_by_their_bytes_with_a_mask() -> None:
    request = asked(OpenAIImages(), FAR, NEAR, "greener", NEAR, fields={1: {"field": "mask"}}, size="1024x1024", format="webp")
    assert request.path == "images/edits"
    assert request.body == {
        "model": "m",
        "prompt": "greener",
        "n": 1,
        "size": "1024x1024",
        "output_format": "webp",
        "images": [{"image_url": "https://example.com/a.png"}, {"image_url": NEAR_URL}],
        "mask": {"image_url": NEAR_URL},
    }


def test_other_servers_get_a_mask_as_a_file_of_a_form() -> None:
    request = asked(CompatibleImages(), NEAR, NEAR, "greener", fields={1: {"field": "mask"}})
    assert isinstance(request.body, list)
    form = b"".join(map(bytes, request.body))
    assert b'name="image"; filename="0.jpeg"\r\nContent-Type: image/jpeg\r\n\r\nnothing\r\n' in form
    assert b'name="mask"; filename="1.jpeg"\r\nContent-Type: image/jpeg\r\n\r\nnothing\r\n' in form
    again = asked(CompatibleImages(), NEAR, NEAR, "greener", fields={1: {"field": "mask"}})
    assert isinstance(again.body, list)
    assert asked_of("r", again.path, again.body) == asked_of("r", request.path, request.body)


def test_a_picture_of_no_known_place_is_refused_by_its_path() -> None:
    with pytest.raises(CallFailed, match=r"messages\[0\]\.parts\[1\]\.vendor_fields: field is image or mask or markup"):
        asked(OpenAIImages(), "greener", NEAR, fields={1: {"field": "prompt"}})


def test_what_openai_says_beside_a_picture_is_kept_and_counted() -> None:
    usage = {
        "input_tokens": 221,
        "input_tokens_details": {"image_tokens": 194, "text_tokens": 27},
        "output_tokens": 415,
        "output_tokens_details": {"image_tokens": 272, "text_tokens": 143},
    }
    made = OpenAIImages().answer(
        reply(
            {
                "created": 1,
                "quality": "low",
                "data": [{"b64_json": base64.b64encode(PNG).decode(), "revised_prompt": "a cat"}],
                "usage": usage,
            }
        ),
        None,
    )
    assert made.media == [(PNG, "")]
    assert made.vendor == {"quality": "low", "data": [{"revised_prompt": "a cat"}]}
    assert (made.usage.input_tokens, made.usage.output_tokens, made.has_usage) == (221, 415, True)
    assert (made.usage.details.input_image_tokens, made.usage.details.output_image_tokens) == (194, 272)


def test_together_takes_sides_and_one_picture() -> None:
    request = asked(TogetherImages(), "a sea", FAR, size="1024x768", extra={"steps": 4})
    assert request.path == "images/generations"
    assert request.body == {
        "model": "m",
        "prompt": "a sea",
        "n": 1,
        "response_format": "base64",
        "width": 1024,
        "height": 768,
        "image_url": "https://example.com/a.png",
        "steps": 4,
    }


def test_xai_takes_a_ratio_and_one_picture_or_several() -> None:
    assert asked(XaiImages(), "a cat") == Request("POST", "images/generations", {"model": "m", "prompt": "a cat"})
    request = asked(XaiImages(), "a cat", NEAR, size="16:9")
    one = {"url": NEAR_URL, "type": "image_url"}
    assert (request.path, request.body) == ("images/edits", {"model": "m", "prompt": "a cat", "aspect_ratio": "16:9", "image": one})
    request = asked(XaiImages(), "both", NEAR, NEAR, size="2k")
    assert request.body == {"model": "m", "prompt": "both", "resolution": "2k", "images": [one, one]}


def test_xais_answer_says_what_it_costs_and_what_was_withheld() -> None:
    made = XaiImages().answer(
        reply({"data": [{"url": "https://imgen.x.ai/1", "mime_type": "image/jpeg"}], "usage": {"cost_in_usd_ticks": 200000000}}), None
    )
    assert made.media == ["https://imgen.x.ai/1"]
    assert made.usage.details.billed_nano_usd == 20_000_000
    with pytest.raises(Refused):
        XaiImages().answer(reply({"data": [{"url": "", "respect_moderation": False}]}), None)


def test_a_video_of_xai_is_a_job_until_its_answer_has_it() -> None:
    maker = XaiVideos()
    request = asked(maker, "a wave", NEAR, size="720p", seconds=6)
    wanted = {"model": "m", "prompt": "a wave", "resolution": "720p", "duration": 6, "image": {"url": NEAR_URL}}
    assert (request.path, request.body) == ("videos/generations", wanted)
    begun = maker.answer(reply({"request_id": "r 1"}), None)
    assert isinstance(begun, Job)
    assert (begun.id, begun.next.method, begun.next.path) == ("r 1", "GET", "videos/r%201")
    waiting = maker.answer(reply({"status": "pending", "progress": 10}), begun)
    assert isinstance(waiting, Job)
    done = {"status": "done", "video": {"url": "https://vidgen.x.ai/1.mp4", "duration": 6, "respect_moderation": True}, "model": "grok-v"}
    made = maker.answer(reply(done | {"usage": {"cost_in_usd_ticks": 3000000000}}), waiting)
    assert isinstance(made, Made)
    assert (made.media, made.seconds, made.model, made.response_id) == (["https://vidgen.x.ai/1.mp4"], 6.0, "grok-v", "r 1")
    assert made.usage.details.billed_nano_usd == 300_000_000


def test_a_video_is_changed_and_several_pictures_are_shown() -> None:
    film = Video("video/mp4", uri="https://example.com/a.mp4")
    request = asked(XaiVideos(), "at night", film)
    assert (request.path, request.body) == (
        "videos/edits",
        {"model": "m", "prompt": "at night", "video": {"url": "https://example.com/a.mp4"}},
    )
    request = asked(XaiVideos(), "both", NEAR, NEAR)
    assert request.body == {"model": "m", "prompt": "both", "reference_images": [{"url": NEAR_URL}] * 2}


@pytest.mark.parametrize(
    ("body", "code", "lost"),
    [
        ({"status": "failed", "error": {"code": "invalid_argument", "message": "no"}}, "invalid_argument", False),
        ({"status": "failed"}, "job_failed", False),
        ({"status": "expired"}, "job_expired", True),
        ({"status": "done", "video": {"url": "", "respect_moderation": False}}, "moderation_blocked", True),
    ],
)
def test_jobs_of_xai_that_end_otherwise_say_how(body: dict[str, Any], code: str, lost: bool) -> None:
    job = Job("r", Request("GET", "videos/r"), 0.0, "pending")
    with pytest.raises(JobFailed) as failed:
        XaiVideos().answer(reply(body), job)
    assert (failed.value.error.code, failed.value.lost) == (code, lost)


@pytest.mark.parametrize("body", [{}, {"status": "done"}, {"status": "sleeping"}, {"status": "done", "video": {"duration": 3}}, b"<html>"])
def test_what_is_no_job_of_xai_is_malformed(body: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        XaiVideos().answer(reply(body), Job("r", Request("GET", "videos/r"), 0.0, "pending"))


def test_speech_is_asked_of_each_in_its_own_words() -> None:
    said = ("Good morning", "cheerfully")
    request = asked(XaiSpeech(), *said, voice="eve")
    assert (request.path, request.dropped, request.characters) == ("tts", ("instructions",), 12)
    assert request.body == {"text": "Good morning", "language": "auto", "output_format": {"codec": "wav"}, "voice_id": "eve"}
    request = asked(MistralSpeech(), *said, voice="en_paul_neutral")
    assert request.body == {"model": "m", "input": "Good morning", "response_format": "wav", "voice": "en_paul_neutral"}
    assert request.dropped == ("instructions",)
    request = asked(OpenRouterSpeech(), *said)
    assert request.body == {"model": "m", "input": "Good morning", "voice": "alloy", "response_format": "mp3", "instructions": "cheerfully"}


def test_mistrals_sound_comes_in_json() -> None:
    assert MistralSpeech().answer(reply({"audio_data": base64.b64encode(b"ID3").decode()}), None).media == [(b"ID3", "")]
    with pytest.raises(ValueError, match="audio_data"):
        MistralSpeech().answer(reply({"audio_data": 1}), None)
    with pytest.raises(AnswerError):
        MistralSpeech().answer(reply({"error": {"message": "no voice"}}), None)


async def test_a_picture_in_json_is_encoded_while_it_is_sent(stub: Any, make_gateway: Callable[[Settings], Gateway]) -> None:
    """A maker's JSON has what stands for media, as a conversation's has."""
    accounts = {"x": Account(provider="xai", base_url=f"{stub.url}/v1")}
    gateway = make_gateway(Settings(accounts=accounts, routes={"r": Route(account="x", model="m", api="images")}))
    stub.replies({"data": [{"b64_json": base64.b64encode(PNG + b"new").decode()}], "usage": {"cost_in_usd_ticks": 10}})
    media = ct.Media(modality=ct.MODALITY_IMAGE, mime_type="image/png", inline=PNG)
    message = ct.Message(role=ct.ROLE_USER, parts=[ct.Part(text="softer"), ct.Part(media=media)])
    request = gw.GenerateRequest(route="r", messages=[message], output_modalities=[ct.MODALITY_IMAGE], extra_json='{"aspect_ratio":"auto"}')
    answer = await gateway.generate(request)
    await gateway.close()
    assert answer.parts[0].media.inline == PNG + b"new"
    assert answer.usage.output_images == 1
    url = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
    assert stub.requests[0][0] == "/v1/images/edits"
    assert stub.requests[0][2] == {
        "model": "m",
        "prompt": "softer",
        "image": {"url": url, "type": "image_url"},
        "aspect_ratio": "auto",
    }


def test_what_a_job_asks_is_the_same_whether_its_media_are_encoded_yet_or_not() -> None:
    splice = Splice()
    body = {"image": splice.put(PNG)}
    assert asked_of("r", "p", splice.written(body)) == asked_of("r", "p", splice.written(body))
    assert asked_of("r", "p", splice.written(body)) != asked_of("r", "q", splice.written(body))

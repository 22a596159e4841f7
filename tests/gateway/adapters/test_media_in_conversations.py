"""Sounds, pictures and videos in conversations: what goes in, what comes out, each in the provider's own form."""

from __future__ import annotations

import base64
import io

import av
import numpy as np
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionAudioParam, ChatCompletionContentPartInputAudioParam
from openai.types.responses import Response
from openai.types.responses.tool_param import ImageGeneration
from PIL import Image as Picture
from pydantic import TypeAdapter

from gateway.adapters.base import AnswerError, Capabilities
from gateway.adapters.blocks import Ask, Image, Turn
from gateway.adapters.compatible import Compatible
from gateway.adapters.openai_chat import OpenAIChat
from gateway.adapters.openai_responses import OpenAIResponses
from gateway.asking.frames import NoFrames, sample_frames
from gateway.asking.parts import turns_of
from genlevel.runtime.errors import CallFailed, ConfigurationError
from genlevel.runtime.settings import Account, Route, RouteMedia, Settings
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw

WAV = b"RIFF\x24\x00\x00\x00WAVEfmt "
PNG = b"\x89PNG\r\n\x1a\n some picture"
EVERYTHING = frozenset({ct.MODALITY_TEXT, ct.MODALITY_IMAGE, ct.MODALITY_AUDIO, ct.MODALITY_VIDEO})
TEXT_AND_AUDIO = frozenset({ct.MODALITY_TEXT, ct.MODALITY_AUDIO})
NONE = gw.GenerationParameters()


def video(frames=40, size=(64, 48)):
    """A real video whose frames grow lighter."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for number in range(frames):
            grey = np.full((size[1], size[0], 3), 5 * number % 256, np.uint8)
            for packet in stream.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return buffer.getvalue()


async def fetch(reference):
    raise AssertionError("nothing is stored here")


async def turns(media, capabilities=OpenAIChat.capabilities, modalities=EVERYTHING, **options):
    message = ct.Message(role=ct.ROLE_USER, parts=[ct.Part(media=media), ct.Part(text="What is it?")])
    return await turns_of([message], capabilities, modalities, fetch, "openai/m", **options)


@pytest.mark.parametrize(("mime_type", "form"), [("audio/wav", "wav"), ("audio/mpeg", "mp3")])
async def test_a_sound_goes_into_a_conversation(mime_type, form):
    (turn,) = await turns(ct.Media(modality=ct.MODALITY_AUDIO, mime_type=mime_type, inline=WAV))
    body = OpenAIChat().request("gpt-audio", Ask([turn], NONE))
    part = body["messages"][0]["content"][0]
    TypeAdapter(ChatCompletionContentPartInputAudioParam).validate_python(part)
    assert part["input_audio"] == {"data": base64.b64encode(WAV).decode(), "format": form}


@pytest.mark.parametrize(
    ("mime_type", "modalities", "said"),
    [
        ("audio/flac", EVERYTHING, "does not take audio/flac (it takes mpeg, wav, x-wav)"),
        ("audio/wav", EVERYTHING - {ct.MODALITY_AUDIO}, "does not take audio"),
    ],
)
async def test_a_sound_that_cannot_be_sent_is_refused_by_name(mime_type, modalities, said):
    with pytest.raises(CallFailed) as refused:
        await turns(ct.Media(modality=ct.MODALITY_AUDIO, mime_type=mime_type, inline=WAV), modalities=modalities)
    assert refused.value.error_class == gw.ERROR_CLASS_UNSUPPORTED
    assert refused.value.part == "messages[0].parts[0]"
    assert said in refused.value.message


async def test_an_adapter_without_sounds_refuses_them():
    media = ct.Media(modality=ct.MODALITY_AUDIO, mime_type="audio/wav", inline=WAV)
    with pytest.raises(CallFailed, match="does not take audio"):
        await turns(media, capabilities=OpenAIResponses.capabilities)


def test_speech_is_asked_for_with_a_voice_and_comes_with_its_transcript():
    body = OpenAIChat().request("gpt-audio", Ask([Turn("user", ["Hello"])], NONE))
    OpenAIChat().ask_for(body, TEXT_AND_AUDIO, RouteMedia(voice="coral"))
    assert body["modalities"] == ["text", "audio"]
    TypeAdapter(ChatCompletionAudioParam).validate_python(body["audio"])
    assert body["audio"] == {"voice": "coral", "format": "wav"}
    message = {
        "role": "assistant", "content": None,
        "audio": {"id": "a", "data": base64.b64encode(WAV).decode(), "expires_at": 1, "transcript": "Good day."},
    }  # fmt: skip
    answer = {"id": "c", "object": "chat.completion", "created": 1, "model": "gpt-audio", "choices": [
        {"index": 0, "finish_reason": "stop", "message": message, "logprobs": None}]}  # fmt: skip
    ChatCompletion.model_validate(answer)
    text, sound = OpenAIChat().answer(answer).parts
    assert text.text == "Good day."
    assert (sound.media.modality, sound.media.mime_type, sound.media.inline) == (ct.MODALITY_AUDIO, "audio/wav", WAV)


def test_the_responses_api_draws_with_its_tool():
    body = OpenAIResponses().request("gpt-x", Ask([Turn("user", ["A cat"])], NONE))
    OpenAIResponses().ask_for(body, frozenset({ct.MODALITY_IMAGE}), RouteMedia(size="1024x1024", extra={"background": "opaque"}))
    TypeAdapter(ImageGeneration).validate_python(body["tools"][0])
    assert body["tools"] == [{"type": "image_generation", "size": "1024x1024", "background": "opaque"}]
    call = {"id": "i", "type": "image_generation_call", "status": "completed", "result": base64.b64encode(PNG).decode()}
    answer = {
        "id": "r", "object": "response", "created_at": 1.0, "model": "gpt-x", "status": "completed", "output": [call],
        "parallel_tool_calls": True, "tool_choice": "auto", "tools": [],
    }  # fmt: skip
    Response.model_validate(answer)
    (part,) = OpenAIResponses().answer(answer).parts
    assert (part.media.mime_type, part.media.inline) == ("image/png", PNG)
    call |= {"status": "failed", "result": None, "error": {"code": "moderation_blocked", "message": "no", "type": "x"}}
    with pytest.raises(AnswerError) as blocked:
        OpenAIResponses().answer(answer)
    assert blocked.value.error.code == "moderation_blocked"


@pytest.mark.parametrize("place", ["images", "content"])
def test_pictures_of_other_servers_are_read_wherever_they_put_them(place):
    url = {"url": f"data:image/png;base64,{base64.b64encode(PNG).decode()}"}
    picture = {"type": "image_url", "image_url": url}
    message = {"role": "assistant", "content": "Here:", "images": [picture]}
    if place == "content":
        message = {"role": "assistant", "content": [{"type": "text", "text": "Here:"}, picture]}
    text, part = Compatible().answer({"choices": [{"message": message, "finish_reason": "stop"}]}).parts
    assert text.text == "Here:"
    assert part.media.inline == PNG
    body = {}
    Compatible().ask_for(body, frozenset({ct.MODALITY_IMAGE}), RouteMedia())
    assert body == {"modalities": ["text", "image"]}


async def test_a_video_goes_as_some_of_its_frames_where_the_route_says_so():
    media = ct.Media(modality=ct.MODALITY_VIDEO, mime_type="video/mp4", inline=video())
    (turn,) = await turns(media, video_frames=4)
    *frames, text = turn.blocks
    assert text == "What is it?"
    assert all(isinstance(frame, Image) for frame in frames)
    shades = [np.asarray(Picture.open(io.BytesIO(base64.b64decode(frame.base64)))).mean() for frame in frames]
    assert shades == pytest.approx([5 * place for place in (5, 15, 25, 35)], abs=4)
    with pytest.raises(CallFailed, match="does not take video"):
        await turns(media)
    few = Capabilities(parameters={}, image_count=3)
    with pytest.raises(CallFailed, match="more than 3 images in one request"):
        await turns(media, capabilities=few, video_frames=4)


@pytest.mark.parametrize(("frames", "asked", "got"), [(3, 8, 3), (1, 4, 1), (16, 16, 16), (100, 7, 7)])
def test_no_frame_is_taken_twice(frames, asked, got):
    assert len(sample_frames(video(frames, (16, 16)), asked)) == got


@pytest.mark.parametrize("data", [b"", b"not a video", WAV, video(4)[:200]])
def test_what_is_no_video_is_said_so(data):
    with pytest.raises(NoFrames):
        sample_frames(data, 4)


async def test_a_video_that_cannot_be_decoded_is_the_callers_fault():
    media = ct.Media(modality=ct.MODALITY_VIDEO, mime_type="video/mp4", inline=b"not a video")
    with pytest.raises(CallFailed, match=r"messages\[0\]\.parts\[0\]: no frames can be taken from the video") as refused:
        await turns(media, video_frames=4)
    assert refused.value.error_class == gw.ERROR_CLASS_CALLER_FAULT


def test_a_route_says_how_many_frames_it_takes(make_gateway):
    accounts = {"o": Account(provider="openai")}
    routes = {"r": Route(account="o", model="m", video_frames=8)}
    info = make_gateway(Settings(accounts=accounts, routes=routes))._routes.resolve("r").info()
    assert ct.MODALITY_VIDEO in info.input_modalities
    assert info.video_frames == 8
    with pytest.raises(ConfigurationError, match=r"routes\.r\.video_frames: m takes no images"):
        make_gateway(Settings(accounts=accounts, routes={"r": Route(account="o", model="m", video_frames=8, input_modalities=["text"])}))

"""Models that only transcribe, asked through the gateway: what they are sent, what their answers say and cost, and what is refused."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from email import message_from_bytes
from typing import Any

import pytest
from aiohttp import web

from gateway.adapters.base import AnswerError
from gateway.adapters.making import Reply
from gateway.adapters.transcription import OpenAITranscription, milliseconds, nano_usd
from gateway.service import Gateway
from genlevel.runtime.errors import CallFailed
from genlevel.runtime.settings import Account, ModelPrice, Route, RouteMedia, Settings
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw

WAV = b"RIFF\x00\x00\x00\x00WAVEfmt " + bytes(100)
PROVIDERS = ("openai", "mistral", "openrouter", "xai", "deepgram", "groq", "compatible")
USED = {"type": "tokens", "input_tokens": 30, "output_tokens": 5, "input_token_details": {"audio_tokens": 28}}
KNOWN = {"text": "Good morning.", "usage": USED}


class Provider:
    """Answers as it is told, and keeps what it was sent: path with its query, fields of a form or the body, and the file."""

    def __init__(self) -> None:
        self.answer: Any = KNOWN
        self.status = 200
        self.kind = "application/json"
        self.asked: list[tuple[str, Any, bytes]] = []
        self.headers: list[dict[str, str]] = []
        self.url = ""

    async def handle(self, request: web.Request) -> web.Response:
        raw = await request.read()
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        if request.content_type == "multipart/form-data":
            form = message_from_bytes(b"content-type: " + request.headers["content-type"].encode() + b"\r\n\r\n" + raw)
            fields, file, order = {}, b"", []
            for part in form.get_payload():  # type: ignore[union-attr]
                name = str(part.get_param("name", header="content-disposition"))  # type: ignore[union-attr]
                content = part.get_payload(decode=True)  # type: ignore[union-attr]
                order.append(name)
                if part.get_filename():  # type: ignore[union-attr]
                    file = content  # type: ignore[assignment]
                    fields["file"] = f"{part.get_filename()} {part.get_content_type()}"  # type: ignore[union-attr]
                else:
                    fields[name] = content.decode()  # type: ignore[union-attr]
            assert order[-1] == "file" or "file" not in order, "the file comes last"
            self.asked.append((request.path_qs, fields, file))
        else:
            self.asked.append((request.path_qs, json.loads(raw) if request.content_type == "application/json" else {}, raw))
        body = self.answer if isinstance(self.answer, bytes) else json.dumps(self.answer).encode()
        return web.Response(body=body, status=self.status, content_type=self.kind)


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    provider = Provider()
    application = web.Application()
    application.router.add_post("/{path:.*}", provider.handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    provider.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield provider
    await runner.cleanup()


@pytest.fixture
async def gateway(provider: Provider, make_gateway: Callable[[Settings], Gateway]) -> AsyncIterator[Gateway]:
    accounts = {name: Account(provider=name, base_url=f"{provider.url}/v1", api_key_env="GENLEVEL_TEST_KEY") for name in PROVIDERS}
    routes = {name: Route(account=name, model="hearer", api="transcription") for name in PROVIDERS}
    routes["priced"] = Route(account="openai", model="hearer", api="transcription", price=ModelPrice(per_input_second=Decimal("0.001")))
    routes["speakers"] = Route(account="openai", model="gpt-4o-transcribe-diarize", api="transcription")
    routes["fixed"] = Route(account="openai", model="hearer", api="transcription", media=RouteMedia(extra={"language": "en"}))
    made = make_gateway(Settings(accounts=accounts, routes=routes))
    yield made
    await made.close()


def heard(route: str, *texts: str, sounds: int = 1, extra: dict[str, Any] | None = None, **parameters: Any) -> gw.GenerateRequest:
    sound = ct.Part(media=ct.Media(modality=ct.MODALITY_AUDIO, mime_type="audio/wav", inline=WAV))
    parts = [*(ct.Part(text=text) for text in texts), *([sound] * sounds)]
    return gw.GenerateRequest(
        route=route,
        messages=[ct.Message(role=ct.ROLE_USER, parts=parts)],
        parameters=gw.GenerationParameters(**parameters),
        extra_json=json.dumps(extra) if extra else "",
    )


async def test_a_sound_becomes_its_text_and_a_text_guides(gateway: Gateway, provider: Provider) -> None:
    answer = await gateway.generate(heard("openai", "Names: Ruby", temperature=0.5, extra={"timestamp_granularities": ["word", "segment"]}))
    assert [part.text for part in answer.parts] == ["Good morning."]
    assert answer.finish_reason == gw.FINISH_REASON_STOP
    assert answer.usage == gw.Usage(input_tokens=30, output_tokens=5, details=gw.UsageDetails(input_audio_tokens=28))
    assert not answer.usage_incomplete
    assert not answer.dropped_parameters
    path, fields, file = provider.asked[0]
    assert path == "/v1/audio/transcriptions"
    assert fields == {
        "model": "hearer",
        "prompt": "Names: Ruby",
        "temperature": "0.5",
        "timestamp_granularities[]": "segment",
        "file": "sound.wav audio/wav",
    }
    assert file == WAV


@pytest.mark.parametrize("route", ["mistral", "openrouter", "xai", "speakers"])
async def test_a_text_that_an_api_has_no_place_for_is_left_out_by_name(gateway: Gateway, provider: Provider, route: str) -> None:
    answer = await gateway.generate(heard(route, "Transcribe this."))
    assert list(answer.dropped_parameters) == ["prompt"]
    assert provider.asked[0][0] == ("/v1/stt" if route == "xai" else "/v1/audio/transcriptions")
    assert "Transcribe this." not in str(provider.asked[0])
    assert (await gateway.generate(heard(route))).dropped_parameters == []


@pytest.mark.parametrize(("route", "left_out"), [("openai", ["max_output_tokens"]), ("deepgram", ["max_output_tokens", "temperature"])])
async def test_what_runs_ask_of_every_model_is_left_out_by_name(
    gateway: Gateway, provider: Provider, route: str, left_out: list[str]
) -> None:
    if route == "deepgram":
        provider.answer = {"results": {"channels": [{"alternatives": [{"transcript": "Hi"}]}]}}
    answer = await gateway.generate(heard(route, temperature=0.0, max_output_tokens=64))
    assert list(answer.dropped_parameters) == left_out
    (told,) = (await gateway.list_models(gw.ListModelsRequest(route=route))).models
    assert told.parameter_note == f"hearer does not take {' and '.join(left_out).replace('_', ' ')}; not sent"
    assert list(told.input_modalities) == [ct.MODALITY_AUDIO]
    assert list(told.output_modalities) == [ct.MODALITY_TEXT]


async def test_the_one_that_labels_speakers_is_asked_to_cut_the_sound_itself(gateway: Gateway, provider: Provider) -> None:
    provider.answer = {
        "task": "transcribe",
        "duration": 3.5,
        "text": "A: Hi",
        "segments": [{"speaker": "A", "text": "Hi", "start": 0, "end": 3}],
    }
    answer = await gateway.generate(heard("speakers", extra={"response_format": "diarized_json"}))
    assert provider.asked[0][1]["chunking_strategy"] == "auto"
    assert answer.parts[0].text == "A: Hi"
    assert answer.parts[1].vendor.value["segments"][0]["speaker"] == "A"
    assert answer.usage.details.input_milliseconds == 3500


async def test_deepgram_gets_the_sound_as_it_is_and_all_else_in_the_address(gateway: Gateway, provider: Provider) -> None:
    channels = [{"alternatives": [{"transcript": text, "confidence": 0.9}]} for text in ("Left.", "Right.")]
    info = {"a": {"name": "general-nova-3", "version": "2025-07-31.0"}}
    provider.answer = {"metadata": {"request_id": "r-1", "duration": 2.25, "model_info": info}, "results": {"channels": channels}}
    answer = await gateway.generate(
        heard("deepgram", "What is said?", extra={"language": "de", "keyterm": ["Ruby", "C & A"], "utterances": False})
    )
    path, _, raw = provider.asked[0]
    assert path == "/v1/listen?model=hearer&smart_format=true&language=de&keyterm=Ruby&keyterm=C+%26+A&utterances=false"
    assert raw == WAV
    assert (provider.headers[0]["content-type"], provider.headers[0]["authorization"]) == ("audio/wav", "Token sk-test-0123456789abcdef")
    assert answer.parts[0].text == "Left.\nRight."
    assert (answer.model, answer.response_id) == ("general-nova-3 2025-07-31.0", "r-1")
    assert answer.usage == gw.Usage(details=gw.UsageDetails(input_milliseconds=2250))
    assert not answer.usage_incomplete
    assert answer.parts[1].vendor.value["results"]["channels"][0]["alternatives"][0]["confidence"] == 0.9
    assert list(answer.dropped_parameters) == ["prompt"]


@pytest.mark.parametrize(
    ("status", "body", "reason", "said"),
    [
        (401, {"err_code": "INVALID_AUTH", "err_msg": "Invalid credentials.", "request_id": "u"}, "CREDENTIAL", "refused the key"),
        (400, {"err_code": "Bad Request", "err_msg": "failed: corrupt or unsupported data"}, "CALLER_FAULT", "corrupt or unsupported"),
        (402, {"err_code": "ASR_PAYMENT_REQUIRED", "err_msg": "Project does not have enough credits"}, "QUOTA", "enough credits"),
        (429, {"err_code": "TOO_MANY_REQUESTS", "err_msg": "Too many requests."}, "RATE_LIMIT", "limits the rate"),
    ],
)  # fmt: skip
async def test_what_deepgram_refuses_is_told_apart(
    *, gateway: Gateway, provider: Provider, status: int, body: dict[str, str], reason: str, said: str
) -> None:
    provider.status, provider.answer = status, body
    with pytest.raises(CallFailed, match=said) as failed:
        await gateway.generate(heard("deepgram"))
    assert failed.value.reason == reason


async def test_a_sound_is_billed_by_its_length_as_the_answer_says_it_or_its_file(
    gateway: Gateway, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.answer = {"text": "Hi", "usage": {"type": "duration", "seconds": 4}}
    answer = await gateway.generate(heard("priced"))
    assert (answer.usage.details.input_milliseconds, answer.cost_nano_usd) == (4000, 4_000_000)
    provider.answer = {"text": "Hi"}
    answer = await gateway.generate(heard("priced"))
    assert answer.usage_incomplete
    assert not answer.HasField("cost_nano_usd"), "the file does not say how long it is"
    monkeypatch.setattr("gateway.generating.duration_ms", lambda data: 1500 if data == WAV else 0)
    answer = await gateway.generate(heard("priced"))
    assert (answer.usage.details.input_milliseconds, answer.cost_nano_usd) == (1500, 1_500_000)


async def test_probabilities_of_tokens_and_plain_text_are_read(gateway: Gateway, provider: Provider) -> None:
    provider.answer = KNOWN | {"logprobs": [{"token": "Good", "bytes": [71], "logprob": -0.25}]}
    answer = await gateway.generate(heard("openai", logprobs=0))
    assert provider.asked[0][1]["include[]"] == "logprobs"
    assert [(one.token, one.logprob) for one in answer.logprobs] == [("Good", -0.25)]
    provider.answer, provider.kind = b"1\n00:00:00,000 --> 00:00:01,000\nHi\n", "text/plain"
    answer = await gateway.generate(heard("compatible", extra={"response_format": "srt"}))
    assert answer.parts[0].text == "1\n00:00:00,000 --> 00:00:01,000\nHi"
    assert answer.usage_incomplete


async def test_silence_is_an_empty_text_and_no_missing_one(gateway: Gateway, provider: Provider) -> None:
    provider.answer = {"text": ""}
    answer = await gateway.generate(heard("groq"))
    assert [part.WhichOneof("part") for part in answer.parts] == ["text"]


@pytest.mark.parametrize("answer", [{"texts": "x"}, {"text": None}, {"text": ["x"]}, b"<html>sorry</html>", b""])
async def test_what_is_no_transcript_is_malformed(gateway: Gateway, provider: Provider, answer: Any) -> None:
    provider.answer = answer
    with pytest.raises(CallFailed, match="malformed body") as failed:
        await gateway.generate(heard("openai"))
    assert (failed.value.reason, failed.value.may_be_charged) == ("TRANSIENT", True)


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (heard("fixed", extra={"language": "de"}), "the request has language already"),
        (heard("openai", extra={"model": "other"}), "the request has model already"),
        (heard("openai", top_p=0.5), "has no parameter top_p in its transcription API"),
    ],
)
async def test_what_cannot_be_asked_is_refused_in_one_line(
    gateway: Gateway, provider: Provider, request_: gw.GenerateRequest, said: str
) -> None:
    with pytest.raises(CallFailed, match=said) as failed:
        await gateway.generate(request_)
    assert failed.value.reason == "CALLER_FAULT"
    assert not provider.asked


@pytest.mark.parametrize("sounds", [0, 2])
async def test_what_has_no_sound_or_several_is_unsupported_and_not_sent(gateway: Gateway, provider: Provider, sounds: int) -> None:
    with pytest.raises(CallFailed, match=f"a transcriber takes one sound; this request has {sounds}") as failed:
        await gateway.generate(heard("openai", "hello", sounds=sounds))
    assert failed.value.reason == "UNSUPPORTED", "as tasks of other modalities are: no fault of a run"
    assert not provider.asked
    (model,) = (await gateway.list_models(gw.ListModelsRequest(route="openai"))).models
    assert list(model.input_modalities) == [ct.MODALITY_AUDIO]


async def test_a_conversation_and_a_picture_are_not_transcribed(gateway: Gateway, provider: Provider) -> None:
    request = heard("openai")
    request.messages.add(role=ct.ROLE_ASSISTANT, parts=[ct.Part(text="earlier")])
    with pytest.raises(CallFailed, match="takes no earlier answers"):
        await gateway.generate(request)
    picture = ct.Part(media=ct.Media(modality=ct.MODALITY_IMAGE, mime_type="image/png", inline=b"x"))
    with pytest.raises(CallFailed, match="does not take image"):
        await gateway.generate(gw.GenerateRequest(route="openai", messages=[ct.Message(role=ct.ROLE_USER, parts=[picture])]))
    assert not provider.asked


def test_lengths_and_prices_of_answers_are_numbers_or_nothing() -> None:
    assert [milliseconds(value) for value in (3, 3.7, "3", None, True, -1, 1e12)] == [3000, 3700, 0, 0, 0, 0, 0]
    assert [nano_usd(value) for value in (0.00010625, "0.1", 0, None, "free", -1, True)] == [106250, 100_000_000, 0, None, None, None, None]


DELTA = b'data: {"type":"transcript.text.delta","delta":"Good "}\n\n'
DONE = b'data: {"type":"transcript.text.done","text":"Good morning.","usage":{"type":"duration","seconds":2}}\n\n'


def read(raw: bytes) -> Any:
    return OpenAITranscription().answer(Reply({"content-type": "text/event-stream; charset=utf-8"}, raw, None), None)


def test_a_stream_that_is_cut_off_anywhere_is_a_failure_or_the_whole_transcript() -> None:
    whole = DELTA + DONE
    for cut in range(len(whole) + 1):
        try:
            made = read(whole[:cut])
        except ValueError:
            assert cut < len(whole) - 2
        else:
            assert list(made.texts) == ["Good morning."]
            assert made.usage.details.input_milliseconds == 2000


def test_an_error_in_a_stream_is_that_calls_error() -> None:
    with pytest.raises(AnswerError, match="overloaded"):
        read(DELTA + b'data: {"type":"error","error":{"code":"server_error","message":"overloaded"}}\n\n')

"""Gemini's converters, without a network: what is sent, what is read, and that what it answers can go back to it."""

from __future__ import annotations

import base64
import copy
import io
import json
import wave
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.base import AnswerError, Refused
from gateway.adapters.blocks import (
    Ask,
    Audio,
    Called,
    Choice,
    Document,
    Function,
    Image,
    Result,
    Thought,
    Turn,
    Vendor,
    Video,
)
from gateway.adapters.gemini import Gemini, VertexGemini
from gateway.answering.errors import error_class
from gateway.bodies import Json
from gateway.streams.gemini import GeminiAssembler
from gateway.streams.listed import EventsOrList
from gateway.streams.reading import Reading
from gateway.structs import plain
from genlevel.runtime.errors import CallFailed, ErrorClass
from genlevel.runtime.settings import RouteMedia
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw

NONE = gw.GenerationParameters()
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(8)).decode()
USAGE = {"promptTokenCount": 10, "candidatesTokenCount": 3, "totalTokenCount": 13}


def body_of(*turns: Turn, parameters: gw.GenerationParameters = NONE, **ask: Any) -> dict[str, Any]:
    return Gemini().request("gemini-x", Ask(turns, parameters, **ask))


def answer(*parts: Json, reason: str = "STOP", candidate: Mapping[str, Any] | None = None, **body: Any) -> dict[str, Any]:
    first = {"content": {"role": "model", "parts": list(parts)}, "finishReason": reason, "index": 0, **(candidate or {})}
    return {"candidates": [first], "usageMetadata": USAGE, "modelVersion": "gemini-x-001", "responseId": "r1", **body}


@pytest.mark.parametrize(
    ("adapter", "model", "path"),
    [
        (Gemini(), "gemini-3.8-flash", "models/gemini-3.8-flash"),
        (Gemini(), "models/gemini-3.8-flash", "models/gemini-3.8-flash"),
        (Gemini(), "tunedModels/mine-1", "tunedModels/mine-1"),
        (Gemini(), "x?alt=json#y", "models/x%3Falt%3Djson%23y"),
        (VertexGemini(), "gemini-3.8-flash", "publishers/google/models/gemini-3.8-flash"),
        (VertexGemini(), "publishers/google/models/gemini-3.8-flash", "publishers/google/models/gemini-3.8-flash"),
        (VertexGemini(), "endpoints/123", "endpoints/123"),
        (VertexGemini(), "meta/llama-9", "publishers/meta/models/llama-9"),
    ],
)
def test_a_model_has_a_path_of_its_own(adapter: Gemini, model: str, path: str) -> None:
    assert adapter.path(model, streamed=False) == f"{path}:generateContent"
    assert adapter.path(model, streamed=True) == f"{path}:streamGenerateContent?alt=sse"


def test_a_model_named_with_its_project_is_told_where_that_belongs() -> None:
    with pytest.raises(CallFailed, match="project and region in its account"):
        VertexGemini().path("projects/p/locations/l/endpoints/1", streamed=False)


def test_each_kind_of_block_goes_in_its_own_form() -> None:
    video = Video("video/mp4", base64="QUJD", fps=2.0, start_s=1.5, end_s=20.0)
    body = body_of(
        Turn("system", ["Be brief."]),
        Turn("user", ["Look:", Image("image/png", base64="QUJD"), Audio("audio/wav", base64="QUJD"), video]),
        Turn("assistant", [Thought("hm"), Called("c1", "look", '{"at": 1}')], {1: {"thoughtSignature": "sig"}}),
        Turn("user", [Document("application/pdf", uri="gs://b/o.pdf"), Video("", uri="https://youtu.be/x")]),
        Turn("user", [Image("image/png", base64="QUJD", detail="ultra_high")]),
    )
    assert body == {
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "contents": [
            {
                "role": "user",
                "parts": [
                    {"text": "Look:"},
                    {"inlineData": {"mimeType": "image/png", "data": "QUJD"}},
                    {"inlineData": {"mimeType": "audio/wav", "data": "QUJD"}},
                    {
                        "inlineData": {"mimeType": "video/mp4", "data": "QUJD"},
                        "videoMetadata": {"fps": 2.0, "startOffset": "1.5s", "endOffset": "20s"},
                    },
                ],
            },
            {
                "role": "model",
                "parts": [
                    {"thought": True, "text": "hm"},
                    {"functionCall": {"id": "c1", "name": "look", "args": {"at": 1}}, "thoughtSignature": "sig"},
                ],
            },
            {
                "role": "user",
                "parts": [
                    {"fileData": {"mimeType": "application/pdf", "fileUri": "gs://b/o.pdf"}},
                    {"fileData": {"fileUri": "https://youtu.be/x"}},
                ],
            },
            {
                "role": "user",
                "parts": [
                    {
                        "inlineData": {"mimeType": "image/png", "data": "QUJD"},
                        "mediaResolution": {"level": "MEDIA_RESOLUTION_ULTRA_HIGH"},
                    }
                ],
            },
        ],
    }


def test_results_of_one_round_of_calls_go_in_one_content() -> None:
    """Else: "ensure that the number of function response parts is equal to the number of function call parts of the function call turn"."""
    body = body_of(
        Turn("assistant", [Called("", "one", "{}"), Called("b", "two", "")]),
        Turn("tool", [Result("", "one", '{"n": 1}')]),
        Turn("tool", [Result("b", "two", "it failed", is_error=True, media=[Image("image/png", base64="QUJD")])]),
        Turn("user", ["Go on."]),
        Turn("tool", [Result("d", "three", "plain")]),
    )
    assert [content["role"] for content in body["contents"]] == ["model", "user", "user", "user"]
    assert body["contents"][1]["parts"] == [
        {"functionResponse": {"name": "one", "response": {"n": 1}}},
        {
            "functionResponse": {
                "id": "b",
                "name": "two",
                "response": {"error": "it failed"},
                "parts": [{"inlineData": {"mimeType": "image/png", "data": "QUJD"}}],
            }
        },
    ]
    assert body["contents"][3]["parts"][0]["functionResponse"]["response"] == {"output": "plain"}


def test_a_system_message_between_others_is_refused_by_its_path() -> None:
    with pytest.raises(CallFailed, match=r"messages\[1\]") as caught:
        body_of(Turn("user", ["q"]), Turn("system", ["late"]))
    assert (caught.value.reason, caught.value.part) == ("UNSUPPORTED", "messages[1]")


def test_parameters_are_the_configuration_under_their_names() -> None:
    parameters = gw.GenerationParameters(
        temperature=0.5,
        max_output_tokens=9,
        top_p=0.9,
        top_k=40,
        seed=7,
        stop=["a", "b"],
        presence_penalty=0.1,
        frequency_penalty=0.2,
        logprobs=2,
        reasoning_effort="low",
        response_schema_json='{"type": "object"}',
    )
    assert body_of(Turn("user", ["q"]), parameters=parameters)["generationConfig"] == {
        "temperature": 0.5,
        "maxOutputTokens": 9,
        "topP": 0.9,
        "topK": 40,
        "seed": 7,
        "stopSequences": ["a", "b"],
        "presencePenalty": 0.1,
        "frequencyPenalty": 0.2,
        "responseLogprobs": True,
        "logprobs": 2,
        "thinkingConfig": {"thinkingLevel": "low"},
        "responseMimeType": "application/json",
        "responseJsonSchema": {"type": "object"},
    }
    assert "generationConfig" not in body_of(Turn("user", ["q"]))


@pytest.mark.parametrize(
    ("parameters", "config"),
    [
        ({"reasoning_tokens": 0}, {"thinkingBudget": 0}),
        ({"reasoning_effort": "none"}, {"thinkingBudget": 0}),
        ({"reasoning_effort": "high", "reasoning_tokens": 512}, {"thinkingBudget": 512, "thinkingLevel": "high"}),
    ],
)
def test_thinking_has_a_level_or_a_budget(parameters: dict[str, Any], config: dict[str, Any]) -> None:
    asked = gw.GenerationParameters(**parameters)
    assert body_of(Turn("user", ["q"]), parameters=asked)["generationConfig"]["thinkingConfig"] == config


TOOLS = [Function("f", "does", {"type": "object"}), Vendor({"googleSearch": {}}), Function("g", "", None)]


def test_functions_go_together_and_other_tools_as_they_are() -> None:
    assert body_of(Turn("user", ["q"]), tools=TOOLS)["tools"] == [
        {"functionDeclarations": [{"name": "f", "description": "does", "parametersJsonSchema": {"type": "object"}}, {"name": "g"}]},
        {"googleSearch": {}},
    ]


@pytest.mark.parametrize(
    ("choice", "strict", "config"),
    [
        (Choice(), None, None),
        (Choice(), True, {"mode": "VALIDATED"}),
        (Choice("auto"), None, {"mode": "AUTO"}),
        (Choice("auto"), True, {"mode": "VALIDATED"}),
        (Choice("none"), True, {"mode": "NONE"}),
        (Choice("required", parallel=True), None, {"mode": "ANY"}),
        (Choice("named", "f"), None, {"mode": "ANY", "allowedFunctionNames": ["f"]}),
    ],
)
def test_a_choice_of_tools_is_a_mode_of_calling(choice: Choice, strict: bool | None, config: Json | None) -> None:
    body = body_of(Turn("user", ["q"]), tools=[Function("f", "", None, strict)], choice=choice)
    assert body.get("toolConfig", {}).get("functionCallingConfig") == config


def test_calls_one_after_another_cannot_be_asked_for() -> None:
    with pytest.raises(CallFailed, match=r"tool_choice\.parallel"):
        body_of(Turn("user", ["q"]), tools=TOOLS, choice=Choice("auto", parallel=False))


@pytest.mark.parametrize(
    ("outputs", "media", "config"),
    [
        ({ct.MODALITY_IMAGE}, {"size": "16:9"}, {"responseModalities": ["TEXT", "IMAGE"], "imageConfig": {"aspectRatio": "16:9"}}),
        ({ct.MODALITY_IMAGE}, {"size": "2K"}, {"responseModalities": ["TEXT", "IMAGE"], "imageConfig": {"imageSize": "2K"}}),
        (
            {ct.MODALITY_AUDIO, ct.MODALITY_TEXT},
            {"voice": "Kore", "size": "1:1"},
            {"responseModalities": ["AUDIO"], "speechConfig": {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "Kore"}}}},
        ),
    ],
)
def test_other_answers_than_text_are_asked_for(outputs: set[int], media: dict[str, Any], config: Json) -> None:
    body: Json = {"contents": []}
    Gemini().ask_for(body, frozenset(outputs), RouteMedia(**media))
    assert body["generationConfig"] == config


def test_how_a_text_is_read_aloud_is_said_before_it() -> None:
    for texts, said in ((["Hello.", "Whisper"], "Whisper:\n\nHello."), (["Hello."], "Hello.")):
        body = body_of(Turn("user", texts))
        Gemini().ask_for(body, frozenset({ct.MODALITY_AUDIO}), RouteMedia())
        assert body["contents"] == [{"role": "user", "parts": [{"text": said}]}]


def test_an_answer_has_text_thoughts_calls_and_what_is_beside_them() -> None:
    read = Gemini().answer(
        answer(
            {"text": "first I", "thought": True},
            {"text": "Paris", "thoughtSignature": "s1"},
            {"functionCall": {"name": "f", "args": {"n": 12345678901234567}}, "thoughtSignature": "s2"},
            {"executableCode": {"language": "PYTHON", "code": "1+1"}},
            candidate={
                "avgLogprobs": -0.5,
                "finishMessage": "Model generated function call(s).",
                "safetyRatings": [{"category": "C", "probability": "LOW"}],
                "logprobsResult": {
                    "chosenCandidates": [{"token": "Pa", "logProbability": -0.1}, {"token": "ris"}],
                    "topCandidates": [{"candidates": [{"token": "Pa", "logProbability": -0.1}, {"token": "Lo", "logProbability": -2}]}],
                },
            },
        )
    )
    thought, text, call, code, beyond = read.parts
    assert (thought.reasoning.text, text.text, call.tool_call.name) == ("first I", "Paris", "f")
    assert json.loads(call.tool_call.arguments_json) == {"n": 12345678901234567}
    assert (plain(text.vendor_fields), plain(call.vendor_fields)) == ({"thoughtSignature": "s1"}, {"thoughtSignature": "s2"})
    assert plain(code.vendor.value) == {"executableCode": {"language": "PYTHON", "code": "1+1"}}
    assert plain(beyond.vendor.value) == {"avgLogprobs": -0.5, "safetyRatings": [{"category": "C", "probability": "LOW"}]}
    assert [(token.token, token.logprob, len(token.top)) for token in read.logprobs] == [("Pa", -0.1, 2), ("ris", 0.0, 0)]
    assert (read.finish_reason, read.model, read.response_id) == (gw.FINISH_REASON_TOOL_CALLS, "gemini-x-001", "r1")


def test_a_plain_answer_is_its_text_alone() -> None:
    read = Gemini().answer(answer({"text": "Paris"}, createTime="2026-11-29T05:00:00Z"))
    assert [part.WhichOneof("part") for part in read.parts] == ["text"]


def test_further_candidates_and_how_a_call_was_served_are_kept() -> None:
    body = answer({"text": "one"})
    body["candidates"].append({"content": {"parts": [{"text": "two"}]}, "finishReason": "STOP", "index": 1})
    body["usageMetadata"] = {**USAGE, "trafficType": "PROVISIONED_THROUGHPUT", "serviceTier": "standard"}
    (_, beyond) = Gemini().answer(body).parts
    found = plain(beyond.vendor.value)
    assert found["candidates"] == [body["candidates"][1]]
    assert found["usageMetadata"] == {"trafficType": "PROVISIONED_THROUGHPUT"}


def test_pictures_and_sound_are_media_and_those_of_thoughts_are_not() -> None:
    sound = base64.b64encode(b"\x01\x00\x02\x00").decode()
    read = Gemini().answer(
        answer(
            {"inlineData": {"mimeType": "image/png", "data": PNG}, "thoughtSignature": "s"},
            {"inlineData": {"mimeType": "audio/L16;codec=pcm;rate=16000", "data": sound}},
            {"inlineData": {"mimeType": "image/png", "data": PNG}, "thought": True},
        )
    )
    picture, speech, draft = read.parts
    assert (picture.media.mime_type, plain(picture.vendor_fields)) == ("image/png", {"thoughtSignature": "s"})
    with wave.open(io.BytesIO(speech.media.inline)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16000, 1, 2)
        assert file.readframes(9) == b"\x01\x00\x02\x00"
    assert draft.HasField("vendor")


def test_a_signature_alone_is_reasoning_and_a_signed_picture_of_thoughts_stays_as_it_came() -> None:
    picture = {"inlineData": {"mimeType": "image/png", "data": PNG}, "thought": True, "thoughtSignature": "s"}
    thought, draft = Gemini().answer(answer({"thought": True, "thoughtSignature": "s"}, picture)).parts
    assert (thought.WhichOneof("part"), plain(thought.vendor_fields)) == ("reasoning", {"thoughtSignature": "s"})
    assert plain(draft.vendor.value) == picture


@pytest.mark.parametrize(
    "result", ["x", {"chosenCandidates": "x"}, {"chosenCandidates": [], "topCandidates": 7}, {"chosenCandidates": [7]}]
)
def test_log_probabilities_in_another_form_are_kept_as_they_came(result: Any) -> None:
    read = Gemini().answer(answer({"text": "x"}, candidate={"logprobsResult": result}))
    assert not read.logprobs
    assert plain(read.parts[-1].vendor.value) == {"logprobsResult": result}


@pytest.mark.parametrize("reason", ["SAFETY", "RECITATION", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY", "MODEL_ARMOR"])
def test_what_a_filter_withheld_is_a_refusal_and_what_it_cut_is_an_answer_that_says_so(reason: str) -> None:
    with pytest.raises(Refused, match=f"{reason}: because"):
        Gemini().answer(answer(reason=reason, candidate={"content": {}, "finishMessage": "because"}))
    read = Gemini().answer(answer({"text": "Once"}, reason=reason))
    assert read.finish_reason == gw.FINISH_REASON_CONTENT_FILTER
    assert plain(read.parts[-1].vendor.value)["finishReason"] == reason


def test_a_blocked_prompt_is_a_refusal_that_says_what_it_used() -> None:
    body = {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT", "blockReasonMessage": "no"}, "usageMetadata": {"promptTokenCount": 9}}
    with pytest.raises(Refused, match="the prompt was blocked: PROHIBITED_CONTENT, no"):
        Gemini().answer(body)
    assert Gemini().usage(body) == (gw.Usage(input_tokens=9), True)


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("STOP", gw.FINISH_REASON_STOP),
        (1, gw.FINISH_REASON_STOP),
        ("MAX_TOKENS", gw.FINISH_REASON_LENGTH),
        ("MALFORMED_FUNCTION_CALL", gw.FINISH_REASON_OTHER),
        ("UNEXPECTED_TOOL_CALL", gw.FINISH_REASON_OTHER),
        ("NO_IMAGE", gw.FINISH_REASON_OTHER),
        ("NEWER_THAN_THIS", gw.FINISH_REASON_OTHER),
    ],
)
def test_an_answer_without_parts_says_why_it_ended(reason: Any, finish: int) -> None:
    read = Gemini().answer(answer(reason=reason, candidate={"content": {"role": "model"}}))
    assert (read.finish_reason, [part for part in read.parts if not part.HasField("vendor")]) == (finish, [])


@pytest.mark.parametrize(
    ("reason", "expected"),
    [("MISSING_THOUGHT_SIGNATURE", ErrorClass.CALLER_FAULT), ("PUP_LIMITED_DISABLED", ErrorClass.CREDENTIAL)],
)
def test_a_reason_that_is_no_answers_is_an_error(reason: str, expected: ErrorClass) -> None:
    with pytest.raises(AnswerError) as caught:
        Gemini().answer(answer(reason=reason, candidate={"content": {}}))
    assert error_class(caught.value.error) == expected


def test_no_candidates_at_all_is_no_answer() -> None:
    with pytest.raises(ValueError, match="candidates is missing"):
        Gemini().answer({"usageMetadata": USAGE, "modelVersion": "m"})


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"promptTokenCount": 10, "candidatesTokenCount": 3, "thoughtsTokenCount": 5, "totalTokenCount": 18}, (10, 0, 3, 5)),
        ({"promptTokenCount": 10, "thoughtsTokenCount": 5, "totalTokenCount": 15}, (10, 0, 0, 5)),
        ({"promptTokenCount": 100, "cachedContentTokenCount": 90, "candidatesTokenCount": 1, "totalTokenCount": 101}, (10, 90, 1, 0)),
        ({"promptTokenCount": 9, "toolUsePromptTokenCount": 61, "candidatesTokenCount": 2, "totalTokenCount": 72}, (70, 0, 2, 0)),
        # what the total has beyond is billed, whatever it is
        ({"promptTokenCount": 10, "candidatesTokenCount": 3, "totalTokenCount": 20}, (10, 0, 10, 0)),
    ],
)
def test_usage_is_in_buckets_that_have_nothing_in_common(usage: Json, expected: tuple[int, ...]) -> None:
    found, known = Gemini().usage({"usageMetadata": usage})
    assert known
    assert (found.input_tokens, found.cache_read_tokens, found.output_tokens, found.reasoning_tokens) == expected


@pytest.mark.parametrize(
    "usage",
    [
        None,
        {"candidatesTokenCount": 3},
        {"promptTokenCount": 9, "candidatesTokenCount": "many"},
        {"promptTokenCount": 9, "candidatesTokenCount": 3, "thoughtsTokenCount": -1},
        {"promptTokenCount": 9, "candidatesTokenCount": 3, "toolUsePromptTokenCount": 0.5},
    ],
)
def test_counts_that_are_missing_or_cannot_be_read_are_unknown(usage: Any) -> None:
    assert not Gemini().usage({"usageMetadata": usage})[1]
    assert not Gemini().answer({**answer({"text": "x"}), "usageMetadata": usage}).usage_is_known


def test_tokens_of_media_are_told_beside_the_answer() -> None:
    media = [{"modality": "TEXT", "tokenCount": 4}, {"modality": "VIDEO", "tokenCount": 1290}]
    body = answer({"text": "a film"})
    body["usageMetadata"] = {**USAGE, "promptTokensDetails": media, "candidatesTokensDetails": [{"modality": "TEXT", "tokenCount": 3}]}
    (_, beyond) = Gemini().answer(body).parts
    assert plain(beyond.vendor.value) == {"usageMetadata": {"promptTokensDetails": media}}


PARTS = st.one_of(
    st.builds(lambda text: {"text": text}, st.text(min_size=1)),
    st.builds(lambda text, sign: {"text": text, "thoughtSignature": sign}, st.text(), st.text(min_size=1)),
    st.builds(lambda text: {"text": text, "thought": True}, st.text(min_size=1)),
    st.builds(lambda sign: {"thought": True, "thoughtSignature": sign}, st.text(min_size=1)),
    st.builds(
        lambda name, args, more: {"functionCall": {"name": name, "args": args, **more}},
        st.text("abc", min_size=1),
        st.dictionaries(st.text(max_size=5), st.one_of(st.none(), st.integers(-(2**60), 2**60), st.text())),
        st.sampled_from([{}, {"id": "c1"}]),
    ),
    st.builds(lambda code: {"executableCode": {"code": code, "language": "PYTHON"}, "thoughtSignature": "s"}, st.text()),
)


@given(st.lists(PARTS, max_size=6))
def test_what_it_answers_goes_back_as_it_came(parts: list[Json]) -> None:
    read = Gemini().answer(answer(*copy.deepcopy(parts), candidate={"avgLogprobs": -1.5}))
    blocks: list[Any] = []
    fields: dict[int, Json] = {}
    for part in read.parts:
        if part.HasField("vendor_fields"):
            fields[len(blocks)] = plain(part.vendor_fields)
        match part.WhichOneof("part"):
            case "text":
                blocks.append(part.text)
            case "reasoning":
                blocks.append(Thought(part.reasoning.text))
            case "tool_call":
                blocks.append(Called(part.tool_call.id, part.tool_call.name, part.tool_call.arguments_json))
            case _:
                blocks.append(Vendor(plain(part.vendor.value)))
    assert body_of(Turn("assistant", blocks, fields))["contents"][0]["parts"] == parts


JSON = st.recursive(st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3), lambda inner: st.lists(inner, max_size=2))
FIELDS = ["candidates", "content", "parts", "text", "thought", "finishReason", "usageMetadata", "promptTokenCount", "inlineData", "data"]
BODIES = st.recursive(
    JSON, lambda inner: st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4) | st.lists(inner, max_size=2), max_leaves=12
)


@given(st.dictionaries(st.sampled_from(FIELDS), BODIES))
def test_whatever_comes_is_an_answer_or_no_answer(body: Json) -> None:
    Gemini().usage(body)
    for read in (lambda: Gemini().answer(body), lambda: Gemini().answer({**answer({"text": "x"}), **body})):
        try:
            assert isinstance(read().parts, list)
        except (Refused, AnswerError, ValueError):
            continue


def stream_reading() -> Reading:
    return Reading(EventsOrList(), GeminiAssembler())


def sse(*chunks: Json) -> bytes:
    return b"".join(b"data: %b\r\n\r\n" % json.dumps(chunk).encode() for chunk in chunks)


def test_chunks_amount_to_the_answer_and_signed_parts_stay_apart() -> None:
    reading = stream_reading()
    pieces = reading.feed(
        sse(
            {"candidates": [{"content": {"role": "model", "parts": [{"text": "hm", "thought": True}]}, "index": 0}], "responseId": "r1"},
            {"candidates": [{"content": {"parts": [{"text": " so", "thought": True}, {"text": "Pa"}]}, "index": 0}]},
            {"candidates": [{"content": {"parts": [{"text": "ris"}]}, "index": 0}], "usageMetadata": {"promptTokenCount": 10}},
            {
                "candidates": [{"content": {"parts": [{"text": "", "thoughtSignature": "s"}]}, "finishReason": "STOP"}],
                "usageMetadata": USAGE,
            },
        )
    )
    assert [piece.reasoning.text or piece.text for piece in pieces] == ["hm", " so", "Pa", "ris", ""]
    body: dict[str, Any] = reading.end()
    assert body["candidates"][0]["content"]["parts"] == [
        {"text": "hm so", "thought": True},
        {"text": "Paris"},
        {"text": "", "thoughtSignature": "s"},
    ]
    assert (body["usageMetadata"], body["responseId"]) == (USAGE, "r1")
    assert "".join(part.text for part in Gemini().answer(body).parts) == "Paris"


def test_what_chunks_tell_of_their_own_text_is_joined_and_all_else_replaced() -> None:
    def chunk(token: str, rating: str, **candidate: Any) -> Json:
        told = {"logprobsResult": {"chosenCandidates": [{"token": token}]}, "safetyRatings": [rating]}
        return {"candidates": [{"content": {"parts": [{"text": token}]}, **told, **candidate}]}

    reading = stream_reading()
    reading.feed(sse(chunk("a", "low"), chunk("b", "high", finishReason="STOP")))
    (candidate,) = reading.end()["candidates"]  # type: ignore[misc]
    assert candidate["logprobsResult"]["chosenCandidates"] == [{"token": "a"}, {"token": "b"}]  # type: ignore[index]
    assert candidate["safetyRatings"] == ["high"]  # type: ignore[index]


def test_a_stream_that_does_not_say_why_it_ended_is_cut() -> None:
    reading = stream_reading()
    reading.feed(sse({"candidates": [{"content": {"parts": [{"text": "Pa"}]}}], "usageMetadata": USAGE}))
    with pytest.raises(ValueError, match="the stream ended before the answer did"):
        reading.end()


def test_an_error_within_a_stream_and_a_blocked_prompt_are_what_they_are_in_an_answer() -> None:
    with pytest.raises(AnswerError) as caught:
        stream_reading().feed(sse({"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}}))
    assert error_class(caught.value.error) == ErrorClass.TRANSIENT
    blocked = stream_reading()
    blocked.feed(sse({"promptFeedback": {"blockReason": "OTHER"}, "usageMetadata": USAGE}))
    with pytest.raises(Refused):
        Gemini().answer(blocked.end())


@given(st.lists(st.text(), min_size=1, max_size=4), st.integers(1, 40))
def test_a_list_of_chunks_is_read_as_the_events_are(texts: list[str], size: int) -> None:
    chunks: list[Json] = [{"candidates": [{"content": {"parts": [{"text": text}]}}]} for text in texts]
    chunks.append({"candidates": [{"content": {"parts": [{"text": '"]}\\'}]}, "finishReason": "STOP"}], "usageMetadata": USAGE})
    events, listed = stream_reading(), stream_reading()
    pieces = events.feed(sse(*chunks))
    written = b"\n " + json.dumps(chunks, indent=1, ensure_ascii=size % 2 == 0).encode()
    found = [piece for start in range(0, len(written), size) for piece in listed.feed(written[start : start + size])]
    assert found == pieces
    assert listed.end() == events.end()


def test_a_list_that_is_cut_is_no_answer_until_its_last_object_is_there() -> None:
    written = json.dumps([{"candidates": [{"content": {"parts": [{"text": "Pa"}]}, "finishReason": "STOP"}]}]).encode()
    for end in range(len(written) - 1):
        cut = stream_reading()
        cut.feed(written[:end])
        with pytest.raises(ValueError, match="the stream ended"):
            cut.end()
    with pytest.raises(ValueError, match="more than 0 MiB"):
        EventsOrList(most=5).feed(written[:-3])

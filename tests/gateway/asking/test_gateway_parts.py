"""Parts that can be sent are sent as they are; those that cannot are refused by name."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from gateway.adapters.base import Capabilities
from gateway.adapters.blocks import Image
from gateway.asking.parts import turns_of
from genlevel.runtime.errors import CallFailed, StorageError
from genlevel.v1 import content_pb2 as ct

TEXT_AND_IMAGE = frozenset({ct.MODALITY_TEXT, ct.MODALITY_IMAGE})
CAPABILITIES = Capabilities(parameters={}, image_details=frozenset({"low", "high"}), uris=frozenset({ct.MODALITY_IMAGE}))
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(200))
STORED = {"a" * 64: PNG}


async def fetch(reference: ct.BlobReference) -> bytes:
    if reference.sha256 not in STORED:
        raise StorageError(f"blob store: {reference.sha256} is not in /blobs")
    return STORED[reference.sha256]


def image(**source: Any) -> ct.Part:
    fields = {"modality": ct.MODALITY_IMAGE, "mime_type": "image/png", **source}
    return ct.Part(media=ct.Media(**fields))


async def turns(*parts: ct.Part, role: int = ct.ROLE_USER, capabilities: Capabilities = CAPABILITIES, modalities: Any = None) -> Any:
    message = ct.Message(role=role, parts=parts)  # type: ignore[arg-type]
    return await turns_of([message], capabilities, modalities or TEXT_AND_IMAGE, fetch, "openai/gpt-x")


async def refusal(*parts: ct.Part, **how: Any) -> tuple[str, str, str]:
    with pytest.raises(CallFailed) as caught:
        await turns(*parts, **how)
    return caught.value.reason, caught.value.part, caught.value.message


async def test_texts_and_images_keep_their_order() -> None:
    (turn,) = await turns(ct.Part(text="see"), image(inline=PNG), ct.Part(text="what?"), image(blob=ct.BlobReference(sha256="a" * 64)))
    assert turn.role == "user"
    encoded = base64.b64encode(PNG).decode()
    picture = Image("image/png", base64=encoded, data=PNG)
    assert turn.blocks == ["see", picture, "what?", picture]


async def test_a_uri_goes_to_the_provider_and_is_never_fetched() -> None:
    (turn,) = await turns(image(uri="https://example.org/a.png", mime_type=""))
    assert turn.blocks[0].url == "https://example.org/a.png"


@pytest.mark.parametrize("uri", ["http://example.org/a.png", "file:///etc/passwd", "data:image/png;base64,AA==", "ftp://x/a.png", ""])
async def test_other_uris_are_refused(uri: str) -> None:
    reason, part, _ = await refusal(ct.Part(text="x"), image(uri=uri))
    assert (reason, part) == ("CALLER_FAULT", "messages[0].parts[1]")


async def test_a_uri_is_refused_where_the_provider_does_not_fetch() -> None:
    reason, _, message = await refusal(image(uri="https://example.org/a.png"), capabilities=Capabilities(parameters={}))
    assert reason == "UNSUPPORTED"
    assert "by URI" in message


@pytest.mark.parametrize(("modality", "name"), [(ct.MODALITY_VIDEO, "video"), (ct.MODALITY_AUDIO, "audio"), (ct.MODALITY_THREE_D, "3d")])
async def test_other_modalities_are_refused_by_name(modality: int, name: str) -> None:
    reason, part, message = await refusal(ct.Part(text="x"), image(modality=modality, inline=b"x"))
    assert (reason, part) == ("UNSUPPORTED", "messages[0].parts[1]")
    assert name in message
    assert "openai/gpt-x" in message


async def test_an_image_is_refused_where_the_model_takes_text_only() -> None:
    reason, _, _ = await refusal(image(inline=PNG), modalities=frozenset({ct.MODALITY_TEXT}))
    assert reason == "UNSUPPORTED"


JPEG, WAV, MP4, PDF = b"\xff\xd8\xff\xe0", b"RIFF\0\0\0\0WAVEfmt ", b"\0\0\0\x18ftypisom", b"\xef\xbb\xbf\n%PDF-1.7"
ANYTHING = Capabilities(
    parameters={},
    audio_types=frozenset({"audio/wav", "audio/mp4"}),
    video_types=frozenset({"video/mp4", "video/webm"}),
    document_types=frozenset({"application/pdf", "text/plain"}),
)
ALL = frozenset({ct.MODALITY_TEXT, ct.MODALITY_IMAGE, ct.MODALITY_AUDIO, ct.MODALITY_VIDEO, ct.MODALITY_DOCUMENT})


@pytest.mark.parametrize(
    ("modality", "mime_type", "content", "really"),
    [
        (ct.MODALITY_AUDIO, "audio/wav", PNG, "image/png"),
        (ct.MODALITY_IMAGE, "image/png", WAV, "audio/wav"),
        (ct.MODALITY_IMAGE, "image/png", b"%PDF-1.7", "application/pdf"),
        (ct.MODALITY_VIDEO, "video/mp4", JPEG, "image/jpeg"),
        (ct.MODALITY_DOCUMENT, "application/pdf", b"Dear Sir, " * 200 + b"%PDF-", "no PDF"),
        (ct.MODALITY_DOCUMENT, "application/pdf", PNG, "no PDF"),
    ],
)
async def test_media_whose_bytes_are_something_else_are_refused_in_one_line(
    modality: int, mime_type: str, content: bytes, really: str
) -> None:
    part = image(inline=content, mime_type=mime_type, modality=modality)
    found = await refusal(ct.Part(text="x"), part, capabilities=ANYTHING, modalities=ALL)
    where = "messages[0].parts[1]"
    said = f"{where}.media says {mime_type}, and its bytes are {really}; correct its mime_type, or the file"
    assert found == ("CALLER_FAULT", where, said)


@pytest.mark.parametrize(
    ("modality", "mime_type", "content"),
    [
        (ct.MODALITY_IMAGE, "image/png", JPEG),  # the provider's matter
        (ct.MODALITY_IMAGE, "image/png", b"bytes of no known kind"),
        (ct.MODALITY_AUDIO, "audio/mp4", MP4),
        (ct.MODALITY_VIDEO, "video/webm", b"\x1aE\xdf\xa3"),
        (ct.MODALITY_DOCUMENT, "application/pdf", PDF),
        (ct.MODALITY_DOCUMENT, "text/plain", b"BMW, a maker of cars"),  # BM: also how bitmaps begin
    ],
)
async def test_media_are_sent_if_their_bytes_do_not_say_otherwise(modality: int, mime_type: str, content: bytes) -> None:
    (turn,) = await turns(image(inline=content, mime_type=mime_type, modality=modality), capabilities=ANYTHING, modalities=ALL)
    assert turn.blocks[0].base64 == base64.b64encode(content).decode()


@pytest.mark.parametrize("mime_type", ["image/tiff", "image/svg+xml", ""])
async def test_other_mime_types_are_refused_naming_those_taken(mime_type: str) -> None:
    reason, _, message = await refusal(image(inline=PNG, mime_type=mime_type))
    assert reason == "UNSUPPORTED"
    assert "gif, jpeg, png, webp" in message


@pytest.mark.parametrize(
    ("part", "what"),
    [
        (ct.Part(tool_call=ct.ToolCall(id="1", name="f")), "tool call"),
        (ct.Part(tool_result=ct.ToolResult(call_id="1", text="r")), "tool result"),
        (ct.Part(reasoning=ct.Reasoning(text="hm")), "reasoning"),
        (ct.Part(vendor=ct.VendorPart(vendor="x")), "vendor"),
    ],
)
async def test_other_parts_are_refused_by_name(part: ct.Part, what: str) -> None:
    reason, path, message = await refusal(ct.Part(text="x"), part)
    assert (reason, path) == ("UNSUPPORTED", "messages[0].parts[1]")
    assert what in message


@pytest.mark.parametrize(
    "options",
    [{"detail": "ultra"}, {"fps": 1.0}, {"start_s": 2.0}, {"end_s": 3.0}, {"sample_rate_hz": 8000}],
)
async def test_an_option_that_cannot_be_honoured_is_refused(options: dict[str, Any]) -> None:
    reason, part, _ = await refusal(image(inline=PNG, options=ct.MediaOptions(**options)))
    assert (reason, part) == ("UNSUPPORTED", "messages[0].parts[0]")


async def test_a_detail_that_the_provider_knows_is_passed_on() -> None:
    (turn,) = await turns(image(inline=PNG, options=ct.MediaOptions(detail="low")))
    assert turn.blocks[0].detail == "low"


async def test_sizes_and_counts_are_limits_of_the_provider() -> None:
    small = Capabilities(parameters={}, image_bytes=100, image_count=2)
    assert (await refusal(image(inline=PNG), capabilities=small))[0] == "CONTEXT_TOO_LONG"
    tiny = image(inline=b"x")
    assert (await refusal(tiny, tiny, tiny, capabilities=small))[:2] == ("CONTEXT_TOO_LONG", "messages[0].parts[2]")
    assert len((await turns(tiny, tiny, capabilities=small))[0].blocks) == 2


async def test_a_blob_that_is_not_there_is_named() -> None:
    reason, part, message = await refusal(image(blob=ct.BlobReference(sha256="b" * 64)))
    assert (reason, part) == ("CALLER_FAULT", "messages[0].parts[0]")
    assert "b" * 64 in message


@pytest.mark.parametrize("part", [ct.Part(), image(), image(inline=b""), image(modality=ct.MODALITY_UNSPECIFIED, inline=PNG)])
async def test_empty_parts_are_the_callers_fault(part: ct.Part) -> None:
    assert (await refusal(part))[:2] == ("CALLER_FAULT", "messages[0].parts[0]")


async def test_messages_without_parts_or_role_are_the_callers_fault() -> None:
    assert (await refusal())[:2] == ("CALLER_FAULT", "messages[0]")
    assert (await refusal(ct.Part(text="x"), role=ct.ROLE_UNSPECIFIED))[:2] == ("CALLER_FAULT", "messages[0]")
    with pytest.raises(CallFailed, match="messages is empty"):
        await turns_of([], CAPABILITIES, TEXT_AND_IMAGE, fetch, "x")


async def test_tool_messages_and_media_of_others_than_the_user_are_unsupported() -> None:
    assert (await refusal(ct.Part(text="x"), role=ct.ROLE_TOOL))[:2] == ("UNSUPPORTED", "messages[0]")
    assert (await refusal(image(inline=PNG), role=ct.ROLE_SYSTEM))[:2] == ("UNSUPPORTED", "messages[0].parts[0]")

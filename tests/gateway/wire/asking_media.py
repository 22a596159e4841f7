"""A recorded request for media, or for the text of a sound, in the contract's terms; and what goes over the wire, made plain."""

from __future__ import annotations

import json
from collections.abc import Iterable
from email import message_from_bytes
from typing import Any

from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw
from tests.gateway.wire.asking import media
from tests.gateway.wire.recordings import Recording

SOUND = b"RIFF\x00\x00\x00\x00WAVEfmt " + bytes(100)
"""Stands for the sounds of recordings, which are cut."""
MADE = {"images": ct.MODALITY_IMAGE, "images.edit": ct.MODALITY_IMAGE, "speech": ct.MODALITY_AUDIO}
TEXTS = ("prompt", "input", "text")
# What the gateway says unless it is told: of an answer's form, which recordings leave to the provider.
SAID_ANYWAY = ("model", "n")


def request_of(route: str, recording: Recording) -> gw.GenerateRequest:
    """What is asked of the gateway so that the provider is asked as recorded: what the contract has no field for goes as it is."""
    asked = fields_of(recording)
    message = ct.Message(role=ct.ROLE_USER)
    asked.pop("voice", None)
    for name in TEXTS:
        if isinstance(said := asked.pop(name, None), str):
            message.parts.append(ct.Part(text=said))
    for image in asked.pop("images", ()):
        message.parts.append(ct.Part(media=media(image["image_url"], modality=ct.MODALITY_IMAGE)))
    if recording.endpoint == "transcription":
        asked.pop("file", None)
        sound = ct.Media(modality=ct.MODALITY_AUDIO, mime_type="audio/wav", inline=SOUND)
        message.parts.append(ct.Part(media=sound))
    made = MADE.get(recording.endpoint)
    request = gw.GenerateRequest(route=route, messages=[message], output_modalities=[made] if made else [])
    left = {name: value for name, value in asked.items() if name not in SAID_ANYWAY}
    if left:
        request.extra_json = json.dumps(left)
    return request


def fields_of(recording: Recording) -> dict[str, Any]:
    """The fields of a recorded request: of JSON, of a form, or of an address (whose values are not recorded)."""
    if recording.request is not None:
        return dict(recording.request)
    if "form" in recording.raw_request:
        return _fields((entry["name"], entry.get("value", entry.get("file"))) for entry in recording.raw_request["form"])
    return {name: name for name in recording.query}


def fields_sent(headers: dict[str, str], body: Any, query: dict[str, str]) -> dict[str, Any]:
    """The same of a request that arrived."""
    if isinstance(body, dict):
        return body
    if not headers["content-type"].startswith("multipart/form-data"):
        return {name: name for name in query}
    form = message_from_bytes(b"content-type: " + headers["content-type"].encode() + b"\r\n\r\n" + body)
    return _fields(
        (str(part.get_param("name", header="content-disposition")), part.get_filename() or part.get_payload(decode=True).decode())  # type: ignore[union-attr]
        for part in form.get_payload()  # type: ignore[union-attr]
    )


def _fields(entries: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Entries by name; the file's name, which clients choose, stands for nothing."""
    found: dict[str, Any] = {}
    for name, value in entries:
        plain = name.removesuffix("[]")
        found[plain] = [*found.get(plain, []), value] if name != plain else value
    return found | {"file": ""} if "file" in found else found

"""OpenAI's images API, and the same format as other servers speak it: a picture from a text, or from pictures and a text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gateway.adapters.base import Capabilities, check_error, count, name_of, objects, usage_of
from gateway.adapters.blocks import Image, Turn
from gateway.adapters.making import File, Job, Made, Reply, Request, asked_texts, beside, file_name, form_request, json_request
from gateway.adapters.openai_chat import put_parameters
from gateway.bodies import Json
from gateway.faults import fault
from gateway.landing import Landed
from gateway.media import data_uri, decoded
from genlevel.runtime.settings import Api, RouteMedia
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw

PLACES = ("image", "mask", "markup")
"""What a picture is of an edit; a part says it in its vendor_fields, as {"field": "mask"}."""
_READ = ("data", "usage", "created", "model", "id", "object")


class OpenAIImages:
    """POST /images/generations, or /images/edits if pictures come with the text. Source: the openai package's types; that edits take JSON
    with addresses and data URIs, OpenAI's API reference (EditImageBodyJsonParam)."""

    api = Api.IMAGES
    modality = ct.MODALITY_IMAGE
    format_field = "output_format"
    capabilities = Capabilities(
        parameters={},
        # openai.types.image_edit_params: "a png, webp, or jpg file less than 50MB. You can provide up to 16 images."
        image_types=frozenset({"image/png", "image/jpeg", "image/webp"}),
        image_bytes=50 << 20,
        image_count=18,  # with a mask and markup
        uris=frozenset({ct.MODALITY_IMAGE}),
        vendors=frozenset({"openai"}),
    )

    def request(self, model: str, turns: Sequence[Turn], parameters: gw.GenerationParameters, media: RouteMedia) -> Request:
        """One picture."""
        body = self._body(model, turns, parameters, media)
        given = placed(turns)
        if not given:
            return json_request("images/generations", body)
        body["images"] = [{"image_url": image.url} for place, image in given if place == "image"]
        for place, image in given:
            if place != "image":
                body[place] = {"image_url": image.url}
        return json_request("images/edits", body)

    def _body(self, model: str, turns: Sequence[Turn], parameters: gw.GenerationParameters, media: RouteMedia) -> Json:
        body: Json = {"model": model, "prompt": "\n\n".join(asked_texts(turns)), "n": 1}
        for name, value in (("size", media.size), ("quality", media.quality), (self.format_field, media.format)):
            if value:
                body[name] = value
        put_parameters(body, parameters, self.capabilities)
        return body | media.extra

    def answer(self, reply: Reply, job: Job | None) -> Made:
        """The pictures, as bytes or as addresses."""
        body = json_of(reply)
        check_error(body, "data")
        usage = body.get("usage")
        details, made = (usage.get(f"{side}_tokens_details") if isinstance(usage, dict) else None for side in ("input", "output"))
        total, pictures_in = count(usage, "input_tokens", None), count(details, "image_tokens")
        used, known = usage_of(total_input=total, total_output=count(usage, "output_tokens", None))
        if pictures_in:
            used.details.input_image_tokens = min(pictures_in, total or 0)
        if pictures_out := count(made, "image_tokens"):
            used.details.output_image_tokens = min(pictures_out, used.output_tokens)
        return Made(
            pictures_of(body),
            usage=used,
            has_usage=known and pictures_in is not None,
            model=name_of(body.get("model")),
            response_id=name_of(body.get("id")),
            vendor=said_of(body),
        )


class FormImages(OpenAIImages):
    """The older form of an edit, with its pictures as files: Azure's, and that of the openai package."""

    capabilities = replace(OpenAIImages.capabilities, uris=frozenset())

    def request(self, model: str, turns: Sequence[Turn], parameters: gw.GenerationParameters, media: RouteMedia) -> Request:
        """One picture."""
        body = self._body(model, turns, parameters, media)
        given = placed(turns)
        if not given:
            return json_request("images/generations", body)
        several = sum(place == "image" for place, _ in given) > 1
        files = [
            File("image[]" if several and place == "image" else place, file_name(str(number), image.mime_type), image.mime_type, image.data)
            for number, (place, image) in enumerate(given)
        ]
        return form_request("images/edits", body, files)


class CompatibleImages(FormImages):
    """Other servers' images API (vLLM-Omni, SGLang, LocalAI): asked for bytes, and with a seed if the run sets one."""

    capabilities = Capabilities(
        parameters={"seed": "seed"}, image_types=OpenAIImages.capabilities.image_types, vendors=OpenAIImages.capabilities.vendors
    )

    def request(self, model: str, turns: Sequence[Turn], parameters: gw.GenerationParameters, media: RouteMedia) -> Request:
        """OpenAI's request with response_format, which OpenAI's own models no longer take."""
        extra = {"response_format": "b64_json", **media.extra}
        return super().request(model, turns, parameters, media.model_copy(update={"extra": extra}))


class TogetherImages(OpenAIImages):
    """POST /images/generations with width and height; a picture to begin with by its address or a data URI. Source:
    https://docs.together.ai/docs/images-overview."""

    capabilities = Capabilities(
        parameters={"seed": "seed"},
        image_types=OpenAIImages.capabilities.image_types,
        image_count=1,
        uris=frozenset({ct.MODALITY_IMAGE}),
    )

    def request(self, model: str, turns: Sequence[Turn], parameters: gw.GenerationParameters, media: RouteMedia) -> Request:
        """One picture, as bytes."""
        body = self._body(model, turns, parameters, media.model_copy(update={"size": "", "extra": {}}))
        body["response_format"] = "base64"
        width, _, height = media.size.partition("x")
        if width.isdigit() and height.isdigit():
            body["width"], body["height"] = int(width), int(height)
        for _, image in placed(turns):
            body["image_url"] = image.url
        return json_request("images/generations", body | media.extra)


def json_of(reply: Reply) -> Json:
    """The object of a reply. Raises ValueError if it is none."""
    if reply.json is None:
        raise ValueError("not a JSON object")
    return reply.json


def placed(turns: Sequence[Turn]) -> list[tuple[str, Image]]:
    """The pictures of a request, in order, with what each is of an edit. Raises CallFailed (CALLER_FAULT) for what is not known."""
    found = []
    for number, turn in enumerate(turns):
        for index, block in enumerate(turn.blocks):
            if isinstance(block, Image):
                place = turn.fields.get(index, {}).get("field", "image")
                if place not in PLACES:
                    path = f"messages[{number}].parts[{index}]"
                    raise fault(path, f"{path}.vendor_fields: field is {' or '.join(PLACES)}")
                found.append((str(place), block))
    return found


def pictures_of(body: Json) -> list[tuple[bytes | Landed, str] | str]:
    """What an answer has in ``data``: bytes with the MIME type that it says, and addresses."""
    media: list[tuple[bytes | Landed, str] | str] = []
    for entry in objects(body, "data"):
        text, url, kind = entry.get("b64_json"), entry.get("url"), name_of(entry.get("mime_type"))
        if isinstance(text, str) and text:
            media.append((data_uri(text) if text.startswith("data:") else decoded(text), kind))
        elif isinstance(url, str) and url:
            media.append((data_uri(url), kind) if url.startswith("data:") else url)
        else:
            raise ValueError("data has an entry with neither b64_json nor url")
    return media


def said_of(body: Json) -> Json:
    """What an answer says beside its pictures, such as the prompt that was really asked."""
    said = beside(body, _READ)
    entries = [beside(entry, ("b64_json", "url", "mime_type", "index", "type")) for entry in objects(body, "data")]
    return said | {"data": entries} if any(entries) else said

"""OpenAI's images API, and the same format as other servers speak it: a picture from a text, or from pictures and a text."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from gateway.adapters.base import Capabilities, check_error, count, name_of, objects, usage_of
from gateway.adapters.blocks import Turn
from gateway.adapters.making import Job, Made, Reply, Request, asked_texts, form_request, json_request, pictures
from gateway.adapters.openai_chat import put_parameters
from gateway.bodies import Json
from gateway.media import data_uri, decoded
from genlevel.runtime.settings import Api, RouteMedia
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw


class OpenAIImages:
    """POST /images/generations, or /images/edits if pictures come with the text. Source: the openai package's types."""

    api = Api.IMAGES
    modality = ct.MODALITY_IMAGE
    format_field = "output_format"
    capabilities = Capabilities(
        parameters={},
        # openai.types.image_edit_params: "a png, webp, or jpg file less than 50MB. You can provide up to 16 images."
        image_types=frozenset({"image/png", "image/jpeg", "image/webp"}),
        image_bytes=50 << 20,
        image_count=16,
    )

    def request(self, model: str, turns: Sequence[Turn], parameters: gw.GenerationParameters, media: RouteMedia) -> Request:
        """One picture. The edits endpoint takes a form with the pictures as files."""
        body: Json = {"model": model, "prompt": "\n\n".join(asked_texts(turns)), "n": 1}
        for name, value in (("size", media.size), ("quality", media.quality), (self.format_field, media.format)):
            if value:
                body[name] = value
        put_parameters(body, parameters, self.capabilities)
        body |= media.extra
        given = pictures(turns)
        if not given:
            return json_request("images/generations", body)
        field = "image" if len(given) == 1 else "image[]"
        files = [
            (field, f"{number}.{image.mime_type.partition('/')[2]}", image.mime_type, base64.b64decode(image.base64))
            for number, image in enumerate(given)
        ]
        return form_request("images/edits", body, files)

    def answer(self, reply: Reply, job: Job | None) -> Made:
        """The pictures, as bytes or as addresses."""
        if reply.json is None:
            raise ValueError("not a JSON object")
        body = reply.json
        check_error(body, "data")
        media: list[tuple[bytes, str] | str] = []
        for entry in objects(body, "data"):
            text, url = entry.get("b64_json"), entry.get("url")
            if isinstance(text, str) and text:
                media.append((data_uri(text) if text.startswith("data:") else decoded(text), ""))
            elif isinstance(url, str) and url:
                media.append((data_uri(url), "") if url.startswith("data:") else url)
            else:
                raise ValueError("data has an entry with neither b64_json nor url")
        usage = body.get("usage")
        details = usage.get("input_tokens_details") if isinstance(usage, dict) else None
        total, pictures_in = count(usage, "input_tokens", None), count(details, "image_tokens")
        used, known = usage_of(total_input=total, total_output=count(usage, "output_tokens", None))
        if pictures_in:
            used.details.input_image_tokens = min(pictures_in, total or 0)
        return Made(
            media,
            usage=used,
            has_usage=known and pictures_in is not None,
            model=name_of(body.get("model")),
            response_id=name_of(body.get("id")),
        )


class CompatibleImages(OpenAIImages):
    """Other servers' images API (vLLM-Omni, SGLang, LocalAI): asked for bytes, and with a seed if the run sets one."""

    capabilities = Capabilities(parameters={"seed": "seed"}, image_types=OpenAIImages.capabilities.image_types)

    def request(self, model: str, turns: Sequence[Turn], parameters: gw.GenerationParameters, media: RouteMedia) -> Request:
        """OpenAI's request with response_format, which OpenAI's own models no longer take."""
        extra = {"response_format": "b64_json", **media.extra}
        return super().request(model, turns, parameters, media.model_copy(update={"extra": extra}))

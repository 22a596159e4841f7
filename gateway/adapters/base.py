"""What every adapter is: declared capabilities, a pure converter each way, and the provider's dialect of errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import orjson

from gateway.adapters.blocks import Ask
from gateway.bodies import Json, read_json
from gateway.structs import fill
from genlevel.runtime.settings import Api, RouteMedia
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw

TEXT_ALONE: frozenset[int] = frozenset({ct.MODALITY_TEXT})
# More than any model takes or gives in one call; a larger number is not read as a count.
MOST_TOKENS = 100_000_000
LONGEST_NAME = 200
WEB_IMAGES = frozenset({"image/png", "image/jpeg", "image/webp", "image/gif"})


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an adapter can send, as data; other parts are refused by name before a call.

    parameters: our name -> the provider's name, for those that its API has and that are written as they are. special: our names of those
    that the adapter writes in a form of its own. max_stop: the most stop sequences.
    image_types, audio_types, video_types, document_types: MIME types. image_bytes, image_count, request_bytes: at most, 0 = no limit known.
    image_details: values of MediaOptions.detail. needs_max_output_tokens: a request without an output limit is not valid.
    uris: modalities whose media it fetches itself, by the schemes in uri_schemes. video_options: it takes a video's fps, start_s and end_s.
    fetches: it may be told in its own words to fetch something (gateway.asking.own_servers).
    response_schema: it can hold the answer to a JSON schema. outputs: modalities that some model of this API makes.
    tools: it takes functions that the model may call, and what they gave back. result_media: modalities that such a result may have.
    thoughts: earlier reasoning goes back to it. answers_media: modalities that an earlier answer of the model may have.
    vendors: whose vendor parts and tools it takes, as they are. may_be_empty: a request without messages is one.
    defaults: fields of a body that neither the request nor the route has set.
    """

    parameters: Mapping[str, str]
    special: frozenset[str] = frozenset()
    image_types: frozenset[str] = WEB_IMAGES
    image_bytes: int = 0
    image_count: int = 0
    request_bytes: int = 0
    image_details: frozenset[str] = frozenset()
    max_stop: int = 4
    needs_max_output_tokens: bool = False
    response_schema: bool = False
    audio_types: frozenset[str] = frozenset()
    video_types: frozenset[str] = frozenset()
    document_types: frozenset[str] = frozenset()
    uris: frozenset[int] = frozenset()
    uri_schemes: tuple[str, ...] = ("https://",)
    fetches: bool = True
    video_options: bool = False
    outputs: frozenset[int] = TEXT_ALONE
    tools: bool = False
    result_media: frozenset[int] = frozenset()
    thoughts: bool = False
    answers_media: frozenset[int] = frozenset()
    vendors: frozenset[str] = frozenset()
    may_be_empty: bool = False
    defaults: Mapping[str, object] = field(default_factory=dict)

    def takes(self, parameter: str) -> bool:
        """Whether its API has a parameter of ours."""
        return parameter in self.parameters or parameter in self.special


class Answer(NamedTuple):
    """A provider's answer in our terms. has_usage: the provider said what was used. fingerprint: what it says of the system that answered;
    "" if it says nothing. logprobs: of its tokens, if they were asked for."""

    parts: list[ct.Part]
    finish_reason: int
    usage: gw.Usage
    has_usage: bool
    model: str
    response_id: str
    fingerprint: str = ""
    logprobs: Sequence[gw.TokenLogprob] = ()

    @property
    def usage_is_known(self) -> bool:
        """Whether all that was used can be told: what an answer consists of took tokens, so one that says 0 has not said how many."""
        return self.has_usage and (not self.parts or self.usage.output_tokens + self.usage.reasoning_tokens > 0)


@dataclass(frozen=True, slots=True)
class ProviderError:
    """What a provider says of a failure, before it is classified."""

    status: int
    code: str = ""
    type: str = ""
    message: str = ""
    param: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


ErrorReader = Callable[[int, object, Mapping[str, str]], ProviderError]
"""An error by status, body (an object, or a text) and headers with lower-case names."""


class Refused(Exception):
    """The provider's policy refused, inside an answer that is otherwise well formed."""


class Pending(ValueError):
    """The provider has begun, and answers later: it is to be asked again by GET. path: below the base URL."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{path} is not ready")
        self.path = path


class AnswerError(Exception):
    """A failure inside an answer with a good HTTP status."""

    def __init__(self, error: ProviderError) -> None:
        super().__init__(error.message)
        self.error = error


class Adapter(Protocol):
    """One provider API. All converters are pure; ``answer`` raises Refused, AnswerError, Pending, or LookupError, TypeError,
    ValueError, AttributeError if the body is not what the API promises (then it counts as malformed)."""

    @property
    def api(self) -> Api:
        """Which API it is."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """What it can send."""
        ...

    def path(self, model: str, *, streamed: bool) -> str:
        """The path below the base URL. streamed: the answer is to come as a stream."""
        ...

    def request(self, model: str, ask: Ask) -> Json:
        """The body to send."""
        ...

    def ask_for(self, body: Json, outputs: frozenset[int], media: RouteMedia) -> None:
        """Makes the body ask for an answer of these modalities, at least one of them not text. media: what the route fixes of them."""
        ...

    def headers(self, body: Json) -> Mapping[str, str] | None:
        """Headers that this body needs beyond the client's own."""
        ...

    def answer(self, body: Json) -> Answer:
        """The answer in a body that came with a good HTTP status."""
        ...

    def usage(self, body: Json) -> tuple[gw.Usage, bool]:
        """What a body with a good HTTP status says was used, whatever else is in it; and whether all of that can be read."""
        ...


def response_schema(parameters: gw.GenerationParameters) -> Json | None:
    """The JSON schema that the answer is to follow; None if none is asked. It was checked before (gateway.asking.parameters)."""
    return orjson.loads(parameters.response_schema_json) if parameters.response_schema_json else None


def usage_of(
    *,
    total_input: int | None,
    cache_read: int | None = 0,
    cache_write: int | None = 0,
    total_output: int | None,
    reasoning: int | None = 0,
) -> tuple[gw.Usage, bool]:
    """Disjoint buckets from totals that include their parts, and whether all counts are known.

    A part larger than its total was not included in it. Tokens that were both written and read (Gemini's by way of OpenRouter) are counted
    once, as read; what they cost is then not known.

    None: the count is missing, or cannot be read. Every request takes input: 0 tokens of it are a count that was not made.
    """
    known = None not in (total_input, cache_read, cache_write, total_output, reasoning) and total_input != 0
    inputs, outputs, thought = total_input or 0, total_output or 0, reasoning or 0
    usage = gw.Usage()
    read, written = cache_read or 0, cache_write or 0
    if cached := read + written:
        if cached > inputs >= read == written:
            written, cached, known = 0, read, False
        usage.cache_read_tokens, usage.cache_write_tokens = read, written
    if thought:
        usage.reasoning_tokens = thought
    usage.input_tokens = inputs - cached if cached <= inputs else inputs
    usage.output_tokens = outputs - thought if thought <= outputs else outputs
    return usage, known


def count(container: object, name: str, absent: int | None = 0) -> int | None:
    """A count in an object, which may be missing. Digits as text and a float without a fraction are counts too.

    absent: returned if the count is not there or null. None is returned if what is there is not a count.

    Example:
        >>> [count({"n": value}, "n") for value in (7, 7.0, "7", None, 7.5, "many", -1, 1e30)]
        [7, 7, 7, 0, None, None, None, None]
    """
    value = container.get(name) if isinstance(container, dict) else None
    if value is None:
        return absent
    if type(value) is int:  # as it nearly always is
        return value if 0 <= value <= MOST_TOKENS else None
    written = isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20
    if written or (isinstance(value, float) and value.is_integer()):
        value = int(value)
    return value if type(value) is int and 0 <= value <= MOST_TOKENS else None


def name_of(value: object) -> str:
    """A model's name or an id as one printable line, whatever came: numbers as their digits, "" for what is neither text nor number."""
    if not isinstance(value, str):
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            return ""
        value = str(value)
    return (value if value.isprintable() else "".join(filter(str.isprintable, value)))[:LONGEST_NAME]


def objects(container: Json, name: str) -> list[Json]:
    """A list of objects in a body, not empty. Raises ValueError that says in words what is there instead."""
    value = container.get(name)
    if not isinstance(value, list) or not value:
        raise ValueError(f"{name} is {_what(value)}, not a list of objects")
    for number, entry in enumerate(value):
        if not isinstance(entry, dict):
            raise ValueError(f"{name}[{number}] is {_what(entry)}, not an object")
    return value


def entries(container: Json, name: str) -> list[Json]:
    """A list of objects in a body, empty if it is missing or null. Raises ValueError that says in words what is there instead."""
    return objects(container, name) if container.get(name) not in (None, []) else []


def check_error(body: Json, answer: str) -> None:
    """Raises AnswerError if a body with a good status tells of an error. answer: the field that every answer has."""
    if body.get("error"):
        raise AnswerError(error_of(200, body, {}))
    if answer not in body and (error := error_of(200, body, {})).message:
        raise AnswerError(error)


def _what(value: object) -> str:
    match value:
        case None:
            return "missing or null"
        case []:
            return "an empty list"
        case list():
            return "a list"
        case dict():
            return "an object"
        case str():
            return "a text"
        case _:
            return "a number or boolean"


def error_of(status: int, body: object, headers: Mapping[str, str]) -> ProviderError:
    """The error in the shapes that providers use.

    {"error": {...}}, {"error": "text"}, {"detail": ...} (FastAPI's), its fields on top, one of these in a list, or the text of a body that
    is not JSON. A number as its code is a status: under a good one (200) it says what really happened.
    """
    if isinstance(body, list) and len(body) == 1:
        body = body[0]
    if isinstance(body, str):
        return ProviderError(status, message=body, headers=headers)
    if not isinstance(body, dict):
        return ProviderError(status, headers=headers)
    said = body.get("error") or body.get("detail") or body
    error = said if isinstance(said, dict) else body
    details, metadata = error.get("details"), error.get("metadata")
    code = error.get("code") or (details.get("error_code") if isinstance(details, dict) else None)
    if isinstance(metadata, dict) and ("flagged_input" in metadata or "reasons" in metadata):
        code = "moderation_blocked"  # OpenRouter: 403, and what its moderation has found
    elif _is_filtered(error) or _is_filtered(error.get("innererror")):
        code = "content_filter"
    number = count({"code": code}, "code", None)
    if number is not None and number < 600:
        status, code = (number if status < 400 <= number else status), ""
    reason, delay = _google(details)
    if delay:
        headers = {**headers, "retry-after": ", ".join(filter(None, (headers.get("retry-after"), delay)))}
    messages = [_words(error.get("message")) or _text(error.get("err_msg")), _words(said if said is not error else error.get("detail"))]
    kind = _text(error.get("type")) or _text(error.get("status")) or _text(error.get("error_type"))
    if not (code or kind) and isinstance(metadata, dict) and isinstance(raw := metadata.get("raw"), str):
        inner = error_of(status, read_json(raw.encode()), headers)  # OpenRouter: what the server behind it has said
        code, kind, headers = inner.code, inner.type, inner.headers
        messages.insert(0, inner.message)
    return ProviderError(
        status,
        code=name_of(code) or reason,
        type=kind,
        message=": ".join(dict.fromkeys(filter(None, messages))),
        param=_text(error.get("param")),
        headers=headers,
    )


def _is_filtered(error: object) -> bool:
    """Whether Azure's content filter says what it found. https://learn.microsoft.com/azure/ai-foundry/openai/concepts/content-filter"""
    return isinstance(error, dict) and (
        error.get("code") == "ResponsibleAIPolicyViolation" or "content_filter_result" in error or "content_filter_results" in error
    )


def _google(details: object) -> tuple[str, str]:
    """What the details of a google.rpc.Status say: ErrorInfo's reason, and RetryInfo's delay ("37s"); "" if they do not.

    A QuotaFailure of a day's quota is a reason of its own: the delay that comes with it is that of a minute's.
    https://ai.google.dev/gemini-api/docs/rate-limits
    """
    found = {name: value for one in (details if isinstance(details, list) else ()) if isinstance(one, dict) for name, value in one.items()}
    violations = found.get("violations")
    for violation in violations if isinstance(violations, list) else ():
        if isinstance(violation, dict) and "PerDay" in _text(violation.get("quotaId")):
            return "quota_of_a_day", ""
    return _text(found.get("reason")), _text(found.get("retryDelay"))


def _words(value: object, depth: int = 4) -> str:
    """What an error says: a text, or a list of faults with their places (FastAPI's {"loc": [...], "msg": ...}).

    depth: how far it is looked into; Mistral wraps such a list in {"detail": ...}.
    """
    if not depth:
        return ""
    if isinstance(value, list):
        return "; ".join(filter(None, (_words(one, depth - 1) for one in value[:5])))
    if isinstance(value, dict):
        where = value.get("loc")
        path = ".".join(map(str, where)) if isinstance(where, list) else ""
        return ": ".join(
            filter(None, (path, _text(value.get("msg")) or _text(value.get("message")) or _words(value.get("detail"), depth - 1)))
        )
    return _text(value)


def tool_call(call_id: object, name: object, arguments: object) -> ct.Part:
    """A tool call of the model; arguments as an object or as its JSON text (as the text itself if it is not JSON)."""
    if isinstance(arguments, str):
        written = arguments
        parsed = read_json(arguments.encode()) if arguments.strip() else {}
        arguments = parsed if isinstance(parsed, dict) else {"text": arguments}
    else:
        written = orjson.dumps(arguments or {}).decode()
    part = ct.Part(tool_call=ct.ToolCall(id=name_of(call_id), name=name_of(name), arguments_json=written))
    fill(part.tool_call.arguments, arguments or {})
    return part


def add_fields(part: ct.Part, fields: Json) -> ct.Part:
    """The part with what the vendor adds to it, as it came. fields: not empty."""
    fill(part.vendor_fields, fields)
    return part


def vendor_part(vendor: str, value: Json) -> ct.Part:
    """Something of the vendor's that has no common form, as it came."""
    part = ct.Part(vendor=ct.VendorPart(vendor=vendor))
    fill(part.vendor.value, value)
    return part


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""

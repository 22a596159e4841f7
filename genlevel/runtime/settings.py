"""genlevel.yaml as typed values: one file for all services; secrets come from the environment or from files.

Environment variables can set each of them, too (settings_variables.py). Unknown fields are refused, naming the line (see
``load_settings``). Everything has a default, so no file is needed to evaluate a hosted model with a key in the environment, or the embedded
one.
"""

from __future__ import annotations

import re
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, PrivateAttr, field_validator, model_validator

from genlevel.runtime.callers import Role
from genlevel.runtime.durability import Durability
from genlevel.runtime.listening import ServiceListen, Web
from genlevel.runtime.origin import Origin
from genlevel.runtime.watching_settings import Destination, Monitor
from genlevel.runtime.words import Word
from genlevel.runtime.worker_settings import Worker

ModalityName = Literal["text", "image", "video", "audio", "3d", "document"]
# More than any price is, and little enough for the totals of a run to stay whole numbers that databases keep.
Dollars = Annotated[Decimal, Field(ge=0, le=100_000, description="US dollars per million tokens")]
Piece = Annotated[Decimal, Field(ge=0, le=100_000, description="US dollars")]

_WEB_ADDRESS = re.compile(r"https?://[^\s/?#]+\S*")

Roles = Annotated[list[Role], Field(min_length=1)]


class Api(StrEnum):
    """Which of a provider's APIs a model is asked by.

    chat, responses, messages, generate (Gemini's), converse (Bedrock's): conversations; compact shortens one of responses.
    images, speech and video make media; transcription makes text of sound.
    """

    CHAT = "chat"
    RESPONSES = "responses"
    COMPACT = "compact"
    MESSAGES = "messages"
    GENERATE = "generate"
    CONVERSE = "converse"
    IMAGES = "images"
    SPEECH = "speech"
    VIDEO = "video"
    TRANSCRIPTION = "transcription"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Limits(_Strict):
    """What a provider account allows; 0 = no limit known."""

    requests_per_minute: int = Field(0, ge=0, description="0 = not stated; else of all evaluators that share a database")
    tokens_per_minute: int = Field(0, ge=0, description="as requests_per_minute")
    concurrency: int = Field(0, ge=0, description="calls in flight, as requests_per_minute")


class LongContext(_Strict):
    """Above so many input tokens, cached ones included, all input and all output of a call cost these factors more."""

    above: int = Field(gt=0, description="input tokens")
    input: Decimal = Field(Decimal(1), ge=1, le=100)
    output: Decimal = Field(Decimal(1), ge=1, le=100)


_PIECES = ("per_image", "per_second", "per_input_second", "per_call", "characters")


class ModelPrice(_Strict):
    """US dollars per million tokens, and for media per piece; a call costs the sum of what is set.

    cache_read, cache_write, image_input and audio_input (tokens of pictures and sound that go in) default to the input price, image_output
    and audio_output to the output price, cache_write_hour to cache_write, cache_read_audio to cache_read. per_second: of what is made;
    per_input_second: of sound that goes in; characters: per million of text to read aloud.
    """

    input: Dollars = Decimal(0)
    output: Dollars = Decimal(0)
    cache_read: Dollars | None = None
    cache_write: Dollars | None = None
    cache_write_hour: Dollars | None = None
    image_input: Dollars | None = None
    audio_input: Dollars | None = None
    cache_read_audio: Dollars | None = None
    image_output: Dollars | None = None
    audio_output: Dollars | None = None
    per_image: Piece | None = None
    per_second: Piece | None = None
    per_input_second: Piece | None = None
    per_call: Piece | None = None
    characters: Dollars | None = None
    long_context: LongContext | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        """A price that leaves out half of the tokens, or everything, is a mistake; nothing is free unless it is said to be."""
        pieces = [name for name in _PIECES if getattr(self, name) is not None]
        given = self.model_fields_set
        if (not pieces or {"input", "output"} & given) and not {"input", "output"} <= given:
            raise ValueError(f"give input and output (0 if free), or one of {', '.join(_PIECES)}")
        return self


class Account(_Strict):
    """One account at one provider: where, with which key, under which limits. Which providers there are, the gateway knows."""

    provider: str
    base_url: str = ""
    api_key_env: str = ""
    api_key_file: Path | None = None
    region: Word = Field("", description="where its models run, for providers of clouds, such as eu-west-1 or global")
    project: Word = Field("", description="of Google's cloud; empty = that of the credentials")
    api_version: Word = Field(
        "", description="of the API of azure (2025-04-01-preview; empty = the one without versions), gemini and vertex (v1)"
    )
    limits: Limits = Limits()
    timeout_s: float = Field(600.0, gt=0)
    idle_timeout_s: float = Field(600.0, gt=0, description="the longest silence within an answer that comes as a stream")
    fetches_media: bool = Field(
        False, description="a server at base_url may be told to fetch media by their addresses, as the provider's own is"
    )


class RouteParameters(_Strict):
    """Generation parameters a route fixes, whatever a run asks. ``temperature: null`` sends none."""

    temperature: float | None = None
    send_temperature: bool = True
    extra_output_tokens: int = Field(0, ge=0, description="added to a run's output limit, for reasoning")
    reasoning_effort: str = Field("", description="how much the model is to think, in its provider's words, such as low")
    reasoning_tokens: int | None = Field(None, ge=0, description="the most tokens that it may think; null = as its provider does")
    extra: dict[str, JsonValue] = Field({}, description="further fields of the provider's own request")


class RouteMedia(_Strict):
    """What a route fixes of the media that it makes, in the provider's words, and what one answer takes at most (for budgets)."""

    size: str = Field("", description="of a picture or video, such as 1024x1024")
    quality: str = Field("", description="of a picture, such as high")
    format: str = Field("", description="of a file, such as png or wav")
    voice: str = Field("", description="of speech")
    seconds: float = Field(0.0, ge=0, description="length of a video; 0 = the provider's default")
    extra: dict[str, str | int | float | bool] = Field({}, description="further fields of the request, for servers that have more")
    max_seconds: float = Field(0.0, ge=0, description="most seconds of one answer; 0 = as in `seconds`")
    max_tokens_per_image: int = Field(0, ge=0, description="most output tokens of one picture; 0 = what is known of the model")


BoxesWritten = Literal["pixels", "pixels corners", "fractions", "fractions corners", "thousandths", "thousandths corners", ""]
"""In what a model writes coordinates, and whether its boxes are two corners."""


class Route(_Strict):
    """A name for a model at an account."""

    account: str
    model: str
    api: Api | None = None
    input_modalities: list[ModalityName] | None = None
    output_modalities: list[ModalityName] | None = Field(None, description="what the model makes; by default what its api does")
    media: RouteMedia = RouteMedia()
    video_frames: int = Field(0, ge=0, le=256, description="send a video as this many of its frames, as pictures; 0 = do not")
    price: ModelPrice | None = None
    context_tokens: int = Field(0, ge=0)
    structured_output: bool | None = Field(None, description="whether it can be held to a JSON schema; null = as shipped for hosted models")
    boxes: BoxesWritten = Field("", description="in what it writes coordinates in pictures; empty = found from its answers")
    stream: bool = Field(False, description="have answers come as streams, which pass proxies that cut silent connections; they stay whole")
    parameters: RouteParameters = RouteParameters()


class ScorerSettings(ServiceListen):
    """The scorer's listening addresses, and where the weights of networks are that its metrics need."""

    weights: dict[str, str] = Field({}, description="path or hub id by network; `genlevel metrics` lists the networks")


class Addresses(_Strict):
    """Where the services find each other. Empty = embedded in the same process.

    token_file, token_env: what holds the token that this process shows to them; the file goes first.
    """

    gateway: str = ""
    evaluator: str = ""
    scorer: str = ""
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    token_file: Path | None = None
    token_env: str = "GENLEVEL_TOKEN"


class Auth(_Strict):
    """Who may call. ``auth: none`` (NOBODY_IS_ASKED) lets everybody in; without a section only this machine is listened to, unasked."""

    tokens: Path | None = Field(None, description="a file of named tokens, hashed, with their roles; `genlevel token` adds one")
    certificates: dict[str, Roles] = Field({}, description="roles by a client certificate's name: a URI or DNS name of it, or its CN")
    metrics: Literal["open", "read"] = Field("read", description="whether /metrics needs a token with the role read")

    @model_validator(mode="after")
    def _knows_somebody(self) -> Self:
        if self is not NOBODY_IS_ASKED and self.lets_everybody_in:
            raise ValueError("needs tokens or certificates; or write `auth: none` to let everybody in")
        return self

    @property
    def lets_everybody_in(self) -> bool:
        """Whether this is ``auth: none``."""
        return self.tokens is None and not self.certificates


NOBODY_IS_ASKED = Auth.model_construct(tokens=None, certificates={}, metrics="open")
"""``auth: none``."""


class Storage(_Strict):
    """Where things are kept. url: an SQLAlchemy URL; empty = an SQLite file in the output folder."""

    url: str = ""
    blobs: str = Field("", description="a folder or fsspec URL; empty = blobs/ in the output folder")
    inline_limit_bytes: int = Field(1 << 20, ge=0, description="larger media go by reference to the blob store")
    patience_s: float = Field(60.0, ge=0, le=3600, description="how long an outage of either may last before a run gives up")
    durability: Durability = Field(
        Durability.PROCESS, description="what stored answers survive: a killed process, or (power) a power cut too, at 0.05 ms an answer"
    )


class SuiteSettings(_Strict):
    """Which suites can be named without a path. folders: their names are the paths of the suites below them, such as team/bench."""

    folders: list[Path] = []


class RunDefaults(_Strict):
    """How the evaluator drives traffic unless a command says otherwise."""

    concurrency: int = Field(0, ge=0, description="0 = start low and adapt, up to 64")
    attempts: int = Field(6, ge=1, description="tries per instance if errors may pass; waits for limits do not count")
    deadline_s: float = Field(900.0, gt=0, description="per instance, from its first call, waits included")
    call_timeout_s: float = Field(300.0, gt=0)
    weight: int = Field(1, ge=1, le=100, description="a run's part of its account beside the parts of other runs that go on there")
    judge: str = Field("", description="route of the model that rates answers if a task's metric asks for a judge; empty = none")
    keep_days: float | None = Field(None, gt=0, le=36_500, description="runs that are over go so long after, unless named or tagged keep")
    keep_ticks_days: float | None = Field(None, gt=0, le=36_500, description="the same of the runs of monitors; null, of both: for ever")
    batch_look_s: float = Field(300.0, gt=0, le=3600, description="between two looks at batches, at most; the first ones come sooner")


class CallLimits(_Strict):
    """What a service takes on at once (docs/security.md, Bounds). The defaults keep a gateway under attack below 512 MiB.

    More takes more memory, about 100 MiB + 2 * receiving_bytes + 4 * in_flight_bytes + what media_bytes says.
    """

    request_bytes: int = Field(8 << 20, ge=1 << 16, le=1 << 29, description="of one request to the gateway, media in it included")
    message_bytes: int = Field(16 << 20, ge=1 << 16, le=1 << 29, description="of one message to the evaluator or the scorer")
    messages: int = Field(1000, ge=1, description="in one request to the gateway")
    parts: int = Field(5000, ge=1, description="in one request to the gateway, in all of its messages")
    receiving_bytes: int = Field(80 << 20, ge=0, description="being received; a message counts as the largest that there may be")
    in_flight_bytes: int = Field(40 << 20, ge=0, description="of requests that are worked on")
    media_bytes: int = Field(64 << 20, ge=0, description="gateway: of stored media being sent, and as many of large answers being read")
    calls: int = Field(1024, ge=1, description="open calls; a stream is one")
    connections: int = Field(1024, ge=1, description="open connections")
    connection_s: float = Field(60.0, ge=0.1, description="after which a client connects anew and finds new servers; no call is cut")
    caller_share: float = Field(0.75, gt=0, le=1, description="of receiving_bytes, in_flight_bytes and calls, that one caller gets")
    wait_s: float = Field(10.0, ge=0, description="for room, before a call is refused")
    receive_s: float = Field(30.0, gt=0, description="for a request to arrive whole")


class Log(_Strict):
    """How the long-running services write their log lines, on standard error."""

    format: Literal["plain", "json"] = "plain"
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"


class Traces(_Strict):
    """Where the gateway sends a span of each call (OTLP over HTTP); all else is by OpenTelemetry's own environment variables."""

    endpoint: str = Field("", description="of a collector, such as http://localhost:4318; needs genlevel[otlp]")

    @field_validator("endpoint")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        if value and not _WEB_ADDRESS.fullmatch(value):
            raise ValueError("should be an address such as http://localhost:4318")
        return value


class Embedded(_Strict):
    """The embedded model's server."""

    threads: int = Field(1, ge=1)
    context_tokens: int = Field(8192, ge=512)
    start_timeout_s: float = Field(60.0, gt=0)


class Settings(_Strict):
    """The whole of genlevel.yaml."""

    gateway: ServiceListen = ServiceListen(grpc="127.0.0.1:7401", http="127.0.0.1:7411")
    evaluator: ServiceListen = ServiceListen(grpc="127.0.0.1:7402", http="127.0.0.1:7412")
    scorer: ScorerSettings = ScorerSettings(grpc="127.0.0.1:7403", http="127.0.0.1:7413")
    web: Web | None = Web()
    addresses: Addresses = Addresses()
    storage: Storage = Storage()
    queue: str = Field("", description="nats://HOST:4222: evaluators share runs through it; empty = each run has one evaluator")
    worker: Worker = Worker()
    suites: SuiteSettings = SuiteSettings()
    runs: RunDefaults = RunDefaults()
    limits: CallLimits = CallLimits()
    embedded: Embedded = Embedded()
    log: Log = Log()
    traces: Traces = Traces()
    auth: Auth | None = None
    grace_s: float = Field(20.0, ge=0, le=3600, description="when a service is told to stop, calls in flight have so long to end")
    accounts: dict[str, Account] = {}
    routes: dict[str, Route] = {}
    destinations: dict[str, Destination] = Field({}, description="where alarms go, by their names")
    monitors: dict[str, Monitor] = Field({}, description="deployed models that the evaluator watches, by the monitors' names")
    prices: dict[str, ModelPrice] = Field({}, description="by provider/model; replaces the file's and the shipped ones")
    prices_file: Path | None = Field(None, description="newer prices than the shipped; null = genlevel-prices.json, if that is there")

    _origin: Origin = PrivateAttr(default_factory=Origin)

    @field_validator("web", mode="before")
    @classmethod
    def _web_may_be_a_word(cls, value: object) -> object:
        if isinstance(value, str | bool):
            if value != "none":
                raise ValueError("must be a section with http, or the word none")
            return None
        return value

    @field_validator("auth", mode="before")
    @classmethod
    def _auth_may_be_a_word(cls, value: object) -> object:
        if isinstance(value, str):
            if value != "none":
                raise ValueError("must be a section with tokens or certificates, or the word none")
            return NOBODY_IS_ASKED
        return value

    def read_from(self, origin: Origin) -> Self:
        """The same settings, knowing where each of them was written."""
        settings = self.model_copy()
        settings._origin = origin
        return settings

    def writes(self, *path: str | int) -> bool:
        """Whether a field is written down in the file or the environment, and no default."""
        return self._origin.writes(path)

    def variables(self) -> list[str]:
        """The names of the environment variables that some of them come from."""
        return sorted(set(self._origin.variables.values()))

    def place(self, *path: str | int) -> str:
        """A field for a message: "genlevel.yaml:12: accounts.team.provider", or "GENLEVEL_QUEUE: queue"; its name alone if neither."""
        return self._origin.place(path)

"""What the batch API of a provider is: how items are written into one file, and the requests that hand it over, look at it and collect it.

Pure converters, like those of single calls: what is to be asked comes as ``Request``, what was said as ``Reply``, and one that needs
several requests is a generator of the former that is sent the latter. ``gateway.batches.service`` sends them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import NamedTuple, Protocol, TypeVar

import orjson

from gateway.adapters.base import ProviderError, count, name_of
from gateway.answering.errors import error_class, redact
from gateway.bodies import Json
from gateway.pricing.prices import Price
from genlevel.runtime.errors import CallFailed, ErrorClass
from genlevel.v1 import gateway_pb2 as gw

Found = TypeVar("Found")

NO_ANSWER = 520
"""The status of an item that the provider counts as answered, and of which it tells nothing."""
METADATA = "genlevel"
"""Under which name a provider keeps the key of a batch."""
MOST_PAGES = 200
"""Of a list of batches, each of a hundred: more than anyone submits in a day."""
PAGE = 100
NOT_FOUND = "batch_not_found"
"""The code of a failure that says that a provider does not know a batch, or its results."""
CLOCK_S = 3600.0
"""Clocks differ: a batch may seem to be so much older than it is."""
# What a provider says of a batch that it does not begin because too much waits already. https://platform.openai.com/docs/guides/batch
QUEUE_FULL = frozenset({"token_limit_exceeded"})
_ID = re.compile(r"[A-Za-z0-9_-]{1,200}")
_LATEST_S = 1e11


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request below the base URL.

    with_items: the file of items stands in the body, between ``body`` and ``tail``. makes: the provider makes a batch of it, even if its
    answer is lost. first_line: only that of the answer is wanted.
    """

    method: str
    path: str
    body: bytes = b""
    tail: bytes = b""
    with_items: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    makes: bool = False
    first_line: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply with a good status. headers: lower-case names. json: its body; {} if that is no JSON object."""

    headers: Mapping[str, str]
    json: Json


Steps = Generator[Request, Reply, Found]
"""Requests to be sent one after another. It is sent the reply of each, or thrown the CallFailed that it came to."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a batch may be at most, and what its calls cost beside single ones. bytes: of its file, or of the request that has all items.

    cached_at_full_price: tokens that are read from a cache cost what they cost in single calls.
    """

    items: int
    bytes: int
    price_factor: Decimal = Decimal("0.5")
    cached_at_full_price: bool = False

    def price(self, single: Price) -> Price:
        """What a call in a batch costs."""
        batched = single.batched(self.price_factor)
        if not self.cached_at_full_price:
            return batched
        return replace(batched, cache_read=single.cache_read, cache_read_audio=single.cache_read_audio)


class Framing(NamedTuple):
    """How items stand in their file. opening, between, closing: of the file. after: each item."""

    opening: bytes = b""
    between: bytes = b""
    after: bytes = b"}\n"
    closing: bytes = b""


@dataclass(frozen=True, slots=True)
class Submission:
    """A batch to be handed over. path: of a single call. headers: that its items need. count, size: of their file. read: that file."""

    key: str
    model: str
    path: str
    count: int
    size: int
    read: Callable[[], bytes]
    headers: Mapping[str, str] = field(default_factory=dict)


class Results(NamedTuple):
    """Where the results of a batch are: files of JSON lines, by path, and those that have come with it. answers: at least so many."""

    paths: Sequence[Request] = ()
    inline: Sequence[object] = ()
    answers: int = 0


class Result(NamedTuple):
    """What became of one item. status, body: as of a single call. unasked: "expired" or "cancelled", if it was never asked."""

    id: str
    status: int = 200
    body: Json = {}  # noqa: RUF012 - never written to
    unasked: str = ""


class BatchApi(Protocol):
    """One provider's batch API. Converters raise LookupError, TypeError, ValueError or AttributeError for what is not as it promises."""

    @property
    def limits(self) -> Limits:
        """What it takes."""
        ...

    @property
    def framing(self) -> Framing:
        """How items stand in their file."""
        ...

    def before(self, key: str, item: str, path: str) -> bytes:
        """What stands in the file before an item's body."""
        ...

    def submit(self, batch: Submission) -> Steps[gw.Batch]:
        """Hands a batch over. One request makes it; all before that leave at most a file."""
        ...

    def get(self, batch: str) -> Steps[gw.Batch]:
        """How a batch stands."""
        ...

    def cancel(self, batch: str) -> Steps[gw.Batch]:
        """Has it cancelled."""
        ...

    def find(self, key: str, since_s: float) -> Steps[list[gw.Batch]]:
        """Those that surely, or (without a key) possibly, have this key."""
        ...

    def results(self, batch: str) -> Steps[tuple[gw.Batch, Results]]:
        """How a batch stands, and where its results are if it has ended."""
        ...

    def result(self, line: Json) -> Result:
        """What a line of results says."""
        ...


JSON_CONTENT: Mapping[str, str] = MappingProxyType({"content-type": "application/json"})


def making(path: str, body: Json) -> Request:
    """The request that makes a batch of what was uploaded."""
    return Request("POST", path, orjson.dumps(body), headers=JSON_CONTENT, makes=True)


def upload(path: str, fields: Mapping[str, str], file_name: str) -> Request:
    """A form with the file of items behind its other fields. What an item may hold does not end it: that has no line breaks of a form."""
    boundary = "genlevel-batch-of-items"
    pieces = [f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()]
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{file_name}"\r\nContent-Type: application/jsonl\r\n\r\n'
    tail = f"\r\n--{boundary}--\r\n".encode()
    kind = {"content-type": f"multipart/form-data; boundary={boundary}"}
    return Request("POST", path, "".join([*pieces, head]).encode(), tail, with_items=True, headers=kind)


def cancelling(request: Request, read: Callable[[Json], gw.Batch], standing: Steps[gw.Batch]) -> Steps[gw.Batch]:
    """Has a batch cancelled. One that has ended cannot be: then it is told as it stands."""
    try:
        return read((yield request).json)
    except CallFailed as refused:
        if refused.error_class is not ErrorClass.CALLER_FAULT:
            raise
        batch = yield from standing
        if batch.state not in (gw.BATCH_STATE_ENDED, gw.BATCH_STATE_FAILED):
            raise
        return batch


def batch_id(value: str) -> str:
    """A batch's id, as it may stand in a path. Raises CallFailed for anything else."""
    if not _ID.fullmatch(value):
        said = "id: not the id of a batch; give the one that SubmitBatch or FindBatches told"
        raise CallFailed(ErrorClass.CALLER_FAULT, said, part="id")
    return value


def told_id(value: object) -> str:
    """An id that a provider tells, as it may stand in a path. Raises ValueError for what is none."""
    name = name_of(value)
    if not _ID.fullmatch(name):
        raise ValueError("it tells no id")
    return name


def failed(batch: gw.Batch, error: ProviderError) -> None:
    """Notes why a provider took none of a batch."""
    kind = ErrorClass.RATE_LIMIT if error.code in QUEUE_FULL else error_class(error)
    batch.state = gw.BATCH_STATE_FAILED
    batch.problem = redact(": ".join(filter(None, (error.code or error.type, error.message))) or "the provider does not say why")
    batch.problem_class = int(kind)  # type: ignore[assignment]


def counted(container: object, *names: str) -> int:
    """The sum of counts in an object; what is not there, or no count, is 0."""
    return sum(count(container, name) or 0 for name in names)


def seconds_of(value: object) -> float:
    """A Unix time from one, or from a date and time as RFC 3339 writes it; 0 = not known."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value) if 0 < value < _LATEST_S else 0.0
    try:
        return datetime.fromisoformat(value).timestamp() if isinstance(value, str) else 0.0
    except ValueError:
        return 0.0


def entries(container: Json, name: str) -> list[Json]:
    """The objects of a list in a body, which may be missing."""
    value = container.get(name)
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def in_body(container: Json, name: str) -> Json:
    """An object in a body; {} if it is not there, or something else."""
    value = container.get(name)
    return value if isinstance(value, dict) else {}

"""Real exchanges with providers, as public projects recorded them: which there are, and which of them are calls of a model."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

# What is no call of a model that the gateway offers.
NO_CALLS = frozenset(
    {
        "bedrock.invoke",
        "caches",
        "completions",
        "count_tokens",
        "embeddings",
        "files",
        "models",
        "moderation",
        "rerank",
    }
)
# Of OpenAI's other endpoints: its older store of conversations, and the names of the newer one.
NO_CALL_PATHS = ("/v1/assistants", "/v1/threads", "/v1/conversations", "/v1/vector_stores")


@dataclass(frozen=True, eq=False)
class Recording:
    """One exchange. name: where it is from. request: the body as JSON; None if it is something else, whose form ``raw_request`` has.

    status, headers, body: the answer. response: the body as JSON, or its text if it is none. streamed: the answer is a stream.
    is_whole: the recording has all of the body.
    """

    name: str
    provider: str
    endpoint: str
    streamed: bool
    method: str
    host: str
    url_path: str
    query: dict[str, Any]
    request: Any
    raw_request: dict[str, Any]
    status: int
    headers: dict[str, str]
    body: bytes
    response: Any
    is_whole: bool

    @property
    def is_call(self) -> bool:
        """Whether it asks a model something."""
        older = self.endpoint == "bedrock.native" and "/invoke" in self.url_path
        return self.endpoint not in NO_CALLS and not self.url_path.startswith(NO_CALL_PATHS) and not older


@cache
def recordings(path: Path) -> tuple[Recording, ...]:
    """All of a file, in its order."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return tuple(_recording(json.loads(line)) for line in lines)


def calls(path: Path, endpoints: Collection[str], *, streamed: bool, providers: Collection[str] = ()) -> list[Recording]:
    """The calls of a model by one of these endpoints. providers: of these alone; none: of all."""
    return [
        one
        for one in recordings(path)
        if one.is_call and one.endpoint in endpoints and one.streamed is streamed and (not providers or one.provider in providers)
    ]


def _recording(row: dict[str, Any]) -> Recording:
    response = row["response"]
    if "json" in response:
        value = response["json"]
        body = json.dumps(value).encode()
    elif "b64" in response:
        body = base64.b64decode(response["b64"])
        value = None
    else:
        value = response.get("sse") or response.get("text") or ""
        body = value.encode()
    return Recording(
        name=f"{row['provider']} {row['path'].rpartition('cassettes/')[2]} #{row['n']}",
        provider=row["provider"],
        endpoint=row["endpoint"],
        streamed=row["streamed"],
        method=row["method"],
        host=row["host"],
        url_path=row["url_path"],
        query=row["query"],
        request=row["request"].get("json"),
        raw_request=row["request"],
        status=row["status"],
        headers=row["headers"],
        body=body,
        response=value,
        is_whole=response.get("bytes", len(body)) == len(body),
    )

"""Where the services and the pages listen, as genlevel.yaml says it."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator

_ORIGIN = re.compile(r"https?://[^\s/?#@]+/?", re.IGNORECASE)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Tls(_Strict):
    """PEM files. With client_ca a server asks its clients for a certificate (mutual TLS)."""

    certificate: Path | None = None
    key: Path | None = None
    client_ca: Path | None = None


class ServiceListen(_Strict):
    """Where one service listens: gRPC, and HTTP for /metrics, /healthz, /readyz."""

    grpc: str
    http: str
    tls: Tls | None = None


class Web(_Strict):
    """Where the pages are served, and by which names browsers may ask for them (docs/pages.md)."""

    http: str = "127.0.0.1:7400"
    tls: Tls | None = None
    url: str = Field("", description="how browsers reach the pages if a proxy is before them, such as https://genlevel.example")
    hosts: list[str] = Field([], description="names that the pages are asked for by, beside url's, IP addresses and localhost")

    @field_validator("url")
    @classmethod
    def _is_an_origin(cls, value: str) -> str:
        if value and not _ORIGIN.fullmatch(value):
            raise ValueError("must be http:// or https://, a host and no path, such as https://genlevel.example")
        origin = value.lower().rstrip("/")
        usual = ":443" if origin.startswith("https:") else ":80"
        return origin.removesuffix(usual)  # as browsers say it

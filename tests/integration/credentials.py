"""What services, commands and tests show to each other, so that any test of services is one of callers too.

GENLEVEL_TEST_AUTH says what: nothing if it is not set, "tokens", or "mtls". Services and tests have the role admin, commands have run.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import grpc
import trustme
import yaml

from genlevel.runtime.callers.tokens import hash_of, new_token
from genlevel.runtime.channels import OwnChannel
from genlevel.runtime.rpc import connect
from genlevel.runtime.settings import Addresses
from tests.integration.serving import SERVICES
from tests.integration.shared_storage import SharedStorage

ROLES = {"services": "admin", "commands": "run"}
NO_PROXY = [("grpc.enable_http_proxy", 0)]


class Credentials:
    """Tokens and certificates in a folder. kind: "" (nobody shows anything), "tokens" or "mtls". storage: which services get, too."""

    def __init__(self, kind: str, folder: Path, storage: SharedStorage | None = None) -> None:
        self.kind = kind
        self.storage = storage
        self._folder = folder
        self._tokens = {who: new_token() for who in ROLES}
        rows = [{"name": who, "sha256": hash_of(token), "roles": [ROLES[who]]} for who, token in self._tokens.items()]
        (folder / "tokens.yaml").write_text(yaml.safe_dump({"tokens": rows}))
        (folder / "services.token").write_text(self._tokens["services"])
        if kind != "mtls":
            return
        authority = trustme.CA()
        authority.cert_pem.write_to_path(folder / "ca.pem")
        for who in ROLES:
            certificate = authority.issue_cert("127.0.0.1", "localhost", f"{who}.test")
            certificate.private_key_pem.write_to_path(folder / f"{who}.key")
            certificate.cert_chain_pems[0].write_to_path(folder / f"{who}.pem")

    def given(self, folder: Path, arguments: Sequence[str]) -> tuple[list[str], dict[str, str]]:
        """A command's arguments, and variables, that give it its credentials by a copy of its configuration.

        A service's configuration gets them always, a command's if it names addresses of services.

        Raises AssertionError: the configuration says itself who may call. Such a test says why by the mark own_auth.
        """
        words = list(arguments)
        named = words[1] if words[:1] == ["--config"] else ""
        command = words[2 if named else 0] if len(words) > (2 if named else 0) else ""
        serves = command in ("up", *SERVICES)
        document = _read(folder / (named or "genlevel.yaml"))
        if document is None or not (serves or document.get("addresses")):
            return words, {}
        assert "auth" not in document, "this configuration says who may call: mark its test own_auth(why)"
        if serves and command != "gateway" and self.storage is not None:
            document = self.storage.extended(document, (folder / named).parent if named else folder)
        elif not self.kind:
            return words, {}
        who = "services" if serves else "commands"
        copy = self._copy(self._extended(document, who) if self.kind else document)
        given = {"GENLEVEL_TOKEN": self._tokens[who]} if self.kind == "tokens" else {}
        return (["--config", str(copy), *words[2:]], given) if named else (words, {**given, "GENLEVEL_CONFIG": str(copy)})

    def channel(self, port: int) -> grpc.aio.Channel:
        """A test's own channel to a service, for asyncio."""
        if not self.kind:
            return grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=NO_PROXY)
        channel: OwnChannel = connect(f"127.0.0.1:{port}", Addresses(**self.shown()))
        return channel

    def shown(self) -> dict[str, Path]:
        """What a program of the tests shows, as settings in `addresses`; nothing if nobody shows anything."""
        return {"": {}, "tokens": {"token_file": self._folder / "services.token"}, "mtls": self._certificate("services")}[self.kind]

    def blocking_channel(self, port: int) -> grpc.Channel:
        """A test's own channel to a service, for threads."""
        if self.kind == "mtls":
            read = {name: path.read_bytes() for name, path in self._certificate("services").items()}
            own = grpc.ssl_channel_credentials(read["ca"], read["key"], read["certificate"])
            return grpc.secure_channel(f"127.0.0.1:{port}", own, options=NO_PROXY)
        channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=NO_PROXY)
        return grpc.intercept_channel(channel, _Shows(self._tokens["services"])) if self.kind else channel

    def _certificate(self, who: str) -> dict[str, Path]:
        return {"certificate": self._folder / f"{who}.pem", "key": self._folder / f"{who}.key", "ca": self._folder / "ca.pem"}

    def _extended(self, document: dict[str, Any], who: str) -> dict[str, Any]:
        if self.kind == "tokens":
            return document | {"auth": {"tokens": str(self._folder / "tokens.yaml"), "metrics": "open"}}
        shown = {name: str(path) for name, path in self._certificate(who).items()}
        roles = {f"{who}.test": [role] for who, role in ROLES.items()}
        extended = document | {"auth": {"certificates": roles, "metrics": "open"}}
        extended["addresses"] = {**document.get("addresses", {}), **shown}
        tls = {"certificate": shown["certificate"], "key": shown["key"], "client_ca": shown["ca"]}
        return extended | {service: {**document.get(service, {}), "tls": tls} for service in SERVICES}

    def _copy(self, document: dict[str, Any]) -> Path:
        """A file of its own for each text: a service may still read one that was made for it a moment ago."""
        text = yaml.safe_dump(document)
        copy = self._folder / hashlib.sha256(text.encode()).hexdigest()[:16] / "genlevel.yaml"
        copy.parent.mkdir(exist_ok=True)
        whole = copy.with_suffix(".new")
        whole.write_text(text)
        os.replace(whole, copy)
        return copy


INTERCEPTORS = (
    grpc.UnaryUnaryClientInterceptor,
    grpc.UnaryStreamClientInterceptor,
    grpc.StreamUnaryClientInterceptor,
    grpc.StreamStreamClientInterceptor,
)


class _Shows(*INTERCEPTORS):  # type: ignore[misc]
    """Shows a token with each call."""

    def __init__(self, token: str) -> None:
        self._header = ("authorization", f"Bearer {token}")

    def _call(self, go_on: Any, details: Any, request: Any) -> Any:
        shown = _Details()
        shown.method, shown.timeout, shown.credentials = details.method, details.timeout, details.credentials
        shown.wait_for_ready, shown.compression = details.wait_for_ready, details.compression
        shown.metadata = (*(details.metadata or ()), self._header)
        return go_on(shown, request)

    intercept_unary_unary = intercept_unary_stream = intercept_stream_unary = intercept_stream_stream = _call


class _Details(grpc.ClientCallDetails):  # type: ignore[misc]
    """How a call is made."""


def _read(file: Path) -> dict[str, Any] | None:
    """A configuration; None if there is none, or it is none."""
    try:
        document = yaml.safe_load(file.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return None
    return document if isinstance(document, dict) else None

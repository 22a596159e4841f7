"""TLS of servers and channels from PEM files, which are read again when they change: certificates are renewed without a restart."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

import grpc

from genlevel.runtime.errors import ConfigurationError
from genlevel.runtime.listening import Tls
from genlevel.runtime.settings import Addresses
from genlevel.runtime.watched import LOOK_INTERVAL_S, Watched


@dataclass(frozen=True, slots=True)
class Pems:
    """The contents of PEM files that belong together; None = there is none. authority: who signs the other side's certificates."""

    certificate: bytes | None
    key: bytes | None
    authority: bytes | None


@dataclass(frozen=True, slots=True)
class _Files:
    """PEM files, and the setting of each for messages, such as "gateway.grpc: tls.key"."""

    certificate: Path | None
    key: Path | None
    authority: Path | None
    settings: tuple[str, str, str]

    def watched(self, look_interval_s: float) -> Watched[Pems]:
        files = [file for file in (self.certificate, self.key, self.authority) if file is not None]
        return Watched(files, self.read, look_interval_s=look_interval_s)

    def read(self) -> Pems:
        """Raises ConfigurationError if a file is none, or the key is another certificate's."""
        # The key first: whoever may not read it learns no more.
        key = None if self.key is None else _pem(self.key, self.settings[1])
        certificate = None if self.certificate is None else _pem(self.certificate, self.settings[0])
        authority = None if self.authority is None else _pem(self.authority, self.settings[2])
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if self.certificate is not None and self.key is not None:
            try:
                context.load_cert_chain(self.certificate, self.key, password=_no_password)
            except (OSError, ValueError):  # ssl.SSLError is an OSError
                said = f"{self.settings[0]}: {self.certificate} and {self.settings[1].rpartition(' ')[2]} {self.key} do not belong together"
                raise ConfigurationError(f"{said}, or one of them cannot be used (a key must have no password)") from None
            if _pem(self.key, self.settings[1]) != key or _pem(self.certificate, self.settings[0]) != certificate:
                raise ConfigurationError(f"{self.settings[0]}: {self.certificate} or its key changed while it was read")
        if authority is not None:
            try:
                context.load_verify_locations(cadata=authority.decode("ascii", "replace"))
            except (OSError, ValueError):
                raise ConfigurationError(f"{self.settings[2]}: {self.authority} holds no certificate that can be used") from None
        return Pems(certificate, key, authority)


def server_credentials(tls: Tls, name: str, *, look_interval_s: float = LOOK_INTERVAL_S) -> grpc.ServerCredentials:
    """A server's credentials. Each handshake uses what the files say by then; connections that are open stay as they are.

    Raises ConfigurationError if the files cannot be used at first.
    """
    if tls.certificate is None or tls.key is None:
        raise ConfigurationError(f"{name}: tls needs both certificate and key")
    settings = (f"{name}: tls.certificate", f"{name}: tls.key", f"{name}: tls.client_ca")
    watched = _Files(tls.certificate, tls.key, tls.client_ca, settings).watched(look_interval_s)
    in_use = watched.value()

    def renewed() -> grpc.ServerCertificateConfiguration | None:
        nonlocal in_use
        found = watched.value()
        if found is in_use:
            return None
        in_use = found
        return _configuration(found)

    return grpc.dynamic_ssl_server_credentials(_configuration(in_use), renewed, require_client_authentication=tls.client_ca is not None)


def server_context(tls: Tls, name: str, *, look_interval_s: float = LOOK_INTERVAL_S) -> ssl.SSLContext:
    """What an HTTP server encrypts with, renewed as ``server_credentials`` are. With client_ca, clients must show a certificate.

    Raises ConfigurationError if the files cannot be used at first.
    """
    if tls.certificate is None or tls.key is None:
        raise ConfigurationError(f"{name}: tls needs both certificate and key")
    certificate, key = tls.certificate, tls.key
    settings = (f"{name}: tls.certificate", f"{name}: tls.key", f"{name}: tls.client_ca")
    files = _Files(certificate, key, tls.client_ca, settings)

    def made() -> ssl.SSLContext:
        pems = files.read()
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate, key, password=_no_password)
        if pems.authority is not None:
            context.load_verify_locations(cadata=pems.authority.decode("ascii", "replace"))
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    watched = Watched([file for file in (certificate, key, tls.client_ca) if file is not None], made, look_interval_s=look_interval_s)

    def renewed(handshake: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        handshake.context = watched.value()

    first = made()
    first.sni_callback = renewed
    return first


def channel_pems(addresses: Addresses, *, look_interval_s: float = LOOK_INTERVAL_S) -> Watched[Pems] | None:
    """What channels to these addresses are encrypted with; None: they are not. Raises ConfigurationError if a file cannot be used."""
    if addresses.ca is None:
        return None
    settings = ("addresses.certificate", "addresses.key", "addresses.ca")
    return _Files(addresses.certificate, addresses.key, addresses.ca, settings).watched(look_interval_s)


def channel_credentials(pems: Pems) -> grpc.ChannelCredentials:
    """A channel's credentials."""
    return grpc.ssl_channel_credentials(pems.authority, pems.key, pems.certificate)


def _configuration(pems: Pems) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration([(pems.key, pems.certificate)], pems.authority)


def _no_password() -> str:
    return ""


def _pem(file: Path, setting: str) -> bytes:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{setting}: cannot read {file} ({error.strerror})") from None
    if b"-----BEGIN " not in content:
        raise ConfigurationError(f"{setting}: {file} is not a PEM file")
    return content

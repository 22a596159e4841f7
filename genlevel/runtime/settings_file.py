"""Reads genlevel.yaml into Settings, so that a mistake in it is answered with its line and not with a surprise later."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from genlevel.runtime import declared_monitors, destinations
from genlevel.runtime.default_settings import DEFAULT_FILE, settings_file
from genlevel.runtime.errors import ConfigurationError
from genlevel.runtime.listening import ServiceListen, Tls
from genlevel.runtime.origin import FieldPath
from genlevel.runtime.settings import Settings
from genlevel.runtime.settings_variables import applied, variables
from genlevel.runtime.shown import is_variable_name, looks_like_key, quoted, without_secrets
from genlevel.runtime.yaml_lines import YamlText, checked, first, in_order

_SERVICES = ("gateway", "evaluator", "scorer")
_LIMIT_BYTES = 1 << 20


def load_settings(path: Path | None = None) -> Settings:
    """The settings of ``path``, else of the file that GENLEVEL_CONFIG names, else of ./genlevel.yaml if there is one, else the defaults.

    Environment variables go before all of these (settings_variables.py). A service's section may leave out what it does not change; an
    empty file is fine.

    Raises:
        ConfigurationError: the file cannot be read, is not YAML, or it or a variable holds something unknown or wrong; names the place.
    """
    found = settings_file(path)
    if found is None:
        return parse_settings("", "", os.environ)
    file, origin = found
    return parse_settings(read_text(file, origin), str(file), os.environ)


def parse_settings(text: str, file: str = DEFAULT_FILE, environment: Mapping[str, str] | None = None) -> Settings:
    """The settings that a YAML text holds, and those of an environment, which go before it; ``file`` is the name that errors carry.

    Raises as ``load_settings``.
    """
    return _settings(YamlText(text, file), environment or {})


def read_text(path: Path, origin: str, *, limit_bytes: int = _LIMIT_BYTES) -> str:
    """A file for people to write. origin: who names it, for messages. Raises ConfigurationError if it cannot be read or is too large."""
    try:
        if path.stat().st_size > limit_bytes:
            raise ConfigurationError(f"{path}: larger than {limit_bytes} bytes; this is not a configuration file")
        return path.read_text("utf-8")
    except OSError as error:
        raise ConfigurationError(f"{origin}: cannot read {path} ({_reason(error)})") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path}: is not UTF-8 text") from None


def _reason(error: Exception) -> str:
    return (error.strerror or "unreadable") if isinstance(error, OSError) else "not UTF-8 text"


def _settings(text: YamlText, environment: Mapping[str, str]) -> Settings:
    written, origin = applied(text.data, text.origin, variables(environment))
    data = {name: {} if value is None else value for name, value in written.items()}
    for service in _SERVICES:
        if isinstance(data.get(service), dict):
            default: ServiceListen = Settings.model_fields[service].default
            data[service] = {"grpc": default.grpc, "http": default.http} | data[service]
    settings = checked(Settings, data, origin)
    if problems := in_order(_contradictions(settings), origin):
        raise first(problems, origin)
    return settings.read_from(origin)


def _contradictions(settings: Settings) -> Iterator[tuple[FieldPath, str]]:
    """What each value alone allows and all of them together do not."""
    if settings.queue:
        from genlevel.runtime.queue.address import problem_of

        if problem := problem_of(settings.queue):
            yield ("queue",), problem
        elif not settings.storage.url.startswith("postgresql"):
            yield ("queue",), "needs a database that all evaluators share: set storage.url to postgresql+psycopg://..."
    for name, account in settings.accounts.items():
        if account.api_key_env and not is_variable_name(account.api_key_env):
            yield ("accounts", name, "api_key_env"), "must be the name of an environment variable, such as MY_KEY, and not the key itself"
        if account.api_key_file and looks_like_key(str(account.api_key_file)):
            yield ("accounts", name, "api_key_file"), "must be the path of a file that holds the key, and not the key itself"
        if account.api_key_env and account.api_key_file:
            yield ("accounts", name, "api_key_file"), "api_key_env is set too; keep one of them"
        if account.base_url and not account.base_url.startswith(("http://", "https://")):
            yield ("accounts", name, "base_url"), f"must start with http:// or https://, not '{without_secrets(account.base_url)}'"
    for name, destination in settings.destinations.items():
        if not _is_name(name):
            yield ("destinations", name), "must be named with letters, digits, '-', '_' and '.', 64 at most"
        for field, said in destinations.contradictions(destination):
            yield ("destinations", name, field), said
    for name, monitor in settings.monitors.items():
        if not _is_name(name):
            yield ("monitors", name), "must be named with letters, digits, '-', '_' and '.', 64 at most"
        for field, said in declared_monitors.contradictions(monitor):
            yield ("monitors", name, field), said
        for index, wanted in enumerate(monitor.destinations):
            if wanted not in settings.destinations:
                yield ("monitors", name, "destinations", index), f"no destination is named {quoted(wanted)} in this file"
    for key in settings.prices:
        if "/" not in key:
            yield ("prices", key), "must be named provider/model, such as openai/gpt-5"
    for service in _SERVICES:
        listen: ServiceListen = getattr(settings, service)
        for field in ("grpc", "http"):
            if not _is_address(getattr(listen, field)):
                yield (service, field), f"must be host:port, such as 0.0.0.0:7401, not '{without_secrets(getattr(listen, field))}'"
        if listen.tls is not None:
            yield from _incomplete_tls(listen.tls, (service, "tls"))
    if settings.web is not None:
        if not _is_address(settings.web.http):
            yield ("web", "http"), f"must be host:port, such as 127.0.0.1:7400, not '{without_secrets(settings.web.http)}'"
        if settings.web.tls is not None:
            yield from _incomplete_tls(settings.web.tls, ("web", "tls"))
    if (settings.addresses.certificate is None) != (settings.addresses.key is None):
        yield ("addresses",), "certificate and key must be given together"
    if settings.addresses.certificate is not None and settings.addresses.ca is None:
        yield ("addresses", "certificate"), "needs ca; without it nothing is encrypted, and no certificate is shown"


def _incomplete_tls(tls: Tls, path: FieldPath) -> Iterator[tuple[FieldPath, str]]:
    if tls.certificate is None or tls.key is None:
        yield path, "needs both certificate and key"


def _is_name(text: str) -> bool:
    return re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", text) is not None


def _is_address(text: str) -> bool:
    host, colon, port = text.rpartition(":")
    return bool(colon and host and port.isdecimal() and int(port) <= 65535)

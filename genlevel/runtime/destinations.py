"""What kinds of destinations alarms can go to, and what each of them wants in the settings: a row each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from genlevel.runtime.shown import is_variable_name, looks_like_key, without_secrets

if TYPE_CHECKING:
    from genlevel.runtime.watching_settings import Destination


class DestinationKind(StrEnum):
    """Whose format a message has."""

    WEBHOOK = "webhook"
    SLACK = "slack"
    TEAMS = "teams"
    PAGERDUTY = "pagerduty"
    GITHUB = "github"


class DestinationRow(NamedTuple):
    """What a kind wants.

    url: its usual address; "" = the settings have to say one.
    url_is_secret: whoever knows the address can write there.
    secret: what the secret is; "" = it has none. secret_is_needed: without it nothing can be sent.
    names_repository: it wants owner/name.
    """

    url: str = ""
    url_is_secret: bool = False
    secret: str = ""
    secret_is_needed: bool = True
    names_repository: bool = False


DESTINATIONS: Mapping[DestinationKind, DestinationRow] = {
    DestinationKind.WEBHOOK: DestinationRow(secret="secret that signs it", secret_is_needed=False),
    DestinationKind.SLACK: DestinationRow(url_is_secret=True),
    DestinationKind.TEAMS: DestinationRow(url_is_secret=True),
    DestinationKind.PAGERDUTY: DestinationRow(url="https://events.pagerduty.com/v2/enqueue", secret="routing key"),
    DestinationKind.GITHUB: DestinationRow(url="https://api.github.com", secret="token", names_repository=True),
}


def contradictions(destination: Destination) -> Iterator[tuple[str, str]]:
    """(field, what is wrong and what to do) of what each value alone allows and its kind does not."""
    kind = destination.kind
    row = DESTINATIONS[kind]
    given = [field for field in ("url", "url_env", "url_file") if getattr(destination, field)]
    if len(given) > 1:
        yield given[1], f"{given[0]} is set too; keep one of them"
    if not given and not row.url:
        yield "kind", f"{kind} needs {'' if row.url_is_secret else 'url, '}url_env or url_file"
    if destination.url:
        yield from _wrong_url(destination.url, row)
    for field in ("url_env", "secret_env"):
        named = getattr(destination, field)
        if named and not is_variable_name(named):
            yield field, "must be the name of an environment variable, such as MY_SECRET, and not what it holds"
    for field in ("url_file", "secret_file"):
        named = getattr(destination, field)
        if named and (looks_like_key(str(named)) or "://" in str(named) or str(named).startswith(("http:", "https:"))):
            yield field, "must be the path of a file, and not what it holds"
    secrets = [field for field in ("secret_env", "secret_file") if getattr(destination, field)]
    if len(secrets) > 1:
        yield "secret_file", "secret_env is set too; keep one of them"
    if secrets and not row.secret:
        yield secrets[0], f"{kind} has no secret beside its address; remove it"
    if not secrets and row.secret and row.secret_is_needed:
        yield "kind", f"{kind} needs secret_env or secret_file, which hold its {row.secret}"
    if destination.repository and not row.names_repository:
        yield "repository", f"{kind} has none; remove it"
    if row.names_repository and not _is_repository(destination.repository):
        yield ("repository" if destination.repository else "kind"), f"{kind} needs repository: owner/name"


def _wrong_url(url: str, row: DestinationRow) -> Iterator[tuple[str, str]]:
    if row.url_is_secret:
        yield "url", "is a secret: put it into an environment variable or a file, and name that in url_env or url_file"
    elif not url.startswith(("http://", "https://")):
        yield "url", f"must start with http:// or https://, not '{without_secrets(url)}'"
    elif "@" in url:
        yield "url", "has a user or a password: put it into an environment variable or a file, and name that in url_env or url_file"


def _is_repository(text: str) -> bool:
    owner, _, name = text.partition("/")
    return all(part.isascii() and part.strip("._-") and all(one.isalnum() or one in "._-" for one in part) for part in (owner, name))

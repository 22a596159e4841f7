"""``genlevel health``: whether the services of this machine, or of this container, are ready."""

from __future__ import annotations

import http.client
import json
import ssl
from typing import TYPE_CHECKING

import click

from genlevel.cli import EXIT_INCOMPLETE
from genlevel.cli.options import settings_of

if TYPE_CHECKING:
    from genlevel.runtime.settings import Settings

SERVICES = ("gateway", "evaluator", "scorer", "web")
WAIT_S = 4.0
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}
_MOST_BYTES = 4096
_SHUT_OUT = (ssl.SSLError, ConnectionError, http.client.HTTPException)


@click.command("health")
@click.argument("wanted", type=click.Choice(SERVICES), metavar="[SERVICE]", required=False)
@click.pass_context
def health(ctx: click.Context, wanted: str | None) -> None:
    """Ask /readyz of the services that run here: SERVICE, or whichever of gateway, evaluator, scorer and web listen as configured.

    Ends with 0 if all that listen are ready, and at least one does; else with 1.
    """
    settings = settings_of(ctx)
    found = {name: _state(settings, name) for name in ([wanted] if wanted else SERVICES)}
    listening = {name: said for name, said in found.items() if said is not None}
    for name, said in listening.items():
        click.echo(f"{name}: {said or 'ready'}")
    if not listening:
        click.echo(f"{wanted or 'no service'} {'does not listen' if wanted else 'listens'} here at its configured address")
    if not listening or any(listening.values()):
        ctx.exit(EXIT_INCOMPLETE)


def _state(settings: Settings, name: str) -> str | None:
    """Why a service is not ready, "" if it is; None: it does not listen here."""
    listen = settings.web if name == "web" else getattr(settings, name)
    if listen is None:
        return None
    host, _, port = listen.http.rpartition(":")
    address = f"{_EVERYWHERE.get(host, host)}:{port}"
    tls = listen.tls if name == "web" else None
    connection = (
        http.client.HTTPSConnection(address, timeout=WAIT_S, context=_context())
        if tls is not None
        else http.client.HTTPConnection(address, timeout=WAIT_S)
    )
    try:
        connection.request("GET", "/readyz", headers={"host": address})
        response = connection.getresponse()
        return "" if response.status == http.client.OK else _reason(response)
    except ConnectionRefusedError:
        return None
    except (OSError, http.client.HTTPException) as error:
        if tls is not None and tls.client_ca is not None and isinstance(error, _SHUT_OUT):
            return ""  # it answers, and shows pages to those alone who have a certificate
        return f"no answer within {WAIT_S:g} s" if isinstance(error, TimeoutError) else str(error) or type(error).__name__
    finally:
        connection.close()


def _context() -> ssl.SSLContext:
    """Of a question to this machine alone, which shows nothing and believes nothing: the certificate has another name."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _reason(response: http.client.HTTPResponse) -> str:
    try:
        return f"not ready: {json.loads(response.read(_MOST_BYTES))['reason']}"
    except (ValueError, KeyError, TypeError):
        return f"not ready: HTTP {response.status}"

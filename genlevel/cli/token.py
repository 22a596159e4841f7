"""``genlevel token``: makes a token for a caller, and adds its row to the file of tokens."""

from __future__ import annotations

import datetime
import os
import stat
from collections.abc import Callable
from pathlib import Path

import click

from genlevel.cli.options import settings_of
from genlevel.cli.printing import note
from genlevel.runtime.callers import Role
from genlevel.runtime.errors import UsageError

DEFAULT_FILE = Path("tokens.yaml")


@click.command("token")
@click.argument("name")
@click.option(
    "--role",
    "roles",
    type=click.Choice([role.value for role in Role]),
    multiple=True,
    required=True,
    help="What its bearer may do: read, call (the gateway), run (includes read) or admin (includes all). May be given several times.",
)
@click.option("--expires", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="The last day on which it is good, in UTC.")
@click.option(
    "--file",
    type=click.Path(path_type=Path, dir_okay=False),
    help=f"The file of tokens (default: auth.tokens of the configuration, else {DEFAULT_FILE}).",
)
@click.pass_context
def token(ctx: click.Context, name: str, roles: tuple[str, ...], expires: datetime.datetime | None, file: Path | None) -> None:
    """Make a token for a caller. It is printed once, alone on stdout; the file keeps its hash. To withdraw it, take its row out."""
    from genlevel.runtime.callers.tokens import added, hash_of, new_token

    file = file or _configured(ctx) or DEFAULT_FILE
    made = new_token()
    day = None if expires is None else expires.date()
    if day is not None and day < datetime.datetime.now(datetime.UTC).date():
        raise UsageError(f"--expires: {day} has passed; name a day to come")
    kept = [Role(role) for role in dict.fromkeys(roles)]
    _replace(file, lambda: added(file, name=name, sha256=hash_of(made), roles=kept, expires=day))
    note(f"{name} is in {file}; services that have it as auth.tokens know the token within a second. It is shown only now:")
    click.echo(made)


def _configured(ctx: click.Context) -> Path | None:
    auth = settings_of(ctx).auth
    return None if auth is None else auth.tokens


def _replace(file: Path, text: Callable[[], str]) -> None:
    """Writes the file anew at once: a service that reads it meanwhile sees the old one or the new one. A new file is its owner's alone.

    text: made when nobody else works on the file.
    """
    scratch = file.with_name(f".{file.name}.new")
    mode = stat.S_IMODE(file.stat().st_mode) if file.exists() else 0o600
    try:
        descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise UsageError(f"{scratch} is there: another `genlevel token` is at work, or one broke off; if none is, delete it") from None
    except OSError as error:
        raise UsageError(f"--file: cannot write {file} ({error.strerror})") from None
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
            opened.write(text())
            opened.flush()
            os.fsync(opened.fileno())
        os.chmod(scratch, mode)
        os.replace(scratch, file)
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise

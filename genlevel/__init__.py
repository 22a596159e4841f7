"""genlevel measures how far a multimodal model is a generalist (General-Level over General-Bench).

    from genlevel import Client

docs/client.md says how programs use it.
"""

from typing import TYPE_CHECKING

from genlevel._version import __version__ as __version__

if TYPE_CHECKING:
    from genlevel.client import AsyncClient as AsyncClient
    from genlevel.client import Client as Client


def __getattr__(name: str) -> object:
    """The client, which is imported when it is first asked for."""
    if name not in ("AsyncClient", "Client"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from genlevel import client

    found: object = getattr(client, name)
    return found

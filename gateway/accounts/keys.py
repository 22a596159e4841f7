"""Where the key of an account lies, and how it is read: from an environment variable or a file, never from the settings."""

from __future__ import annotations

import os
from dataclasses import dataclass

from gateway.providers import Provider
from genlevel.runtime import logs
from genlevel.runtime.errors import CallFailed, ErrorClass
from genlevel.runtime.settings import Account

# Credentials of a cloud are an object of JSON, of several lines.
_LINES = str.maketrans("\r\n\t", "   ")
# A shorter key is a placeholder for a server of one's own ("EMPTY", "x"); hiding it would blot out ordinary words.
SHORTEST_HIDDEN = 8


def hide(secret: str) -> None:
    """From now on no log line shows a secret, unless it is a placeholder."""
    if len(secret) >= SHORTEST_HIDDEN:
        logs.hide(secret)


@dataclass(frozen=True, slots=True)
class KeySource:
    """The variable or file that holds a key; name "" = no key is needed. served: who reads of it may be on another machine.

    may_lack: without it the provider's client looks for other credentials.
    """

    name: str = ""
    is_file: bool = False
    served: bool = False
    may_lack: bool = False

    @classmethod
    def of(cls, account: Account, provider: Provider, *, served: bool = False, configured: bool = True) -> KeySource:
        """What the account says, else the provider's usual variable, whose key goes to the provider alone.

        configured: somebody has written down that the provider is asked. Credentials of the machine itself are not for callers of a service
        who name a provider that nobody has.
        """
        if account.api_key_file is not None:
            return cls(str(account.api_key_file), True, served)
        if account.api_key_env:
            return cls(account.api_key_env, False, served)
        return cls(
            provider.key_variable if provider.is_at(account.base_url) else "",
            False,
            served,
            provider.has_credentials and (configured or not served),
        )

    def read(self, *, route: str, account: str, provider: str) -> str:
        """The key, or "" if none is needed; from now on no log line shows it. route, account, provider: for messages.

        Raises CallFailed (CREDENTIAL) with what to set if it is missing or cannot be a key.
        """
        if not self.name:
            return ""
        key = self._in_file(route, account, provider) if self.is_file else os.environ.get(self.name, "").strip()
        if not key and self.may_lack:
            return ""
        if not key:
            how = f"write the key into {self.name}" if self.is_file else f"set the environment variable {self.name}"
            where = " of the gateway" if self.served else ""
            raise CallFailed(ErrorClass.CREDENTIAL, f"{route}: no key for {provider}; {how}{where}", provider=provider)
        if not key.isascii() or not key.isprintable():
            source = f"the key file {self.name}" if self.is_file else f"the environment variable {self.name}"
            problem = f"{route}: {source} holds no key: it has a line break, a control character or one outside ASCII; write the key alone"
            raise CallFailed(ErrorClass.CREDENTIAL, problem, provider=provider)
        hide(key)
        return key

    def _in_file(self, route: str, account: str, provider: str) -> str:
        try:
            with open(self.name, encoding="utf-8") as file:
                key = file.read().strip()
            return key.translate(_LINES) if key.startswith("{") else key
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not text"
            problem = f"{route}: cannot read the key file {self.name} of account {account} ({why})"
            raise CallFailed(ErrorClass.CREDENTIAL, problem, provider=provider) from None

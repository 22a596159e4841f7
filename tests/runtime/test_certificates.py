"""Whose certificates are believed."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from genlevel.runtime import certificates
from genlevel.runtime.errors import ConfigurationError


@pytest.mark.parametrize("empty", [False, True])
def test_certificates_of_the_system_that_cannot_be_read_are_said_without_a_variable_that_names_none(
    empty: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken.pem").write_text("no certificate")
    paths = ssl.get_default_verify_paths()._replace(openssl_cafile=str(tmp_path / "broken.pem"))
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: paths)
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
        if empty:
            monkeypatch.setenv(name, "")
    certificates._believed.cache_clear()
    with pytest.raises(ConfigurationError, match=r"^the system's certificates cannot be read .*; name others in SSL_CERT_FILE$"):
        certificates.believed()

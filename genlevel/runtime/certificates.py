"""Whose certificates are believed: the system's, or those that SSL_CERT_FILE or SSL_CERT_DIR name."""

from __future__ import annotations

import os
import ssl
import sys
from functools import lru_cache

from genlevel.runtime.errors import ConfigurationError

# Where distributions have the system's certificates, if the OpenSSL that Python was built with looks elsewhere. Source: the list of
# the Go project, crypto/x509/root_linux.go.
_CANDIDATES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cacert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


def believed() -> ssl.SSLContext:
    """What a client checks a server's certificate with. Raises ConfigurationError if there are none that can be read."""
    file = os.environ.get("SSL_CERT_FILE", "")
    try:
        return _believed(file, os.environ.get("SSL_CERT_DIR", ""))
    except OSError as error:
        said = error.strerror or type(error).__name__
        if not file:
            raise ConfigurationError(f"the system's certificates cannot be read ({said}); name others in SSL_CERT_FILE") from None
        raise ConfigurationError(f"SSL_CERT_FILE={file}: certificates cannot be read from it ({said}); correct or unset it") from None


@lru_cache(maxsize=4)
def _believed(file: str, folder: str) -> ssl.SSLContext:
    """Made once, since reading a hundred and more certificates takes 20 ms."""
    if file:
        return ssl.create_default_context(cafile=file)
    if folder:
        return ssl.create_default_context(capath=folder)
    if sys.platform in ("win32", "darwin"):  # OpenSSL does not know these systems' own
        import truststore

        return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    paths = ssl.get_default_verify_paths()
    found = next(filter(os.path.isfile, (paths.openssl_cafile, *_CANDIDATES)), None)
    folders = paths.openssl_capath if os.path.isdir(paths.openssl_capath) else None
    if found or folders:
        context.load_verify_locations(found, folders)
    return context

"""Clients of Google's APIs: AI Studio with a key, and Vertex AI with a project's credentials, or with a key for its models alone."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from gateway.accounts.clients import Client, Wanted
from gateway.accounts.google_cloud import Tokens, credentials_of
from genlevel.runtime.errors import ConfigurationError

HEADERS = {"content-type": "application/json", "accept": "application/json", "user-agent": "genlevel"}
KEY_HEADER = "x-goog-api-key"
EVERYWHERE = "global"
JOINED_REGIONS = frozenset({"us", "eu"})
"""Regions of several places, which have hosts of another form. Source: google.genai's client, anthropic's AnthropicVertex."""
GEMINI_VERSION = "v1beta1"
"""Of Vertex AI's API, as google.genai asks it."""
CLAUDE_VERSION = "v1"
"""Likewise, as anthropic's AnthropicVertex asks it."""


def gemini_client(wanted: Wanted) -> Client:
    """AI Studio's. The version is the last part of its address."""
    address = f"{wanted.address.rpartition('/')[0]}/{wanted.api_version}" if wanted.api_version else wanted.address
    return Client(address, HEADERS | ({KEY_HEADER: wanted.key} if wanted.key else {}))


def vertex_client(wanted: Wanted) -> Client:
    """Vertex AI's. The key is an API key, or a file of credentials; without one the machine's credentials go.

    Raises ConfigurationError with what to set or install.
    """
    return _vertex(wanted, "vertex", wanted.api_version or GEMINI_VERSION)


def anthropic_vertex_client(wanted: Wanted) -> Client:
    """Vertex AI's for Anthropic's models. Raises ConfigurationError with what to set or install."""
    return _vertex(wanted, "anthropic-vertex", wanted.api_version or CLAUDE_VERSION)


def host_of_region(region: str) -> str:
    """Where Vertex AI answers for a region.

    Example:
        >>> [host_of_region(region) for region in ("global", "eu", "us-central1")]
        ['aiplatform.googleapis.com', 'aiplatform.eu.rep.googleapis.com', 'us-central1-aiplatform.googleapis.com']
    """
    if region == EVERYWHERE:
        return "aiplatform.googleapis.com"
    return f"aiplatform.{region}.rep.googleapis.com" if region in JOINED_REGIONS else f"{region}-aiplatform.googleapis.com"


def _vertex(wanted: Wanted, provider: str, version: str) -> Client:
    region = wanted.region or os.environ.get("GOOGLE_CLOUD_LOCATION", "") or EVERYWHERE
    if wanted.key and not wanted.key.startswith("{"):  # an API key
        headers = HEADERS | {KEY_HEADER: wanted.key}
        if wanted.project:
            return Client(wanted.address or _address(region, version, wanted.project), headers)
        return Client(wanted.address or f"https://{host_of_region(wanted.region or EVERYWHERE)}/{version}", headers)
    if wanted.address and not wanted.key and not _is_googles(wanted.address):
        return Client(wanted.address, HEADERS)  # the machine's own credentials go to nobody else
    credentials, known = credentials_of(wanted.key)
    project = wanted.project or os.environ.get("GOOGLE_CLOUD_PROJECT", "") or known
    if not project and not wanted.address:
        raise ConfigurationError("no project; set project of its account in genlevel.yaml, or GOOGLE_CLOUD_PROJECT")
    address = wanted.address or _address(region, version, project)
    return Client(address, HEADERS, Tokens(credentials, provider).authorise, reads_body=False)


def _address(region: str, version: str, project: str) -> str:
    return f"https://{host_of_region(region)}/{version}/projects/{project}/locations/{region}"


def _is_googles(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme == "https" and (parts.hostname or "").endswith(".googleapis.com")

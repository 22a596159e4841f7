"""The real embedded server: llama.cpp and RapidOCR behind OpenAI's endpoints."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest

from gateway.embedded.examples import EXAMPLES, example_messages

CAPITAL = "What is the capital of France? Answer with one word."


def test_a_question_is_answered(asker: Any) -> None:
    response = asker.post({"messages": [{"role": "user", "content": CAPITAL}]})
    document = response.json()
    assert response.status_code == 200
    assert document["object"] == "chat.completion"
    assert "paris" in document["choices"][0]["message"]["content"].lower()
    assert document["choices"][0]["finish_reason"] == "stop"
    usage = document["usage"]
    assert usage["prompt_tokens"] + usage["completion_tokens"] == usage["total_tokens"]
    assert 0 < usage["prompt_tokens_details"]["cached_tokens"] < usage["prompt_tokens"]


def test_the_text_in_a_picture_reaches_the_answer(asker: Any, pictures: Any) -> None:
    picture = pictures.part(pictures.drawn("CLOSED", "ON MONDAYS"))
    question = {"type": "text", "text": "What does the sign say?\n\nAnswer directly, in a few words."}
    answer = asker.ask([picture, question])
    assert "closed" in answer.lower()
    without = asker.ask([question])
    assert "closed" not in without.lower()


def test_two_pictures_are_told_apart(asker: Any, pictures: Any) -> None:
    parts = [pictures.part(pictures.drawn(word)) for word in ("APPLES", "ZEBRAS")]
    response = asker.post({"messages": [{"role": "user", "content": [*parts, {"type": "text", "text": "Repeat what image 2 says."}]}]})
    one = asker.post({"messages": [{"role": "user", "content": [parts[1], {"type": "text", "text": "Repeat what image 2 says."}]}]})
    assert response.json()["usage"]["prompt_tokens"] > one.json()["usage"]["prompt_tokens"]


def test_health_and_models(asker: Any) -> None:
    root = asker.server.base_url.removesuffix("/v1")
    assert httpx2.get(f"{root}/health").json() == {"status": "ok"}
    assert [model["id"] for model in asker.client.get("/models").json()["data"]] == [asker.server.model]


def test_what_was_asked_before_does_not_change_an_answer(asker: Any) -> None:
    def probe() -> Any:
        response = asker.post({"messages": [{"role": "user", "content": "Name three animals of the forest."}], "logprobs": True})
        return [(token["token"], token["logprob"]) for token in response.json()["choices"][0]["logprobs"]["content"]]

    first = probe()
    assert probe() == first
    # The same tokens read in one go are kept with other rounding than behind the examples.
    messages = [*example_messages(), {"role": "user", "content": "Name three animals of the forest."}]
    body = {"model": "generalist", "messages": messages, "max_tokens": 1}
    httpx2.post(f"{asker.server.language_url}/v1/chat/completions", json=body, timeout=240).raise_for_status()
    assert probe() == first


def test_a_system_message_of_ones_own_takes_the_place_of_the_examples(asker: Any) -> None:
    messages = [{"role": "system", "content": "You are brief."}, {"role": "user", "content": CAPITAL}]
    usage = asker.post({"messages": messages}).json()["usage"]
    assert usage["prompt_tokens"] < 60
    assert usage["prompt_tokens_details"]["cached_tokens"] == 0


def test_a_caller_cannot_turn_the_memory_of_earlier_questions_on(asker: Any) -> None:
    body = {
        "messages": [{"role": "system", "content": "You are brief."}, {"role": "user", "content": CAPITAL}],
        "cache_prompt": True,
        "id_slot": 3,
    }
    for _ in range(2):
        assert asker.post(body).json()["usage"]["prompt_tokens_details"]["cached_tokens"] == 0


def test_a_text_too_long_for_the_context_is_refused_as_llama_cpp_does(asker: Any) -> None:
    response = asker.post({"messages": [{"role": "user", "content": "and " * 9000}]})
    assert response.status_code == 400
    error = response.json()["error"]
    assert error["type"] == "exceed_context_size_error"
    assert error["n_ctx"] == 8192 < error["n_prompt_tokens"]


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"stream": True}, 400, "unsupported_value"),
        ({"model": "gpt-5"}, 404, "model_not_found"),
        ({"messages": [{"role": "user", "content": [{"type": "input_audio"}]}]}, 400, "unsupported_value"),
    ],
)
def test_what_is_not_offered_is_refused_in_openais_words(asker: Any, changes: dict[str, Any], status: int, code: str) -> None:
    response = asker.post({"messages": [{"role": "user", "content": "hi"}]}, **changes)
    error = response.json()["error"]
    assert (response.status_code, error["type"], error["code"]) == (status, "invalid_request_error", code)
    assert "\n" not in error["message"]


def test_a_bomb_of_an_image_is_refused_by_name(asker: Any, pictures: Any) -> None:
    parts = [pictures.part(pictures.claiming(10_000, 10_000)), {"type": "text", "text": "What is it?"}]
    response = asker.post({"messages": [{"role": "user", "content": parts}]})
    error = response.json()["error"]
    assert (response.status_code, error["code"], error["param"]) == (400, "invalid_image", "messages[0].content[0]")
    assert "10000 x 10000" in error["message"]


def test_a_body_that_is_not_json_is_refused(asker: Any) -> None:
    for body in (b"{", b"\xff\xfe", b"[" * 100_000):
        response = asker.client.post("/chat/completions", content=body, headers={"content-type": "application/json"})
        assert response.status_code == 400
        assert "JSON" in response.json()["error"]["message"]


def test_a_body_over_the_limit_is_refused(asker: Any) -> None:
    # A list of spaces before the JSON is as good as any: the limit is on bytes.
    response = asker.client.post("/chat/completions", content=b" " * ((64 << 20) + 1))
    assert response.status_code == 413


def test_unknown_paths_say_what_is_offered(asker: Any) -> None:
    response = asker.client.post("/embeddings", json={})
    assert response.status_code == 404
    assert "/v1/chat/completions" in response.json()["error"]["message"]
    assert asker.client.get("/chat/completions").status_code == 405


def test_parameters_that_llama_cpp_refuses_are_refused_with_its_words(asker: Any) -> None:
    response = asker.post({"messages": [{"role": "user", "content": "hi"}], "response_format": {"type": "no such format"}})
    assert response.status_code == 400
    assert response.json()["error"]["message"]


def test_many_at_once_are_all_answered(asker: Any) -> None:
    questions = [f"Say the word number {i}." for i in range(8)]

    def answer(question: str) -> tuple[str, int]:
        response = asker.post({"messages": [{"role": "user", "content": question}]}, max_tokens=8).json()
        return response["choices"][0]["message"]["content"], response["usage"]["prompt_tokens_details"]["cached_tokens"]

    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(answer, questions))
    assert len({cached for _text, cached in together}) == 1  # each began behind the examples, none behind another's question
    assert together == [answer(question) for question in questions]


def test_a_client_that_goes_away_frees_the_slot(asker: Any) -> None:
    def long_answer() -> None:
        with pytest.raises(httpx2.TimeoutException):
            httpx2.post(
                f"{asker.server.base_url}/chat/completions",
                json={
                    "model": "generalist",
                    "messages": [{"role": "user", "content": "Count to a thousand."}],
                    "max_tokens": 4000,
                    "ignore_eos": True,
                },
                timeout=1.0,
            )

    leaving = threading.Thread(target=long_answer)
    leaving.start()
    leaving.join()
    started = time.monotonic()
    assert asker.ask("Say yes.", max_tokens=2)
    # 4,000 tokens take over a minute on any machine this is tested on.
    assert time.monotonic() - started < 40


def test_the_language_server_speaks_the_other_protocols(asker: Any) -> None:
    url = asker.server.language_url
    messages = {"model": "generalist", "temperature": 0, "max_tokens": 24, "messages": [{"role": "user", "content": CAPITAL}]}
    chat = httpx2.post(f"{url}/v1/chat/completions", json=messages, timeout=240).json()["choices"][0]["message"]["content"]
    anthropic = httpx2.post(f"{url}/v1/messages", json=messages, timeout=240).json()["content"][0]["text"]
    response = {"model": "generalist", "temperature": 0, "max_output_tokens": 24, "input": CAPITAL}
    responses = httpx2.post(f"{url}/v1/responses", json=response, timeout=240).json()["output"][0]["content"][0]["text"]
    assert chat == anthropic == responses


def test_no_example_is_an_instance_of_a_shipped_suite(repository: Any) -> None:
    texts = []
    for path in (repository / "genlevel" / "benchmark" / "data" / "suites").rglob("annotation.json"):
        texts += [
            json.dumps(item["input"] if "input" in item else item["dialog"]).lower() for item in json.loads(path.read_text("utf-8"))["data"]
        ]
    assert texts
    for question, _answer in EXAMPLES:
        for line in question.lower().splitlines():
            if len(line.split()) > 3 and not line.startswith(("answer ", "write only", "what does the sign say", "text seen")):
                assert not any(json.dumps(line)[1:-1] in text for text in texts), line

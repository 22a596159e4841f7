"""What the embedded server makes of a chat request before any model sees it."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from gateway.embedded.chat import MAX_IMAGES, BadRequest, parse_chat

PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + base64.b64encode(b"one").decode()}}
OTHER = {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64," + base64.b64encode(b"two").decode()}}


def request(content: Any, **changes: Any) -> dict[str, Any]:
    return {"model": "generalist", "messages": [{"role": "user", "content": content}], **changes}


def text(part: str) -> dict[str, str]:
    return {"type": "text", "text": part}


def test_text_goes_through_untouched() -> None:
    body = request("Hello", temperature=0, seed=7)
    assert parse_chat(body, "generalist").with_readings([]) == body


def test_the_text_of_an_image_stands_where_the_image_stood() -> None:
    chat = parse_chat(request([text("Look:"), PICTURE, text("What is it?")]), "generalist")
    assert [image.data for image in chat.images] == [b"one"]
    message = chat.with_readings(["EXIT"])["messages"][0]
    assert message == {"role": "user", "content": "Look:\nText seen in the image:\nEXIT\n\nWhat is it?"}


def test_an_image_without_text_says_so() -> None:
    chat = parse_chat(request([PICTURE, text("What is it?")]), "generalist")
    assert chat.with_readings([""])["messages"][0]["content"] == "No text is seen in the image.\nWhat is it?"


def test_several_images_are_numbered_over_all_messages() -> None:
    body = {
        "model": "generalist",
        "messages": [{"role": "user", "content": [PICTURE]}, {"role": "user", "content": [OTHER, text("Same?")]}],
    }
    chat = parse_chat(body, "generalist")
    assert [image.param for image in chat.images] == ["messages[0].content[0]", "messages[1].content[0]"]
    first, second = (message["content"] for message in chat.with_readings(["A1", "B2"])["messages"])
    assert first.startswith("Text seen in image 1:\nA1")
    assert second.startswith("Text seen in image 2:\nB2")


@pytest.mark.parametrize(
    ("body", "param", "status"),
    [
        (["not an object"], None, 400),
        (request("hi", stream=True), "stream", 400),
        ({"messages": [{"role": "user", "content": "hi"}]}, "model", 400),
        (request("hi", model="gpt-5"), "model", 404),
        ({"model": "generalist"}, "messages", 400),
        ({"model": "generalist", "messages": []}, "messages", 400),
        ({"model": "generalist", "messages": ["hi"]}, "messages[0]", 400),
        (request(5), "messages[0].content", 400),
        (request(["hi"]), "messages[0].content[0]", 400),
        (request([text("a"), {"type": "text", "text": 5}]), "messages[0].content[1].text", 400),
        (request([{"type": "input_audio", "input_audio": {}}]), "messages[0].content[0]", 400),
        (request([{"type": "image_url"}]), "messages[0].content[0].image_url.url", 400),
        (request([{"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}]), "messages[0].content[0].image_url.url", 400),
        (request([{"type": "image_url", "image_url": {"url": "data:image/png;base64,@@@"}}]), "messages[0].content[0].image_url.url", 400),
        (request([{"type": "image_url", "image_url": {"url": "data:text/html;base64,aGk="}}]), "messages[0].content[0].image_url.url", 400),
    ],
)
def test_a_bad_request_names_its_field(body: object, param: str | None, status: int) -> None:
    with pytest.raises(BadRequest) as caught:
        parse_chat(body, "generalist")
    assert (caught.value.param, caught.value.status) == (param, status)


def test_the_number_of_images_is_bounded() -> None:
    assert len(parse_chat(request([PICTURE] * MAX_IMAGES), "generalist").images) == MAX_IMAGES
    with pytest.raises(BadRequest, match="at most"):
        parse_chat(request([PICTURE] * (MAX_IMAGES + 1)), "generalist")

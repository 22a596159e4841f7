"""``genlevel models --check``: the smallest calls say what works at a route, and what they cost."""

import json

import pytest

from genlevel.cli.model_checks import LIMIT, THINKING_LIMIT, checks_of, failed, most_nano_usd, shown
from genlevel.runtime.errors import CallFailed, ErrorClass
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw

TALKS = {"input_modalities": [ct.MODALITY_TEXT, ct.MODALITY_IMAGE], "output_modalities": [ct.MODALITY_TEXT]}


def model(**fields):
    return gw.ModelInfo(**{"route": "r", "provider": "p", "model": "m", "charges": True, "ready": True, **TALKS, **fields})


def names(found):
    calls, known = checks_of(found)
    return [call.name for call in calls], [finding.check for finding in known]


def test_a_model_is_asked_what_it_is_said_to_take_and_no_more():
    assert names(model(takes_seed=True)) == (
        ["answer", "temperature 0", "seed", "picture", "JSON schema", "tools", "stream"],
        ["sound", "batches"],
    )
    both = [ct.MODALITY_TEXT, ct.MODALITY_AUDIO]
    assert names(model(input_modalities=both)) == (
        ["answer", "temperature 0", "sound", "JSON schema", "tools", "stream"],
        ["seed", "picture", "batches"],
    )
    assert names(model(input_modalities=[ct.MODALITY_AUDIO])) == (["answer", "stream"], ["batches"])
    assert names(model(output_modalities=[ct.MODALITY_IMAGE])) == (["made"], [])
    for call in checks_of(model(takes_seed=True))[0]:
        assert call.request.parameters.max_output_tokens == LIMIT
        assert call.request.ByteSize() < 1000
    thinking = checks_of(model(extra_output_tokens=25_000))[0]
    assert {call.request.parameters.max_output_tokens for call in thinking} == {THINKING_LIMIT}


def test_the_most_that_a_check_can_cost_is_known_or_said_to_be_unknown():
    first = checks_of(model())[0][0]
    priced = model(price=gw.Price(input="1", output="100"))
    assert most_nano_usd(priced, first) == first.most_input_tokens * 1000 + LIMIT * 100_000
    assert most_nano_usd(model(), first) is None
    assert most_nano_usd(model(charges=False), first) == 0
    painter = model(output_modalities=[ct.MODALITY_IMAGE], price=gw.Price(per_image="0.04"))
    assert most_nano_usd(painter, checks_of(painter)[0][0]) == 40_000_000
    filmer = model(output_modalities=[ct.MODALITY_VIDEO], price=gw.Price(per_second="0.4"))
    assert most_nano_usd(filmer, checks_of(filmer)[0][0]) is None, "how long a film is, its route does not say"


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        (ErrorClass.CREDENTIAL, [("key", False)]),
        (ErrorClass.MODEL_GONE, [("key", True), ("model", False)]),
        (ErrorClass.MODEL_ACCESS, [("key", True), ("model", False)]),
        (ErrorClass.QUOTA, [("answer", False)]),
        (ErrorClass.TRANSIENT, [("answer", False)]),
    ],
)
def test_a_first_call_that_fails_says_whether_it_is_the_key_or_the_model(kind, found):
    first = checks_of(model())[0][0]
    findings = failed(first, CallFailed(kind, "no"))
    assert [(finding.check, finding.works) for finding in findings] == found
    assert findings[-1].reason == kind.name


def test_what_the_gateway_cannot_send_is_not_offered_and_what_the_provider_refuses_does_not_work():
    schema = next(call for call in checks_of(model())[0] if call.name == "JSON schema")
    assert [finding.works for finding in failed(schema, CallFailed(ErrorClass.UNSUPPORTED, "no"))] == [None]
    assert [finding.works for finding in failed(schema, CallFailed(ErrorClass.CALLER_FAULT, "no"))] == [False]


def said(text="", **fields):
    return gw.GenerateResponse(parts=[ct.Part(text=text)] if text else [], **fields)


@pytest.mark.parametrize(
    ("name", "response", "works"),
    [
        ("answer", said("OK"), True),
        ("answer", said(), False),
        ("answer", said(finish_reason=gw.FINISH_REASON_LENGTH), True),
        ("temperature 0", said("OK", applied_parameters=gw.GenerationParameters(temperature=0)), True),
        ("temperature 0", said("OK", dropped_parameters=["temperature"]), None),
        ("JSON schema", said('{"answer": "OK"}'), True),
        ("JSON schema", said("OK"), False),
        ("JSON schema", said('{"answer"', finish_reason=gw.FINISH_REASON_LENGTH), True),
        ("JSON schema", said('{"reply": "OK"}'), False),
        ("tools", said("It is sunny."), True),
        ("stream", said("OK", first_piece_s=0.2), True),
        ("stream", said("OK"), None),
    ],
)
def test_an_answer_shows_whether_it_works(name, response, works):
    check = next(call for call in checks_of(model())[0] if call.name == name)
    assert next(finding for finding in shown(check, response) if finding.check == name).works is works


def test_a_model_that_only_hears_is_asked_a_silence_which_may_have_no_words():
    first = checks_of(model(input_modalities=[ct.MODALITY_AUDIO]))[0][0]
    (part,) = first.request.messages[0].parts
    assert part.media.modality == ct.MODALITY_AUDIO
    for text in ("", "you"):
        assert next(finding for finding in shown(first, said(text)) if finding.check == "answer").works


def test_the_first_answer_shows_key_model_and_usage():
    first = checks_of(model())[0][0]
    findings = {
        finding.check: finding for finding in shown(first, said("OK", model="m-2", usage=gw.Usage(input_tokens=9, output_tokens=2)))
    }
    assert findings["key"].works
    assert findings["model"].said == "answered as m-2"
    assert findings["usage"].said == "9 tokens in, 2 out"
    silent = {finding.check: finding for finding in shown(first, said("OK", usage_incomplete=True))}
    assert silent["usage"].works is False


def configured(genlevel, server, price):
    (genlevel.folder / "genlevel.yaml").write_text(
        f"accounts:\n  s: {{provider: compatible, base_url: {server.base_url}}}\nroutes:\n  r: {{account: s, model: m, price: {price}}}\n"
    )


def test_a_route_that_works_says_so_and_what_it_cost(genlevel, stub_upstream):
    configured(genlevel, stub_upstream(answer="OK"), "{input: 1, output: 2}")
    done = genlevel.run("models", "--check", "r", "--json")
    found = json.loads(done.stdout)
    checks = {one["check"]: one["works"] for one in found["checks"]}
    assert [checks[name] for name in ("key", "model", "answer", "usage", "temperature 0", "tools")] == [True] * 6
    assert (checks["JSON schema"], found["works"], done.returncode) == (False, False, 1), "it was not followed"
    assert 0 < found["usd"] <= found["most_usd"] < 0.05
    assert found["calls"] == 7
    table = genlevel.run("models", "--check", "r")
    assert "7 calls, $0." in table.stdout


def test_a_route_that_fails_is_asked_once(genlevel, stub_upstream):
    server = stub_upstream(status=401)
    configured(genlevel, server, "{input: 1, output: 2}")
    done = genlevel.run("models", "--check", "r", "--json")
    found = json.loads(done.stdout)
    assert done.returncode == 1
    assert [(one["check"], one["works"], one["reason"]) for one in found["checks"][:1]] == [("key", False, "CREDENTIAL")]
    assert found["calls"] == 1


def test_what_may_cost_more_than_five_cents_is_asked_only_if_that_is_said(genlevel, stub_upstream):
    server = stub_upstream(answer="OK")
    configured(genlevel, server, "{input: 1000, output: 2000}")
    done = genlevel.run("models", "--check", "r")
    assert done.returncode == 2
    assert "calls to r may cost up to $" in done.stderr
    assert not server.calls()
    assert json.loads(genlevel.run("models", "--check", "r", "--yes", "--json").stdout)["calls"] == 7
    missing = genlevel.run("models", "--check", "openai/gpt-4o-mini", "--json", OPENAI_API_KEY="")
    assert (missing.returncode, json.loads(missing.stdout)["calls"]) == (2, 0)

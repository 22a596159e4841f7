"""Money: worst cases are upper bounds, and what is not bounded is said."""

import pytest

from evaluator.planning.prices import estimated_tokens, media_bounds, money_notes, most_tokens, token_bounds, worst_case_nano_usd
from genlevel.benchmark.answer_kinds import AnswerType
from genlevel.benchmark.model import Instance, MediaFile, Modality
from genlevel.runtime.errors import UsageError
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw


def test_the_worst_case_takes_the_dearest_input_price():
    price = gw.Price(input="3", output="15", cache_read="0.30", cache_write="3.75")
    assert worst_case_nano_usd(price, 1_000_000, 0) == 3_750_000_000
    assert worst_case_nano_usd(price, 0, 1_000_000) == 15_000_000_000
    assert worst_case_nano_usd(gw.Price(input="0.1", output="0.4"), 1, 0) == 100


def test_a_long_input_costs_its_factor():
    price = gw.Price(input="1", output="2", long_context_above_tokens=100, long_context_input_factor="2", long_context_output_factor="1.5")
    assert worst_case_nano_usd(price, 100, 10) == 120_000
    assert worst_case_nano_usd(price, 101, 10) == 232_000


def model(*, makes, price, **facts):
    return gw.ModelInfo(route="m", output_modalities=makes, price=gw.Price(**price), **facts)


@pytest.mark.parametrize(
    ("makes", "output", "price", "facts", "bound"),
    [
        ([ct.MODALITY_IMAGE], ct.MODALITY_IMAGE, {"per_image": "0.04"}, {}, (0, 1, 0.0, "")),
        ([ct.MODALITY_IMAGE], ct.MODALITY_IMAGE, {"output": "30"}, {}, (0, 1, 0.0, "max_tokens_per_image")),
        ([ct.MODALITY_IMAGE], ct.MODALITY_IMAGE, {"output": "30"}, {"max_output_tokens_per_image": 900}, (900, 1, 0.0, "")),
        ([ct.MODALITY_VIDEO], ct.MODALITY_VIDEO, {"per_second": "0.1"}, {}, (0, 0, 0.0, "max_seconds")),
        ([ct.MODALITY_VIDEO], ct.MODALITY_VIDEO, {"per_second": "0.1"}, {"max_output_seconds": 8.0}, (0, 0, 8.0, "")),
        ([ct.MODALITY_AUDIO], ct.MODALITY_AUDIO, {"output": "12"}, {"max_output_seconds": 8.0}, (0, 0, 8.0, "per_second")),
        ([ct.MODALITY_AUDIO], ct.MODALITY_AUDIO, {"per_call": "0.01"}, {}, (0, 0, 0.0, "")),
        ([ct.MODALITY_TEXT, ct.MODALITY_IMAGE], ct.MODALITY_IMAGE, {"output": "10"}, {}, (0, 1, 0.0, "per_image")),
        ([ct.MODALITY_TEXT, ct.MODALITY_IMAGE], ct.MODALITY_IMAGE, {"output": "10", "per_image": "1"}, {}, (0, 1, 0.0, "--max-tokens")),
        ([ct.MODALITY_TEXT, ct.MODALITY_IMAGE], ct.MODALITY_IMAGE, {"output": "12", "image_output": "120"}, {}, (0, 1, 0.0, "per_image")),
        (
            [ct.MODALITY_TEXT, ct.MODALITY_IMAGE],
            ct.MODALITY_IMAGE,
            {"output": "12", "image_output": "120"},
            {"max_output_tokens_per_image": 2000},
            (2000, 1, 0.0, "--max-tokens"),
        ),
        ([ct.MODALITY_TEXT, ct.MODALITY_AUDIO], ct.MODALITY_AUDIO, {"output": "10", "audio_output": "64"}, {}, (0, 0, 0.0, "--max-tokens")),
    ],
)
def test_a_budget_knows_the_most_that_media_cost_or_says_what_is_missing(makes, output, price, facts, bound):
    found = media_bounds(model(makes=makes, price=price, **facts), output, gw.GenerationParameters())
    assert (found.tokens, found.images, found.seconds) == bound[:3]
    assert bound[3] in found.unknown
    assert bool(bound[3]) == bool(found.unknown)


def test_what_an_answer_has_no_pictures_and_no_seconds_of_costs_nothing():
    price = gw.Price(input="1", output="1", per_image="0.04", per_second="0.1")
    assert worst_case_nano_usd(price, 1000, 0) == 1_000_000
    assert worst_case_nano_usd(price, 1000, 0, images=1) == 41_000_000
    assert worst_case_nano_usd(price, 1000, 0, seconds=1.0) == 101_000_000
    assert worst_case_nano_usd(gw.Price(input="1", output="1"), 1000, 0, images=3, seconds=9.0) == 1_000_000, "no price by the piece"


def test_the_worst_case_of_media_is_the_sum_of_what_is_billed():
    price = gw.Price(input="5", image_input="8", output="30", per_image="0.01", per_second="0.1", per_call="0.002")
    assert worst_case_nano_usd(price, 1000, 100, images=2, seconds=3.5) == 8_000_000 + 3_000_000 + 20_000_000 + 350_000_000 + 2_000_000
    assert worst_case_nano_usd(gw.Price(per_image="0.04"), 9999, 9999, images=1) == 40_000_000


def test_tokens_of_sound_and_pictures_are_bounded_by_their_own_price_if_a_call_can_have_them():
    price = gw.Price(input="0.3", output="2.5", audio_input="1", image_output="30", audio_output="12")
    assert worst_case_nano_usd(price, 1000, 100) == 300_000 + 250_000
    assert worst_case_nano_usd(price, 1000, 100, hears=True) == 1_000_000 + 250_000
    assert worst_case_nano_usd(price, 1000, 100, images=1) == 300_000 + 3_000_000
    assert worst_case_nano_usd(price, 1000, 100, speaks=True) == 300_000 + 1_200_000


def test_sound_that_goes_in_and_text_to_read_aloud_are_bounded_by_the_piece():
    price = gw.Price(per_input_second="0.0001", characters="15")
    assert worst_case_nano_usd(price, 0, 0, input_seconds=60.0) == 6_000_000
    assert worst_case_nano_usd(price, 0, 0, characters=1000) == 15_000_000


@pytest.mark.parametrize(("traffic", "said"), [({"budget_nano_usd": 1}, "--budget-usd cannot be kept"), ({}, "its provider charges")])
def test_a_model_without_a_price_names_the_nearest_that_have_one(traffic, said):
    near = ["openai/gpt-5.6-luna", "openai/gpt-5.6-sol"]
    unknown = gw.ModelInfo(route="r", provider="openai", model="gpt-5.6-mini", charges=True, nearest_priced=near)
    with pytest.raises(UsageError, match=said) as refused:
        money_notes(unknown, ev.TrafficSettings(**traffic))
    assert "(openai/gpt-5.6-mini, the nearest that have one are openai/gpt-5.6-luna, openai/gpt-5.6-sol)" in str(refused.value)
    del unknown.nearest_priced[:]
    with pytest.raises(UsageError, match=said) as refused:
        money_notes(unknown, ev.TrafficSettings(**traffic))
    assert "(openai/gpt-5.6-mini)" in str(refused.value)


def test_text_beside_media_and_media_by_tokens_are_bounded_together():
    painter = model(
        makes=[ct.MODALITY_TEXT, ct.MODALITY_IMAGE], price={"output": "12", "image_output": "120"}, max_output_tokens_per_image=2000
    )
    found = media_bounds(painter, ct.MODALITY_IMAGE, gw.GenerationParameters(max_output_tokens=100))
    assert (found.tokens, found.unknown) == (2100, "")
    speaker = model(makes=[ct.MODALITY_TEXT, ct.MODALITY_AUDIO], price={"output": "10", "audio_output": "64"})
    found = media_bounds(speaker, ct.MODALITY_AUDIO, gw.GenerationParameters(max_output_tokens=100))
    assert (found.tokens, found.unknown) == (100, "")


def test_a_video_that_goes_in_whole_is_bounded_by_its_bytes_and_by_the_context(tmp_path):
    """Of 10 s at 24 kbit/s, the fewest that there are, Gemini makes 3,000 tokens."""
    (tmp_path / "v.mp4").write_bytes(bytes(30_000))
    video = MediaFile(Modality.VIDEO, tmp_path / "v.mp4", "video/mp4")
    shown = Instance("q", 0, "What is seen?", AnswerType.SHORT_TEXT, media=(video,))
    text = "What is seen?"
    estimate, most = token_bounds(shown, text, gw.ModelInfo())
    assert most >= 3_000 + most_tokens(text)
    assert estimated_tokens(text) < estimate < most
    assert token_bounds(shown, text, gw.ModelInfo(context_tokens=1_000))[1] == 1_000 + most_tokens(text)
    assert token_bounds(shown, text, gw.ModelInfo(video_frames=4, max_tokens_per_image=100))[1] == 400 + most_tokens(text)

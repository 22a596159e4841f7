"""Arguments of a program become a message, or an error in one line that names one of them: nothing else comes of whatever is given."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genlevel.client.asking import Asked, asked_traffic_of, nano_dollars, specification_of
from genlevel.errors import UsageError

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(st.characters(), max_size=5),
    st.binary(max_size=3),
    st.decimals(),
    st.lists(st.one_of(st.text(max_size=3), st.integers(0, 3)), max_size=2),
)


@given(st.dictionaries(st.sampled_from(sorted(Asked.__annotations__)), VALUES, max_size=4))
def test_whatever_is_given_becomes_a_message_or_an_error_that_names_it(asked: dict[str, Any]) -> None:
    try:
        specification = specification_of("model", "suite", asked)  # type: ignore[arg-type]
        traffic = asked_traffic_of(asked)  # type: ignore[arg-type]
    except UsageError as error:
        said = str(error)
    else:
        assert specification.limit == asked.get("limit", 0)
        assert traffic.HasField("budget_nano_usd") == ("budget_usd" in asked)
        assert traffic.HasField("until_decided") == ("until_decided" in asked)
        return
    assert "\n" not in said
    assert any(said.startswith(name) for name in asked)


def test_what_is_to_be_decided_is_asked_for_with_its_errors() -> None:
    traffic = asked_traffic_of({"until_decided": "verdict", "epsilon": 0.001, "rpm": 60})
    assert (traffic.until_decided.aim, traffic.until_decided.epsilon, traffic.requests_per_minute) == (2, 0.001, 60)
    with pytest.raises(UsageError, match="epsilon goes with until_decided"):
        asked_traffic_of({"epsilon": 0.001})
    with pytest.raises(UsageError, match="do not go together"):
        asked_traffic_of({"until_decided": "wins", "batch": True})
    with pytest.raises(UsageError, match="until_decided must be one of wins, verdict"):
        specification_of("m", "s", {"until_decided": "levels"})


@given(st.decimals(0, 10**9, places=9))
def test_an_amount_is_exact_to_the_nano_dollar(amount: Decimal) -> None:
    assert nano_dollars(amount) == nano_dollars(f"${amount}") == int(amount * 10**9)


@pytest.mark.parametrize(("model", "suite"), [("", "starter"), (None, "starter"), ("m", " "), ("\ud800", "s")])
def test_a_model_and_a_suite_are_named(model: Any, suite: Any) -> None:
    with pytest.raises(UsageError, match="must be text that says something"):
        specification_of(model, suite, {})

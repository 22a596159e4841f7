"""Files of prices: read in both forms, and a mistake is one line that names file, entry and field."""

from decimal import Decimal
from pathlib import Path

import pytest

from genlevel.runtime.errors import ConfigurationError
from genlevel.runtime.price_list import ListedPrice, price_list, read_price_list
from genlevel.runtime.settings import LongContext, ModelPrice

YAML = """
prices:
  openai/gpt-x:
    as_of: 2026-11-29
    source: a page
    price: {input: "2", output: 10, long_context: {above: 200000, input: "2"}}
  groq/whisper: {per_input_second: "0.00003"}
"""
JSON = """{"prices": {
  "openai/gpt-x": {"as_of": "2026-11-29", "source": "a page",
                   "price": {"input": "2", "output": 10, "long_context": {"above": 200000, "input": "2"}}},
  "groq/whisper": {"per_input_second": "0.00003"}}}"""


@pytest.mark.parametrize("text", [YAML, JSON])
def test_both_forms_say_the_same(text: str) -> None:
    assert price_list(text, "f").prices == {
        "openai/gpt-x": ListedPrice(
            price=ModelPrice(
                input=Decimal(2), output=Decimal(10), long_context=LongContext(above=200_000, input=Decimal(2), output=Decimal(1))
            ),
            source="a page",
            as_of="2026-11-29",
        ),
        "groq/whisper": ListedPrice(price=ModelPrice(per_input_second=Decimal("0.00003"))),
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"prices": {"openai/x": {"input": -1, "output": 2}}}', "prices.file: prices.openai/x.price.input: should be greater than"),
        ('{"prices": {"openai/x": {"input": 1}}}', "prices.openai/x.price: give input and output"),
        ('{"prices": {"openai/x": {"input": 1, "output": 1, "outputs": 2}}}', "prices.openai/x.price.outputs: unknown field"),
        ('{"prices": {"gpt": {"input": 1, "output": 1}}}', "'gpt' must be named provider/model"),
        ('{"prices": {"openai/x": {"price": {"input": 1, "output": 1}, "as_of": "today"}}}', "as_of: must be a day such as 2026-11-29"),
        ("{", "prices.file:1: not valid JSON"),
        ("- openai/x", "prices.file:1: must hold sections such as 'prices:'"),
        ("prices:\n  openai/x: {input: -1, output: 2}\n", "prices.file:2: prices.openai/x.price.input"),
    ],
)
def test_a_mistake_is_one_line_that_names_file_entry_and_field(text: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        price_list(text, "prices.file")
    assert said in str(refused.value)
    assert str(refused.value).startswith("prices.file:")
    assert len(str(refused.value).splitlines()) == 1


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"prices_file: cannot read .*none\.json"):
        read_price_list(tmp_path / "none.json")

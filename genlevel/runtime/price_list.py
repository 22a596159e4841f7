"""A file of prices that goes before those that are shipped: what ``genlevel prices --update`` writes, and people may write.

    {"prices": {"openai/gpt-6.2-sol": {"as_of": "2026-11-29", "source": "...", "price": {"input": "2", "output": "10"}}}}

The same as YAML, and with the fields of a price alone, as under prices: in genlevel.yaml, is read, too.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from genlevel.runtime.errors import ConfigurationError
from genlevel.runtime.origin import dotted
from genlevel.runtime.settings import ModelPrice, Settings
from genlevel.runtime.settings_file import read_text
from genlevel.runtime.yaml_lines import YamlText

DEFAULT_FILE = Path("genlevel-prices.json")
"""Where prices are updated, and looked for, if the settings name no file: in the working folder, as genlevel.yaml is."""
LARGEST_BYTES = 32 << 20


class ListedPrice(BaseModel):
    """One price. source: where it is from; as_of: the day on which it was read, such as 2026-11-29; "" = not said."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    price: ModelPrice
    source: str = ""
    as_of: str = ""

    @field_validator("as_of")
    @classmethod
    def _is_a_day(cls, value: str) -> str:
        if value:
            try:
                date.fromisoformat(value)
            except ValueError:
                raise ValueError("must be a day such as 2026-11-29") from None
        return value


class PriceList(BaseModel):
    """Prices by provider/model."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    prices: dict[str, ListedPrice] = {}

    @field_validator("prices")
    @classmethod
    def _are_named(cls, value: dict[str, ListedPrice]) -> dict[str, ListedPrice]:
        for name in value:
            provider, _, model = name.partition("/")
            if not provider or not model:
                raise ValueError(f"{name!r} must be named provider/model, such as openai/gpt-5")
        return value


def file_of(settings: Settings) -> Path:
    """Where these settings keep updated prices, whether it is there or not."""
    return settings.prices_file or DEFAULT_FILE


def listed_prices(settings: Settings) -> dict[str, ListedPrice]:
    """The prices of the settings' file; none if they name no file and there is none. Raises ConfigurationError if it cannot be used."""
    if settings.prices_file is None and not DEFAULT_FILE.is_file():
        return {}
    return read_price_list(file_of(settings)).prices


def read_price_list(path: Path) -> PriceList:
    """A file in this form. Raises ConfigurationError, one line that names file, entry and field."""
    return price_list(read_text(path, "prices_file", limit_bytes=LARGEST_BYTES), str(path))


def price_list(text: str, file: str) -> PriceList:
    """A text in this form; file: the name that errors carry. JSON is read at once, YAML with its lines."""
    if not text.lstrip().startswith("{"):
        read = YamlText(text, file, "prices")
        return read.checked(PriceList, _whole(read.data))
    try:
        return PriceList.model_validate_json(json.dumps(_whole(json.loads(text))), strict=True)
    except RecursionError:
        raise ConfigurationError(f"{file}: nested too deeply") from None
    except json.JSONDecodeError as error:
        raise ConfigurationError(f"{file}:{error.lineno}: not valid JSON: {error.msg}") from None
    except ValidationError as error:
        first, *others = error.errors(include_url=False)
        unknown = first["type"] == "extra_forbidden"
        message = "unknown field" if unknown else first["msg"].removeprefix("Value error, ").removeprefix("Input ")
        where = f"{dotted(tuple(first['loc']))}: " if first["loc"] else ""
        more = f" (and {len(others)} more)" if others else ""
        raise ConfigurationError(f"{file}: {where}{message}{more}") from None


def _whole(data: object) -> object:
    """The data with every price that stands alone put where the others are."""
    listed = data.get("prices") if isinstance(data, dict) else None
    if not isinstance(data, dict) or not isinstance(listed, dict):
        return data
    prices = {name: {"price": one} if isinstance(one, dict) and "price" not in one else one for name, one in listed.items()}
    return {**data, "prices": prices}

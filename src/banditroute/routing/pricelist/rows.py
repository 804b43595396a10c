"""The rows of a public price list, read into this library's names and units; nothing is judged here.

The format is litellm's price map, dollars per single token: its own JSON mapping `{MODEL: {...}}`, or JSON lines with
the name under "model".
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import cast

from banditroute.errors import PriceError

# Our keys, and the list's.
RATE_KEYS = {
    "input_usd_per_mtok": "input_cost_per_token",
    "output_usd_per_mtok": "output_cost_per_token",
    "cached_input_usd_per_mtok": "cache_read_input_token_cost",
    "cache_write_usd_per_mtok": "cache_creation_input_token_cost",
    "reasoning_usd_per_mtok": "output_cost_per_reasoning_token",
}

# What is charged for a kind of token whose own price is not stated.
WHOLE_OF = {
    "cached_input_usd_per_mtok": "input_usd_per_mtok",
    "cache_write_usd_per_mtok": "input_usd_per_mtok",
    "reasoning_usd_per_mtok": "output_usd_per_mtok",
}

WHOLE_KEYS = ("input_usd_per_mtok", "output_usd_per_mtok")

_TIER_KEY = re.compile(r"(?:input|output)_cost_per_token_above_(\d+)k_tokens")


@dataclass(frozen=True, slots=True)
class Rates:
    """Prices as listed for prompts longer than a bound, dollars per million tokens; None = not listed."""

    above_input_tokens: int
    input_usd_per_mtok: float | None
    output_usd_per_mtok: float | None
    cached_input_usd_per_mtok: float | None = None
    cache_write_usd_per_mtok: float | None = None
    reasoning_usd_per_mtok: float | None = None

    def __getitem__(self, key: str) -> float | None:
        """The price of that key."""
        return cast("float | None", getattr(self, key))

    def completed(self, base: "Rates") -> "Rates":
        """These prices where a tier changes only one side and keeps the other."""
        changed = {key: base[key] for key in WHOLE_KEYS if self[key] is None}
        return replace(self, **changed)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A value that is not what its key asks for; key is ours, value as it stands in the list."""

    key: str
    value: str


@dataclass(frozen=True, slots=True)
class Listing:
    """One row of a price list.

    Attributes:
        model: the row's name.
        provider: who serves it.
        mode: what it is for; "chat" where the list does not say.
        rates: prices by prompt length, those of the shortest prompts first.
        context_window: the longest prompt; None = not stated.
        max_output_tokens: the longest answer; None = not stated.
        tools: whether the list states that it calls tools; vision and json likewise.
        streaming: whether the list does not deny that it streams.
        request_usd: fee per call on top of the tokens; None = not listed.
        retires_on: the day the provider ends it, YYYY-MM-DD; None = not stated.
        unreadable: values that could not be read, taken as not listed.
    """

    model: str
    provider: str
    mode: str
    rates: tuple[Rates, ...]
    context_window: int | None = None
    max_output_tokens: int | None = None
    tools: bool = False
    vision: bool = False
    json: bool = False
    streaming: bool = True
    request_usd: float | None = None
    retires_on: str | None = None
    unreadable: tuple[Unreadable, ...] = ()

    @property
    def base(self) -> Rates:
        """The prices of the shortest prompts."""
        return self.rates[0]

    @property
    def upstream(self) -> str:
        """The provider's own name for the model: the row's name without the provider before the slash."""
        first, _, rest = self.model.partition("/")
        named = self.provider == first or self.provider.startswith((f"{first}_", f"{first}-"))
        return rest if rest and named else self.model


def parse_price_list(text: str, *, path: str) -> Iterator[Listing]:
    """The rows of a price list, in its order; path is for error messages.

    Raises:
        PriceError: the text is no price list: not JSON, an entry is no object, has no name, or has a key twice.
    """
    for model, values in _entries(text, path):
        yield _listing(_encodable(model), values)


def _entries(text: str, path: str) -> Iterator[tuple[str, Mapping[str, object]]]:
    document, end = _first_object(text, path, None)
    if not text[end:].strip() and not isinstance(dict(document).get("model"), str):
        for model, entry in document:  # not through a dict, which would drop a model that stands twice
            yield model, _fields(entry, path, None, model)
        return
    for line, row in enumerate(text.split("\n"), start=1):  # not splitlines: JSON strings may hold other line ends
        if row.strip():
            yield _line(row, path, line)


def _line(row: str, path: str, line: int) -> tuple[str, Mapping[str, object]]:
    document, end = _first_object(row, path, line)
    if row[end:].strip():
        raise PriceError("more than one object in a line", path=path, line=line)
    values = _fields(document, path, line, None)
    model = values.get("model")
    if not (isinstance(model, str) and model.strip()):
        raise PriceError("a row without a name", remedy="name the model", path=path, line=line, field="model")
    return model, values


class _Pairs(tuple[tuple[str, object], ...]):
    """A JSON object with every key that stands in it."""

    __slots__ = ()


_DECODER = json.JSONDecoder(object_pairs_hook=_Pairs)


def _first_object(text: str, path: str, line: int | None) -> tuple[_Pairs, int]:
    start = len(text) - len(text.lstrip())
    try:
        document, end = _DECODER.raw_decode(text, start)
    except json.JSONDecodeError as error:
        raise PriceError(f"not JSON: {error.msg}", path=path, line=line or error.lineno) from None
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, brackets in brackets in brackets
        raise PriceError("not a price list", remedy="name one", path=path, line=line) from error
    if not isinstance(document, _Pairs):
        remedy = "give {MODEL: {...}}, or an object with a model in every line"
        raise PriceError("not an object", remedy=remedy, path=path, line=line or 1)
    return document, end


def _fields(entry: object, path: str, line: int | None, model: str | None) -> Mapping[str, object]:
    if not isinstance(entry, _Pairs):
        raise PriceError("not an object", path=path, line=line, field=model)
    values = dict(entry)
    if len(values) < len(entry):
        keys = [key for key, _ in entry]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise PriceError("the key stands twice", remedy="keep one", path=path, line=line, field=twice)
    return values


@dataclass(frozen=True, slots=True)
class _Reader:
    """Takes typed values out of one object of the list, and notes what cannot be read."""

    values: Mapping[str, object]
    unreadable: list[Unreadable]

    def number(self, list_key: str, key: str) -> float | None:
        value = self.values.get(list_key)
        if value is None:
            return None
        if isinstance(value, int | float) and not isinstance(value, bool) and not _too_long(value):
            return value
        self.unreadable.append(Unreadable(key, repr(value)))
        return None

    def tokens(self, list_key: str, key: str) -> int | None:
        """A number of tokens; lists write 8192.0 for 8192."""
        number = self.number(list_key, key)
        if number is None:
            return None
        if math.isfinite(number) and number >= 1 and number == int(number):
            return int(number)
        self.unreadable.append(Unreadable(key, repr(number)))
        return None

    def text(self, list_key: str) -> str | None:
        value = self.values.get(list_key)
        return _encodable(value) if isinstance(value, str) and value else None

    def range_start(self) -> int | None:
        """The bound above which a range's prices hold; None where it cannot be read."""
        bounds = self.values.get("range")
        start = cast("list[object]", bounds)[0] if isinstance(bounds, list) and bounds else None
        return int(start) if isinstance(start, int | float) and math.isfinite(start) else None

    def rates(self, above: int, *, suffix: str = "", prefix: str = "") -> Rates:
        """The five prices whose keys end in suffix in the list; prefix is that of ours."""
        numbers = (self.number(list_key + suffix, prefix + key) for key, list_key in RATE_KEYS.items())
        return Rates(above, *map(_usd_per_mtok, numbers))


def _listing(model: str, values: Mapping[str, object]) -> Listing:
    row = _Reader(values, [])
    return Listing(
        model=model,
        provider=row.text("litellm_provider") or row.text("provider") or "",
        mode=row.text("mode") or "chat",
        rates=tuple(_ranges(row)) or tuple(_tiers(row)),
        context_window=row.tokens("max_input_tokens", "context_window"),
        max_output_tokens=row.tokens("max_output_tokens", "max_output_tokens"),
        tools=values.get("supports_function_calling") is True,
        vision=values.get("supports_vision") is True,
        json=values.get("supports_response_schema") is True,
        streaming=values.get("supports_native_streaming") is not False,
        request_usd=row.number("input_cost_per_request", "input_cost_per_request"),
        retires_on=row.text("deprecation_date"),
        unreadable=tuple(row.unreadable),
    )


def _tiers(row: _Reader) -> Iterator[Rates]:
    """Prices by length where the list has one key a price and bound: the base, then its tiers."""
    base = row.rates(0)
    yield base
    bounds = sorted({int(match[1]) for key in row.values if (match := _TIER_KEY.fullmatch(key))})
    for tier, thousands in enumerate(bounds):
        rates = row.rates(thousands * 1000, suffix=f"_above_{thousands}k_tokens", prefix=f"tiers[{tier}].")
        yield rates.completed(base)


def _ranges(row: _Reader) -> Iterator[Rates]:
    """Prices by length where the list has one object a range; nothing where it has not."""
    ranges = row.values.get("tiered_pricing")
    for position, entry in enumerate(cast("list[object]", ranges) if isinstance(ranges, list) else ()):
        fields = _Reader(dict(entry) if isinstance(entry, _Pairs) else {}, row.unreadable)
        prefix = f"tiers[{position - 1}]." if position else ""
        above = fields.range_start()
        if above is None or (above > 0) != (position > 0):
            row.unreadable.append(Unreadable(f"{prefix}above_input_tokens", repr(fields.values.get("range"))))
        yield fields.rates(above or 0, prefix=prefix)


def _encodable(text: str) -> str:
    """The text with a question mark for each half of a surrogate pair, which JSON can spell and no file can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _too_long(number: float) -> bool:
    """Whether a whole number has more digits than a float can hold."""
    return isinstance(number, int) and number.bit_length() > 1000


def _usd_per_mtok(usd_per_token: float | None) -> float | None:
    """To twelve digits, because 1e-07 times a million is 0.09999999999999999 in binary; prices have fewer."""
    return None if usd_per_token is None else float(f"{usd_per_token * 1e6:.12g}")

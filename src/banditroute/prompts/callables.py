"""Encoders of one's own: any callable that turns a text into numbers, found by entry point or by module:name."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from importlib.metadata import entry_points
from typing import Any, cast

from banditroute.errors import ConfigError, InputError
from banditroute.plugging import plugged
from banditroute.records import ChatRequest
from banditroute.routing.tasks import FeatureEncoder, Task

from .excerpt import excerpt_of

GROUP = "banditroute.encoders"
"""The entry point group in which encoders are looked for."""

MOST_FEATURES = 512

TextEncoder = Callable[[str], Iterable[float]]
"""Turns a text into a vector, always of the same width, of about unit size."""

_PROBE = "How wide is this?"


class CallableEncoder:
    """Encodes the last user turn and the system prompt's frame with a callable.

    Args:
        encode: the callable.
        version: names it; another version is another encoder.

    Raises:
        ConfigError: it does not give a vector of 1 to MOST_FEATURES numbers.
    """

    def __init__(self, encode: TextEncoder, version: str) -> None:
        self._encode = encode
        self.version = version
        self.width = len(_numbers(encode(_PROBE)))
        if not 1 <= self.width <= MOST_FEATURES:
            remedy = f"give 1 to {MOST_FEATURES} numbers; project a wide embedding to a few dozen"
            raise ConfigError(f"the encoder {version!r} gives {self.width} numbers", remedy=remedy)

    def encode(self, request: ChatRequest, task: Task) -> tuple[float, ...]:  # noqa: ARG002 - the protocol's
        """The features (width,).

        Raises:
            InputError: the callable gives another width than before, or a number that is not finite.
        """
        features = _numbers(self._encode(excerpt_of(request)))
        if len(features) != self.width or not math.isfinite(sum(features)):
            problem = f"the encoder {self.version!r} gave {len(features)} numbers, finite ones expected: {self.width}"
            raise InputError(problem, remedy="mend the encoder", field="features")
        return features


def named_encoder(name: str) -> FeatureEncoder:
    """The encoder of that entry point in GROUP, or at module:name.

    What is found there is a FeatureEncoder, or a callable that turns a text into numbers.

    Raises:
        ConfigError: nothing is found, or it is no encoder.
    """
    if ":" in name:
        return _encoder(plugged(name, "encoder"), name)
    found = entry_points(group=GROUP, name=name)
    if not found:
        known = ", ".join(sorted({"prompt", "none", *entry_points(group=GROUP).names}))
        remedy = f"use one of {known}, or module:name of a callable"
        raise ConfigError(f"no encoder is installed as {name!r}", remedy=remedy)
    point = next(iter(found))
    version = point.dist.version if point.dist is not None else "0"
    return _encoder(plugged(f"{point.module}:{point.attr}", "encoder"), f"{name}-{version}")


def _encoder(found: object, version: str) -> FeatureEncoder:
    if all(hasattr(found, name) for name in ("version", "width", "encode")):
        return cast("FeatureEncoder", found)
    if not callable(found):
        raise ConfigError(f"{version!r} is no encoder", remedy="name a callable that turns a text into numbers")
    return CallableEncoder(cast("TextEncoder", found), str(getattr(found, "version", version)))


def _numbers(values: Iterable[Any]) -> tuple[float, ...]:
    """The numbers; none where a callable, which may be anybody's, gave something else."""
    try:
        return tuple(map(float, values))
    except (TypeError, ValueError):
        return ()

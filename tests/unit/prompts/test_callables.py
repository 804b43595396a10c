"""Encoders of one's own."""

import sys
from importlib.metadata import EntryPoint
from types import ModuleType

import numpy as np
import pytest

from banditroute.errors import ConfigError, InputError
from banditroute.prompts.callables import GROUP, CallableEncoder, named_encoder
from banditroute.records import ChatRequest
from banditroute.routing.tasks import NoFeatures, Task

REQUEST = ChatRequest(({"role": "user", "content": "abc"},))
TASK = Task("qa")


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = ModuleType("my_encoders")
    monkeypatch.setitem(sys.modules, "my_encoders", module)
    return module


def test_any_callable_of_a_text_is_an_encoder(module: ModuleType) -> None:
    module.lengths = lambda text: np.array([len(text), 1.0])
    encoder = named_encoder("my_encoders:lengths")
    assert (encoder.width, encoder.version) == (2, "my_encoders:lengths")
    assert encoder.encode(REQUEST, TASK) == (3.0, 1.0)


def test_its_version_is_its_own_where_it_has_one(module: ModuleType) -> None:
    def encode(text: str) -> list[float]:
        return [float(len(text))]

    encode.version = "mine-7"
    module.encode = encode
    assert named_encoder("my_encoders:encode").version == "mine-7"


def test_an_encoder_object_is_taken_as_it_is(module: ModuleType) -> None:
    module.nothing = NoFeatures()
    assert named_encoder("my_encoders:nothing") is module.nothing


@pytest.mark.parametrize("name", ["my_encoders:absent", "no_such_module:encode", "nobody-installed-this"])
def test_what_is_not_there_is_said_in_one_line(name: str, module: ModuleType) -> None:
    with pytest.raises(ConfigError) as caught:
        named_encoder(name)
    assert name.partition(":")[0].split("_")[0] in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_no_encoder_is_refused(module: ModuleType) -> None:
    module.number = 7
    with pytest.raises(ConfigError, match="is no encoder"):
        named_encoder("my_encoders:number")
    with pytest.raises(ConfigError, match="gives 0 numbers"):
        CallableEncoder(lambda text: [], "empty")
    with pytest.raises(ConfigError, match="gives 0 numbers"):
        CallableEncoder(lambda text: None, "silent")  # pyright: ignore[reportArgumentType]
    with pytest.raises(ConfigError, match=r"gives 768 numbers; .*project"):
        CallableEncoder(lambda text: [0.0] * 768, "wide")


def test_one_that_is_installed_and_cannot_be_imported_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("mine", "no_such_module:encode", GROUP)
    monkeypatch.setattr("banditroute.prompts.callables.entry_points", lambda **_: (point,))
    with pytest.raises(ConfigError, match="'no_such_module:encode' is not found: No module named 'no_such_module'"):
        named_encoder("mine")


@pytest.mark.parametrize("features", [[1.0, 2.0], [float("nan")], [float("inf")], None, ["a"]])
def test_features_of_another_width_or_not_finite_are_refused(features: list[float]) -> None:
    encoder = CallableEncoder(lambda text: features if text == "abc" else [0.0], "changing")
    with pytest.raises(InputError, match="'changing'"):
        encoder.encode(REQUEST, TASK)

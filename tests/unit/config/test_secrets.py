"""Secrets are told from names, and missing ones are named before they are needed."""

from pathlib import Path

import pytest

from banditroute.config import MissingKey, ProviderConfig, RouterConfig, missing_keys, require_keys
from banditroute.config.secrets import looks_like_a_key
from banditroute.errors import ConfigError
from banditroute.routing.catalog import Catalog


@pytest.mark.parametrize(
    "text",
    [
        "sk-proj-x",
        "sk-ant-api03-abc",
        "gsk_Zm9vYmFyQmF6UXV4TG9yZW0",
        "AIzaSyA-1234",
        "Bearer abc",
        "0123456789abcdef0123456789ABCDEF",
        "Zm9vYmFy3BazQux9Lorem7Ipsum2",
    ],
)
def test_keys_look_like_keys(text: str) -> None:
    assert looks_like_a_key(text)


@pytest.mark.parametrize(
    "text",
    [
        "OPENAI_API_KEY",
        "MY_COMPANYS_OPENAI_API_KEY_NUMBER_2",
        "sk_test_key",
        "hf_token",
        "https://openrouter.ai/api/v1",
        "prompt-caching-2024-07-31",
        "MyCompanyApplication2024",
        "gpt-4o-mini-2024-07-18",
        "",
    ],
)
def test_names_do_not(text: str) -> None:
    assert not looks_like_a_key(text)


@pytest.fixture
def config() -> RouterConfig:
    providers = (
        ProviderConfig("local", "openai", "http://127.0.0.1:1/v1"),
        ProviderConfig("a", "openai", "https://a/v1", ("A_1", "A_2")),
        ProviderConfig("b", "gemini", "https://b", ("B",)),
    )
    return RouterConfig(Path("router.toml"), providers, Catalog())


def test_keys_that_are_set_are_enough(config: RouterConfig) -> None:
    environ = {"A_1": "x", "A_2": "y", "B": "z"}
    assert missing_keys(config, environ) == ()
    require_keys(config, environ)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("", "is empty"),
        ("  ", "is empty"),
        ("secret\n", "has blanks, line ends or other signs that no key has"),
        ("sécret", "has blanks, line ends or other signs that no key has"),
    ],
)
def test_a_key_that_cannot_be_sent_counts_as_missing(value: str, problem: str, config: RouterConfig) -> None:
    assert missing_keys(config, {"A_1": "x", "A_2": "y", "B": value}) == (MissingKey("b", "B", problem),)


def test_all_missing_keys_are_named_with_their_providers(config: RouterConfig) -> None:
    with pytest.raises(ConfigError) as caught:
        require_keys(config, {"A_1": "hunter2", "B": "hunter2\n"})
    line = str(caught.value)
    assert line.startswith(
        "router.toml: api_key_env: environment variable A_2 of provider 'a' is not set, B of provider"
    )
    assert "hunter2" not in line

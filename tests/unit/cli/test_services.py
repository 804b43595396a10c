"""Which provider of a price list a provider of router.toml is."""

import pytest

from banditroute.cli.services import SERVICES, listed_as
from banditroute.config import ProviderConfig
from banditroute.providers.registry import KINDS


@pytest.mark.parametrize(
    ("name", "kind", "base_url", "listed"),
    [
        ("mine", "openai", "https://api.openai.com/v1", "openai"),
        ("mine", "openai", "https://API.groq.com/openai/v1", "groq"),
        ("eu", "anthropic", "https://api.anthropic.com", "anthropic"),
        ("g", "gemini", "https://generativelanguage.googleapis.com", "gemini"),
        ("ollama", "openai", "http://localhost:11434/v1", "ollama"),
        ("acme", "openai", "https://models.acme.example/v1", "acme"),
    ],
)
def test_by_its_address_else_by_its_name(name: str, kind: str, base_url: str, listed: str) -> None:
    assert listed_as(ProviderConfig(name, kind, base_url)) == listed


def test_every_service_is_found_again_by_its_own_address() -> None:
    for service in SERVICES:
        url = service.base_url or KINDS[service.kind].default_base_url
        assert listed_as(ProviderConfig("mine", service.kind, url)) == service.listed_as

"""Services that are known by name: which environment variables hold their keys, and what price lists call them."""

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from banditroute.cli.litellm_providers import COUNTERPARTS
from banditroute.config import ProviderConfig
from banditroute.providers.registry import KINDS


class Service(NamedTuple):
    """A provider with a service of its own.

    Attributes:
        name: what a new configuration calls it.
        listed_as: what price lists call it.
        variables: where its key usually is, the most usual first.
    """

    name: str
    listed_as: str
    variables: tuple[str, ...]

    @property
    def kind(self) -> str:
        """Its protocol."""
        return COUNTERPARTS[self.listed_as].kind

    @property
    def base_url(self) -> str | None:
        """Where it is; None = where its kind's own service is."""
        return COUNTERPARTS[self.listed_as].base_url

    def key_variable(self, environ: Mapping[str, str]) -> str | None:
        """The variable that holds its key; None where none does."""
        return next((name for name in self.variables if environ.get(name, "").strip()), None)


SERVICES: tuple[Service, ...] = (
    Service("openai", "openai", ("OPENAI_API_KEY",)),
    Service("anthropic", "anthropic", ("ANTHROPIC_API_KEY",)),
    Service("gemini", "gemini", ("GEMINI_API_KEY", "GOOGLE_API_KEY")),
    Service("mistral", "mistral", ("MISTRAL_API_KEY",)),
    Service("deepseek", "deepseek", ("DEEPSEEK_API_KEY",)),
    Service("xai", "xai", ("XAI_API_KEY",)),
    Service("groq", "groq", ("GROQ_API_KEY",)),
    Service("together", "together_ai", ("TOGETHER_API_KEY", "TOGETHERAI_API_KEY")),
    Service("cerebras", "cerebras", ("CEREBRAS_API_KEY",)),
    Service("moonshot", "moonshot", ("MOONSHOT_API_KEY",)),
)
"""Those whose models the built-in price list has."""


def listed_as(provider: ProviderConfig) -> str:
    """What price lists call a provider: known by its address, else taken to be its name."""
    place = _place(provider.base_url)
    for name, known in COUNTERPARTS.items():
        own = known.base_url or (None if known.needs_base else KINDS[known.kind].default_base_url)
        if own is not None and known.key_env and _place(own) == place:
            return name
    return provider.name


def _place(url: str) -> str:
    return urlsplit(url).netloc.lower()

"""LiteLLM's providers in this library's terms: which protocol, where, which variable holds the key."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import urlsplit


def _as_given(api_base: str) -> str:
    return api_base.rstrip("/")


def _azure(api_base: str) -> str:
    """Azure's own OpenAI-compatible root, which takes the deployment's name as the model."""
    parts = urlsplit(api_base)
    return f"{parts.scheme}://{parts.netloc}/openai/v1"


def _ollama(api_base: str) -> str:
    root = api_base.rstrip("/").removesuffix("/api")
    return root if root.endswith("/v1") else f"{root}/v1"


def _without(*endings: str) -> Callable[[str], str]:
    def strip(api_base: str) -> str:
        root = api_base.rstrip("/")
        for ending in endings:
            root = root.removesuffix(ending)
        return root

    return strip


class Counterpart(NamedTuple):
    """What a LiteLLM provider is here.

    Attributes:
        kind: the protocol.
        base_url: where it is spoken where the file names no api_base; None = the kind's own, or none at all.
        key_env: the variable that LiteLLM reads where the file names no api_key; empty = no key is sent.
        root: turns an api_base into a base URL.
        needs_base: whether there is no service of that name, so that the file has to say where it is.
        key_header: `api-key` for Azure.
    """

    kind: str
    base_url: str | None
    key_env: str = ""
    root: Callable[[str], str] = _as_given
    needs_base: bool = False
    key_header: str = "bearer"


def _compatible(base_url: str, key_env: str) -> Counterpart:
    return Counterpart("openai", base_url, key_env)


_LOCAL = Counterpart("openai", None, needs_base=True)
_OLLAMA = Counterpart("openai", "http://localhost:11434/v1", root=_ollama)

COUNTERPARTS: Mapping[str, Counterpart] = MappingProxyType(
    {
        "openai": Counterpart("openai", None, "OPENAI_API_KEY"),
        "azure": Counterpart("openai", None, "AZURE_API_KEY", _azure, needs_base=True, key_header="api-key"),
        "anthropic": Counterpart("anthropic", None, "ANTHROPIC_API_KEY", _without("/messages", "/v1")),
        "gemini": Counterpart("gemini", None, "GEMINI_API_KEY", _without("/v1beta")),
        "cerebras": _compatible("https://api.cerebras.ai/v1", "CEREBRAS_API_KEY"),
        "deepinfra": _compatible("https://api.deepinfra.com/v1/openai", "DEEPINFRA_API_KEY"),
        "deepseek": _compatible("https://api.deepseek.com/v1", "DEEPSEEK_API_KEY"),
        "fireworks_ai": _compatible("https://api.fireworks.ai/inference/v1", "FIREWORKS_AI_API_KEY"),
        "groq": _compatible("https://api.groq.com/openai/v1", "GROQ_API_KEY"),
        "mistral": _compatible("https://api.mistral.ai/v1", "MISTRAL_API_KEY"),
        "moonshot": _compatible("https://api.moonshot.ai/v1", "MOONSHOT_API_KEY"),
        "nvidia_nim": _compatible("https://integrate.api.nvidia.com/v1", "NVIDIA_NIM_API_KEY"),
        "openrouter": _compatible("https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"),
        "perplexity": _compatible("https://api.perplexity.ai", "PERPLEXITYAI_API_KEY"),
        "sambanova": _compatible("https://api.sambanova.ai/v1", "SAMBANOVA_API_KEY"),
        "together_ai": _compatible("https://api.together.xyz/v1", "TOGETHERAI_API_KEY"),
        "xai": _compatible("https://api.x.ai/v1", "XAI_API_KEY"),
        "ollama": _OLLAMA,
        "ollama_chat": _OLLAMA,
        "custom_openai": _LOCAL,
        "hosted_vllm": _LOCAL,
        "llamafile": _LOCAL,
        "lm_studio": _LOCAL,
        "openai_like": _LOCAL,
    }
)

_BARE = (
    ("claude", "anthropic"),
    ("gpt-", "openai"),
    ("chatgpt-", "openai"),
    ("o1", "openai"),
    ("o3", "openai"),
    ("o4", "openai"),
)


def split_model(model: str, stated: str = "") -> tuple[str, str]:
    """LiteLLM's provider and its name for the model; the provider is empty where it cannot be told.

    Args:
        model: such as `groq/llama-3.3-70b`, or `gpt-4o`, whose provider LiteLLM knows by heart.
        stated: the file's custom_llm_provider.
    """
    prefix, slash, rest = model.partition("/")
    if stated:
        return stated, rest if slash and prefix == stated else model
    if slash:
        return prefix, rest
    return next((provider for start, provider in _BARE if model.startswith(start)), ""), model

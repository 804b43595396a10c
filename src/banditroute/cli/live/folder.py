"""The folder of one demo: the configuration that the router reads, and the store that it writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from banditroute.routing.catalog import Price


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A model behind an OpenAI-compatible server; `upstream` is the server's own name for it."""

    model: str
    provider: str
    base_url: str
    upstream: str
    price: Price
    max_output_tokens: int


def new_folder() -> Path:
    """A new folder among the system's temporary ones; it stays, so that what the demo wrote can be looked at."""
    return Path(mkdtemp(prefix="banditroute-demo-"))


def write_config(folder: Path, endpoints: Sequence[Endpoint], budget_usd: float, *, features: int = 0) -> Path:
    """The path of a router.toml for these models and a paced budget of so many dollars per request.

    Args:
        folder: where it goes, and where the store is to be.
        endpoints: the models.
        budget_usd: dollars per request.
        features: how many features come with each request.
    """
    providers = {one.provider: one.base_url for one in endpoints}
    parts = [
        *(_table("providers", name=name, kind="openai", base_url=url) for name, url in providers.items()),
        *(_model(one) for one in endpoints),
        _table("budgets", name="demo", usd_per_request=budget_usd),
        f"[routing]\nfeatures = {features}\n",
        '[store]\nkind = "sqlite"\npath = "decisions.db"\n',
    ]
    path = folder / "router.toml"
    path.write_text("\n".join(parts), encoding="utf-8")
    return path


def _model(one: Endpoint) -> str:
    return _table(
        "models",
        name=one.model,
        provider=one.provider,
        upstream=one.upstream,
        input_usd_per_mtok=one.price.input_usd_per_mtok,
        output_usd_per_mtok=one.price.output_usd_per_mtok,
        max_output_tokens=one.max_output_tokens,
    )


def _table(array: str, /, **values: str | float) -> str:
    """One element of an array of tables; the texts are plain ASCII, for which repr with double quotes is TOML."""
    lines = (f'{key} = "{value}"' if isinstance(value, str) else f"{key} = {value!r}" for key, value in values.items())
    return "\n".join((f"[[{array}]]", *lines, ""))

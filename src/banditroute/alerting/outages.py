"""Models and providers that cannot be called, for so long that somebody should hear of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from .holding import Holding
from .register import Finding
from .settings import AlertSettings
from .view import View

_KEYLESS = "no key"  # so the reason begins where it is not the circuit


class Outages:
    """Watches circuits and keys; no clock, one owner."""

    def __init__(self) -> None:
        self._models = Holding()
        self._providers = Holding()
        self._alone: set[str] = set()  # models that are down while others of their providers were not
        self._why: dict[str, str] = {}  # what kept each model from being called last
        self._opened: dict[str, str] = {}  # why each circuit opened that is not closed

    def circuit(self, model: str, state: str, reason: str) -> None:
        """Takes in why a model's circuit opened, until it is closed; what a failed probe says after that is no news."""
        if state == "closed":
            self._opened.pop(model, None)
        elif state == "open":
            self._opened.setdefault(model, reason)

    def look(self, view: View, settings: AlertSettings, now: float) -> Iterator[Finding]:
        """Providers none of whose models can be called, and other models that cannot."""
        self._opened = {name: why for name, why in self._opened.items() if name in view.providers}
        self._why = {name: why for name, why in self._why.items() if name in view.providers} | dict(view.down)
        served = _by_provider(view.providers)
        dead = {name: name for name, models in served.items() if all(model in view.down for model in models)}
        providers = self._providers.look(dead, settings.down_s, settings.over_s, now)
        models = self._models.look(view.down, settings.down_s, settings.over_s, now)
        for provider in providers:
            if provider in served:
                yield self._provider(provider, served[provider])
        self._alone = {each for each in models if self._is_alone(view.providers.get(each), each, {**dead, **providers})}
        yield from map(self._model, sorted(self._alone))

    def _is_alone(self, provider: str | None, model: str, dead: Mapping[str, object]) -> bool:
        """Whether a model is down by itself, or was when that was told: its provider's end is not its own."""
        return provider is not None and (model in self._alone or provider not in dead)

    def _provider(self, provider: str, models: list[str]) -> Finding:
        text = f"provider {provider} is down: {', '.join(models)} cannot be called"
        over = f"provider {provider} is back"
        return Finding("provider", provider, text, self._cause(models[0]), over)

    def _model(self, model: str) -> Finding:
        text, over = f"model {model} is down", f"model {model} is back"
        return Finding("provider", f"model {model}", text, self._cause(model), over, word="model")

    def _cause(self, model: str) -> str:
        """What its circuit says, or else its keys."""
        why = self._why.get(model, "")
        return why if why.startswith(_KEYLESS) else self._opened.get(model, why)


def _by_provider(providers: Mapping[str, str]) -> dict[str, list[str]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for model, provider in providers.items():
        found[provider].append(model)
    return found

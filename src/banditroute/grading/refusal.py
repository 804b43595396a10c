"""Whether an answer is a refusal, and whether it came to its end."""

from __future__ import annotations

from dataclasses import dataclass

from banditroute.errors import ConfigError
from banditroute.grading.protocol import Item

_BEGINNING, _SHORT = 240, 1_500
_PHRASES = (
    "i can't help with",
    "i can\u2019t help with",
    "i cannot help with",
    "i can't assist",
    "i can\u2019t assist",
    "i cannot assist",
    "i'm unable to",
    "i\u2019m unable to",
    "i am unable to",
    "i'm not able to",
    "i am not able to",
    "i won't be able to",
    "sorry, but i can't",
    "sorry, but i can\u2019t",
    "sorry, i can't",
    "sorry, i can\u2019t",
    "sorry, but i cannot",
    "i must decline",
    "as an ai language model, i cannot",
    "lo siento, pero no puedo",
    "no puedo ayudarte con",
    "je suis d\u00e9sol\u00e9, mais je ne peux pas",
    "d\u00e9sol\u00e9, je ne peux pas",
    "je ne peux pas vous aider",
    "es tut mir leid, aber ich kann",
    "dabei kann ich nicht helfen",
    "desculpe, mas n\u00e3o posso",
    "n\u00e3o posso ajudar com",
    "mi dispiace, ma non posso",
    "\u043a \u0441\u043e\u0436\u0430\u043b\u0435\u043d\u0438\u044e, \u044f \u043d\u0435 \u043c\u043e\u0433\u0443",
    "\u044f \u043d\u0435 \u043c\u043e\u0433\u0443 \u043f\u043e\u043c\u043e\u0447\u044c",
    "\u62b1\u6b49\uff0c\u6211\u4e0d\u80fd",
    "\u62b1\u6b49\uff0c\u6211\u65e0\u6cd5",
    "\u6211\u65e0\u6cd5\u63d0\u4f9b",
    "\u7533\u3057\u8a33\u3042\u308a\u307e\u305b\u3093\u304c\u3001",
    "\uc8c4\uc1a1\ud558\uc9c0\ub9cc",
    "\u0644\u0627 \u0623\u0633\u062a\u0637\u064a\u0639 \u0645\u0633\u0627\u0639\u062f\u062a\u0643",
)


@dataclass(frozen=True, slots=True)
class NotRefused:
    """0 where the answer is a refusal, by its words or by its provider's; otherwise it has nothing to say.

    Attributes:
        name: the source of its grades.
        otherwise: the quality of an answer that is none, where it is to have one.

    Raises:
        ConfigError: `otherwise` is no quality.
    """

    name: str = "refusal"
    otherwise: float | None = None

    def __post_init__(self) -> None:
        _check_quality(self.otherwise)

    def grade(self, item: Item) -> float | None:
        """0, or `otherwise`."""
        completion = item.completion
        if completion.refused or completion.finish_reason == "content_filter" or is_refusal(completion.text):
            return 0.0
        return self.otherwise


@dataclass(frozen=True, slots=True)
class Finished:
    """0 where the answer was cut off by its limit of tokens; otherwise it has nothing to say.

    Attributes:
        name: the source of its grades.
        otherwise: the quality of an answer that was not, where it is to have one.

    Raises:
        ConfigError: `otherwise` is no quality.
    """

    name: str = "finished"
    otherwise: float | None = None

    def __post_init__(self) -> None:
        _check_quality(self.otherwise)

    def grade(self, item: Item) -> float | None:
        """0, or `otherwise`."""
        return 0.0 if item.completion.finish_reason == "length" else self.otherwise


def _check_quality(otherwise: float | None) -> None:
    if otherwise is not None and not 0 <= otherwise <= 1:
        raise ConfigError(f"expected from 0 to 1, got {otherwise}", field="otherwise")


def is_refusal(text: str) -> bool:
    """Whether a text says, at its beginning and briefly, that it will not do what was asked."""
    if len(text) > _SHORT:
        return False
    beginning = text[:_BEGINNING].casefold()
    return any(phrase in beginning for phrase in _PHRASES)

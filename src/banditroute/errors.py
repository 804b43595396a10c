"""Every error that banditroute raises, grouped by what the caller can do about it.

BanditrouteError
├── InputError (ValueError)        mend the input: a file's line and field, or an argument
│   ├── TableError                 an outcome table
│   ├── ConfigError                a configuration file
│   └── PriceError                 a model's price is unknown or absurd
├── MissingExtraError              install the named extra
└── RequestError                   change this one request
    └── NoEligibleModelError       no model may serve it; the reason for each is kept
"""

from __future__ import annotations

from collections.abc import Mapping


class BanditrouteError(Exception):
    """The root: catching it catches everything the library raises on purpose."""


class InputError(BanditrouteError, ValueError):
    """Input that cannot be used: says what is wrong, where, and what to do, in one line.

    Attributes:
        problem: what is wrong.
        remedy: what to do; may be empty.
        path: the file, when the input is one.
        line: its line, counted from 1, when known.
        field: the field, key or argument, when known.
    """

    def __init__(
        self,
        problem: str,
        *,
        remedy: str = "",
        path: str | None = None,
        line: int | None = None,
        field: str | None = None,
    ) -> None:
        self.problem = problem
        self.remedy = remedy
        self.path = path
        self.line = line
        self.field = field
        super().__init__(str(self))

    def __str__(self) -> str:
        where = self.path if self.line is None else f"{self.path}:{self.line}"
        places = [part for part in (where, self.field) if part]
        text = ": ".join([*places, self.problem])
        return f"{text}; {self.remedy}" if self.remedy else text


class TableError(InputError):
    """An outcome table that cannot be read."""


class ConfigError(InputError):
    """A configuration file that cannot be used."""


class PriceError(InputError):
    """A model's price is unknown or cannot be right."""


class MissingExtraError(BanditrouteError, ImportError):
    """An optional dependency is absent: names what needs it and the extra to install."""

    def __init__(self, needed_for: str, extra: str) -> None:
        super().__init__(f"{needed_for} needs the '{extra}' extra; run: pip install 'banditroute[{extra}]'")
        self.extra = extra


class RequestError(BanditrouteError):
    """One request cannot be served as it stands."""


class NoEligibleModelError(RequestError):
    """No model may serve the request.

    Attributes:
        reasons: for each model, why not.
    """

    def __init__(self, reasons: Mapping[str, str]) -> None:
        self.reasons = dict(reasons)
        detail = "; ".join(f"{model}: {reason}" for model, reason in self.reasons.items()) or "the catalog is empty"
        super().__init__(f"no eligible model ({detail})")

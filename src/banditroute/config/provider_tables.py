"""The table of one provider."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from banditroute.config.delivery_tables import TimeoutsTable, TransportTable, checked_url
from banditroute.config.secrets import checked_variable, looks_like_a_key
from banditroute.config.table import Table
from banditroute.config.values import ProviderConfig
from banditroute.delivery.settings import Timeouts, Transport
from banditroute.errors import ConfigError
from banditroute.providers.registry import KINDS, ProviderOptions

Name = Annotated[str, Field(min_length=1)]
Variable = Annotated[str, AfterValidator(checked_variable)]

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_KEY_HEADERS = frozenset({"authorization", "api-key", "x-api-key", "x-goog-api-key", "proxy-authorization", "cookie"})
_OPENAI_KEYS = ("key_header", "token_limit_field", "ask_usage")
_OPENAI_KINDS = ("openai", "edenai")


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


class ProviderTable(Table):
    """One provider."""

    name: Name = Field(description="what [[models]] call it", examples=["local"])
    kind: Literal["openai", "anthropic", "gemini", "edenai"] = Field(
        description="its protocol: openai (and every compatible server) | anthropic | gemini | edenai",
        examples=["openai"],
    )
    base_url: str | None = Field(
        default=None, description="left out: the kind's own service", examples=["http://127.0.0.1:8000/v1"]
    )
    api_key_env: Annotated[list[Variable], BeforeValidator(_listed)] = Field(
        default=[],
        description="NAME of the environment variable of its key, or a list of such names; left out: no key is sent",
        examples=["LOCAL_KEY"],
    )
    key_header: Literal["bearer", "api-key"] = Field(
        default="bearer", description="bearer | api-key (Azure); kinds openai and edenai"
    )
    token_limit_field: Literal["as_given", "max_tokens", "max_completion_tokens"] = Field(
        default="as_given",
        description="what it calls the limit of an answer: as_given | max_tokens | max_completion_tokens",
    )
    ask_usage: bool = Field(
        default=True, description="ask a stream to report its tokens; false for servers that refuse that"
    )
    headers: dict[str, str] = Field(
        default={}, description='further headers of every call, such as { x-team = "search" }; no keys'
    )
    timeouts: TimeoutsTable = Field(
        default_factory=TimeoutsTable,
        description="this provider's own of [timeouts], key by key",
        examples=[{"total_s": 60.0}],
    )
    transport: TransportTable = Field(
        default_factory=TransportTable,
        description="this provider's own of [transport], key by key",
        examples=[{"max_concurrent": 32}],
    )

    @field_validator("base_url")
    @classmethod
    def _check_url(cls, url: str | None) -> str | None:
        return None if url is None else checked_url(url, "https://host[:port]/path")

    @field_validator("api_key_env")
    @classmethod
    def _check_once(cls, names: list[str]) -> list[str]:
        if len(set(names)) < len(names):
            raise ConfigError("a variable stands there twice", remedy="name each once")
        return names

    @field_validator("headers")
    @classmethod
    def _check_headers(cls, headers: dict[str, str]) -> dict[str, str]:
        for name, value in headers.items():
            _check_header(name, value)
        return headers

    @model_validator(mode="after")
    def _check_kind(self) -> ProviderTable:
        useless = [key for key in _OPENAI_KEYS if key in self.model_fields_set]
        if useless and self.kind not in _OPENAI_KINDS:
            problem = f"means nothing to kind {self.kind!r}"
            raise ConfigError(problem, remedy="take it out", field=useless[0])
        return self

    def value(self, timeouts: Timeouts, transport: Transport) -> ProviderConfig:
        """The provider, its own limits put over those for all."""
        return ProviderConfig(
            name=self.name,
            kind=self.kind,
            base_url=(self.base_url or KINDS[self.kind].default_base_url).rstrip("/"),
            api_key_env=tuple(self.api_key_env),
            options=ProviderOptions(
                key_header="authorization" if self.key_header == "bearer" else "api-key",
                token_limit_field=self.token_limit_field,
                ask_usage=self.ask_usage,
                headers=tuple(self.headers.items()),
            ),
            timeouts=self.timeouts.over(timeouts),
            transport=self.transport.over(transport),
        )


def _check_header(name: str, value: str) -> None:
    if not _HEADER_NAME.fullmatch(name):
        raise ConfigError(f"{name!r} is not the name of a header", remedy="use letters, digits and -")
    if name.lower() in _KEY_HEADERS or looks_like_a_key(value):
        raise ConfigError(f"{name} holds a secret (not shown)", remedy="name the key's variable in api_key_env")
    if not value.isprintable() or value != value.strip():
        raise ConfigError(f"the value of {name} cannot be sent", remedy="write one line without blanks around it")

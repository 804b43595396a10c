"""The table of one model, and of the prices of its long prompts."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, PrivateAttr, model_validator

from banditroute.config.provider_tables import Name
from banditroute.config.table import Table
from banditroute.routing.catalog import Capabilities, Model, Price, Tier

InputRate = Annotated[float, Field(ge=0, description="dollars per million prompt tokens; 0 = free", examples=[0.15])]
OutputRate = Annotated[float, Field(ge=0, description="dollars per million answer tokens; 0 = free", examples=[0.60])]
CachedRate = Annotated[
    float | None,
    Field(ge=0, description="the same for prompt tokens read from its cache; left out: as input", examples=[0.075]),
]
WriteRate = Annotated[
    float | None,
    Field(ge=0, description="the same for prompt tokens written to its cache; left out: as input", examples=[0.15]),
]
ReasoningRate = Annotated[
    float | None, Field(ge=0, description="the same for hidden reasoning tokens; left out: as output", examples=[0.60])
]


def _listed(names: object) -> object:
    return [names] if isinstance(names, str) else names


class TierTable(Table):
    """The price of long prompts."""

    above_input_tokens: int = Field(
        ge=1, description="the longest prompt billed at the price below, in tokens", examples=[64000]
    )
    input_usd_per_mtok: InputRate
    output_usd_per_mtok: OutputRate
    cached_input_usd_per_mtok: CachedRate = None
    cache_write_usd_per_mtok: WriteRate = None
    reasoning_usd_per_mtok: ReasoningRate = None
    _tier: Tier = PrivateAttr()

    @model_validator(mode="after")
    def _build(self) -> TierTable:
        self._tier = Tier(self.above_input_tokens, _price(self))
        return self

    @property
    def value(self) -> Tier:
        """The tier."""
        return self._tier


class ModelTable(Table):
    """One model."""

    name: Name = Field(description="what callers see; unique", examples=["small"])
    provider: Name = Field(description="the name of one of [[providers]]", examples=["local"])
    upstream: Name | None = Field(
        default=None, description="the provider's own name for it; left out: name", examples=["gpt-4o-mini"]
    )
    input_usd_per_mtok: InputRate
    output_usd_per_mtok: OutputRate
    cached_input_usd_per_mtok: CachedRate = None
    cache_write_usd_per_mtok: WriteRate = None
    reasoning_usd_per_mtok: ReasoningRate = None
    context_window: int | None = Field(
        default=None,
        ge=1,
        description="most tokens of prompt and answer together; left out: unknown",
        examples=[128000],
    )
    max_output_tokens: int | None = Field(
        default=None,
        description="longest answer in tokens; bounds what a call without a limit reserves",
        examples=[4096],
    )
    tools: bool = Field(default=True, description="takes tool definitions")
    vision: bool = Field(default=False, description="takes images")
    json_mode: bool = Field(default=True, alias="json", description="has a JSON mode or takes a schema")
    streaming: bool = Field(default=True, description="streams")
    tags: list[Name] = Field(default=[], description="free words to select models by")
    routed: bool = Field(default=True, description="may be drawn; false: it serves only judges and who names it")
    formerly: Annotated[list[Name], BeforeValidator(_listed)] = Field(
        default=[],
        description="names that it had before, one or a list: what is known under them is known of it",
        examples=[["mini"]],
    )
    like: Name | None = Field(
        default=None,
        description="another model: it starts from what that one showed, until its own outcomes say otherwise",
        examples=["large"],
    )
    canary: bool | None = Field(
        default=None,
        description="as a newcomer: true: it goes through the canary's stages, false: never; left out: as "
        "[routing.rollout] says",
        examples=[True],
    )
    tiers: list[TierTable] = Field(
        default=[], description="prices of long prompts, bounds ascending: inline tables, see docs/prices.md"
    )
    _model: Model = PrivateAttr()

    @model_validator(mode="after")
    def _build(self) -> ModelTable:
        capabilities = Capabilities(
            context_window=self.context_window,
            max_output_tokens=self.max_output_tokens,
            tools=self.tools,
            vision=self.vision,
            json=self.json_mode,
            streaming=self.streaming,
        )
        price = _price(self, tuple(tier.value for tier in self.tiers))
        self._model = Model(
            self.name,
            self.provider,
            self.upstream or self.name,
            price,
            capabilities,
            frozenset(self.tags),
            self.routed,
            tuple(self.formerly),
            self.like or "",
            self.canary,
        )
        return self

    @property
    def value(self) -> Model:
        """The model."""
        return self._model


def _price(table: TierTable | ModelTable, tiers: tuple[Tier, ...] = ()) -> Price:
    return Price(
        input_usd_per_mtok=table.input_usd_per_mtok,
        output_usd_per_mtok=table.output_usd_per_mtok,
        cached_input_usd_per_mtok=table.cached_input_usd_per_mtok,
        cache_write_usd_per_mtok=table.cache_write_usd_per_mtok,
        reasoning_usd_per_mtok=table.reasoning_usd_per_mtok,
        tiers=tiers,
    )

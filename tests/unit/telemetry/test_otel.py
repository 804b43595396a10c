from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from banditroute.config import RouterConfig, load_config
from banditroute.errors import MissingExtraError
from banditroute.observe import Attempted, Decided
from banditroute.records import Attempt, Usage
from banditroute.telemetry import conventions
from banditroute.telemetry.otel import Traces

CONFIG = """
[[providers]]
name = "local"
kind = "openai"
base_url = "http://127.0.0.1:8000/v1"
[[providers]]
name = "far"
kind = "gemini"
base_url = "https://far.example/v1"
[[models]]
name = "a"
provider = "local"
upstream = "gpt-4o-mini"
input_usd_per_mtok = 1
output_usd_per_mtok = 1
[[models]]
name = "b"
provider = "far"
input_usd_per_mtok = 1
output_usd_per_mtok = 1
[store]
kind = "memory"
"""


class World:
    """Traces whose spans and histograms stay here."""

    def __init__(self, config: RouterConfig) -> None:
        self._spans = InMemorySpanExporter()
        self._reader = InMemoryMetricReader()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self._spans))
        meters = MeterProvider([self._reader])
        self.now = 1_000_001.5
        self.traces = Traces(config, tracer_provider=self.tracers, meter_provider=meters, clock=lambda: self.now)

    def tell(self, *events: Any) -> None:
        for event in events:
            self.traces.notify(event)

    @property
    def spans(self) -> dict[str, ReadableSpan]:
        return {span.name: span for span in self._spans.get_finished_spans()}

    @property
    def points(self) -> dict[str, list[Any]]:
        data = self._reader.get_metrics_data()
        if data is None:
            return {}
        scopes = [scope for resource in data.resource_metrics for scope in resource.scope_metrics]
        return {metric.name: list(metric.data.data_points) for scope in scopes for metric in scope.metrics}


@pytest.fixture
def world(tmp_path: Path) -> World:
    path = tmp_path / "router.toml"
    path.write_text(CONFIG, encoding="utf-8")
    return World(load_config(path))


def test_a_request_is_a_span_and_each_of_its_calls_one_below_it(
    world: World, decision: Callable[..., Any], settled: Callable[..., Any]
) -> None:
    made = decision(tenant="acme")
    failed = Attempt("a", 0.5, failure="TimedOutError (queue)", problem="secret words")
    answered = Attempt("b", 1.0, 0.002, ttft_s=0.2)
    world.tell(Decided(made), Attempted("d", failed), Decided(decision("b"), ("a",)), Attempted("d", answered))
    world.tell(settled(made, failed, answered, served="b", usage=Usage(100, 20, 64, 16, 5)))
    request, lost, chat = (world.spans[name] for name in ("banditroute.request", "chat gpt-4o-mini", "chat b"))
    assert (request.start_time, request.end_time) == (1_000_000 * 10**9, 1_000_001_500_000_000)
    assert request.attributes["banditroute.task"] == "qa"
    assert (request.attributes["banditroute.served"], request.attributes["banditroute.cost_usd"]) == ("b", 0.002)
    assert [event.name for event in request.events] == ["fallback"]
    assert request.status.is_unset
    assert {span.parent.span_id for span in (lost, chat)} == {request.context.span_id}
    assert {span.kind for span in (lost, chat)} == {trace.SpanKind.CLIENT}
    assert lost.attributes["error.type"] == "TimedOutError"
    assert lost.status.status_code is trace.StatusCode.ERROR
    assert lost.attributes["gen_ai.provider.name"] == "openai"
    assert (lost.attributes["server.address"], lost.attributes["server.port"]) == ("127.0.0.1", 8000)
    assert chat.end_time - chat.start_time == 10**9
    expected = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "gcp.gemini",
        "gen_ai.request.model": "b",
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 20,
        "gen_ai.usage.cache_read.input_tokens": 64,
        "gen_ai.usage.cache_creation.input_tokens": 16,
        "gen_ai.usage.reasoning.output_tokens": 5,
        "gen_ai.response.time_to_first_chunk": 0.2,
        "server.address": "far.example",
        "server.port": 443,
    }
    assert {name: chat.attributes[name] for name in expected} == expected
    assert "secret" not in repr([(span.attributes, span.status) for span in world.spans.values()])


def test_histograms_are_those_of_the_conventions(
    world: World, decision: Callable[..., Any], settled: Callable[..., Any]
) -> None:
    made = decision()
    failed, answered = Attempt("a", 0.5, failure="ServerFailedError"), Attempt("a", 1.0, ttft_s=0.2)
    world.tell(Decided(made), Attempted("d", failed), Attempted("d", answered))
    world.tell(settled(made, failed, answered, usage=Usage(100, 20)))
    points = world.points
    durations = {point.attributes.get("error.type"): point for point in points["gen_ai.client.operation.duration"]}
    assert {error: point.sum for error, point in durations.items()} == {None: 1.0, "ServerFailedError": 0.5}
    assert list(durations[None].explicit_bounds)[:2] == [0.01, 0.02]
    tokens = {point.attributes["gen_ai.token.type"]: point.sum for point in points["gen_ai.client.token.usage"]}
    assert tokens == {"input": 100, "output": 20}
    (first,) = points["gen_ai.client.operation.time_to_first_chunk"]
    assert first.sum == 0.2
    assert first.attributes["gen_ai.request.model"] == "gpt-4o-mini"


def test_estimated_tokens_are_not_told_as_billed_ones(
    world: World, decision: Callable[..., Any], settled: Callable[..., Any]
) -> None:
    world.tell(Decided(decision()), Attempted("d", Attempt("a", 1.0)), settled(decision(), estimated=True))
    assert "gen_ai.usage.input_tokens" not in world.spans["chat gpt-4o-mini"].attributes
    assert "gen_ai.client.token.usage" not in world.points


def test_a_request_that_failed_is_an_error_and_an_embedding_is_called_one(
    world: World, decision: Callable[..., Any], settled: Callable[..., Any]
) -> None:
    made, failed = decision(task="embeddings"), Attempt("a", 0.5, failure="ServerFailedError")
    world.tell(Decided(made), Attempted("d", failed), settled(made, failed, served=""))
    request = world.spans["banditroute.request"]
    assert request.status.status_code is trace.StatusCode.ERROR
    assert request.attributes["error.type"] == "ServerFailedError"
    assert "embeddings gpt-4o-mini" in world.spans


def test_models_are_described_as_the_configuration_that_it_follows_does(
    world: World, tmp_path: Path, decision: Callable[..., Any], settled: Callable[..., Any]
) -> None:
    path = tmp_path / "router.toml"
    path.write_text(CONFIG.replace('name = "a"\nprovider = "local"', 'name = "c"\nprovider = "far"'), encoding="utf-8")
    world.traces.follow(load_config(path))
    for model in ("a", "c"):
        world.tell(Decided(decision()), Attempted("d", Attempt(model, 1.0)), settled(decision()))
    named = {name: span.attributes["gen_ai.provider.name"] for name, span in world.spans.items() if "chat" in name}
    assert named == {"chat a": "unknown", "chat gpt-4o-mini": "gcp.gemini"}


def test_it_lies_below_the_span_of_whoever_asks(
    world: World, decision: Callable[..., Any], settled: Callable[..., Any]
) -> None:
    with world.tracers.get_tracer("service").start_as_current_span("GET /"):
        world.tell(Decided(decision()))
    world.tell(settled(decision()))
    assert world.spans["banditroute.request"].parent.span_id == world.spans["GET /"].context.span_id


def test_what_nobody_ends_is_not_kept_for_ever(
    world: World, decision: Callable[..., Any], settled: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("banditroute.telemetry.otel._MOST_OPEN", 2)
    for number in range(3):
        world.tell(Decided(decision(name=str(number))))
    assert world.spans["banditroute.request"].attributes["banditroute.decision_id"] == "0"
    world.tell(settled(decision(name="0")), Attempted("0", Attempt("a", 1.0)))  # too late, and no matter
    assert len(world.spans) == 1


@pytest.mark.parametrize(
    ("module", "needs", "extra"),
    [("otel", "opentelemetry", "otel"), ("prometheus", "prometheus_client.core", "metrics")],
)
def test_without_the_extra_it_says_which_to_install(
    module: str, needs: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"banditroute.telemetry.{module}"
    monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, needs, None)  # pyright: ignore[reportArgumentType]
    with pytest.raises(MissingExtraError, match=rf"banditroute\[{extra}\]"):
        __import__(name)


def test_the_names_are_those_that_the_conventions_list() -> None:
    """By their own package; that they call themselves deprecated there means that they moved to one of their own."""
    from opentelemetry.semconv._incubating.attributes import gen_ai_attributes
    from opentelemetry.semconv._incubating.metrics import gen_ai_metrics

    listed = {
        value for each in (gen_ai_attributes, gen_ai_metrics) for value in vars(each).values() if isinstance(value, str)
    }
    ours = {value for value in vars(conventions).values() if isinstance(value, str) and value.startswith("gen_ai.")}
    assert len(ours) == 13
    assert ours <= listed
    known = {each.value for each in gen_ai_attributes.GenAiProviderNameValues}
    assert set(conventions.PROVIDERS.values()) - known == {"edenai"}

"""What there is to route to."""

import pytest

from banditroute.cli.starting.found import services_found
from banditroute.cli.starting.local_servers import MOST_MODELS, Address, addresses, is_among, local_found
from banditroute.errors import InputError
from banditroute.testing.faulty_server import FaultyServer, closed_port


def test_services_are_found_by_their_keys() -> None:
    environ = {"OPENAI_API_KEY": "sk-1", "GOOGLE_API_KEY": "AIza", "GROQ_API_KEY": "  ", "HOME": "/"}
    assert [(each.name, each.key_variable) for each in services_found(environ)] == [
        ("openai", "OPENAI_API_KEY"),
        ("gemini", "GOOGLE_API_KEY"),
    ]


def test_a_service_that_is_named_needs_no_key_yet() -> None:
    (only,) = services_found({"OPENAI_API_KEY": "x"}, {"groq"})
    assert (only.name, only.key_variable, only.how) == ("groq", "GROQ_API_KEY", "GROQ_API_KEY is not set yet")


@pytest.mark.parametrize(
    ("host", "url"),
    [
        (None, "http://127.0.0.1:11434/v1"),
        ("127.0.0.1:9999", "http://127.0.0.1:9999/v1"),
        ("0.0.0.0", "http://127.0.0.1:11434/v1"),
        ("https://box.lan:8443", "https://box.lan:8443/v1"),
        ("[::1]:9999", "http://[::1]:9999/v1"),
    ],
)
def test_ollama_is_looked_for_where_its_own_client_does(host: str | None, url: str) -> None:
    environ = {} if host is None else {"OLLAMA_HOST": host}
    assert addresses(environ, {"ollama"}) == [Address("ollama", url)]


def test_addresses_that_are_given_are_looked_at_besides() -> None:
    given = addresses({}, {"ollama"}, ["http://a:1", "b:2/api/v1/"])
    assert given[1:] == [Address("local", "http://a:1/v1"), Address("local-2", "http://b:2/api/v1")]


@pytest.mark.parametrize("url", ["file:///etc", "http://", "http://a:99999", "a b", "http://u:p@a"])
def test_what_is_no_address_is_refused_in_one_line(url: str) -> None:
    with pytest.raises(InputError, match=r"^--local: .*; write it as http://127\.0\.0\.1:8000/v1$"):
        addresses({}, {"ollama"}, [url])
    with pytest.raises(InputError, match=r"^OLLAMA_HOST: "):
        addresses({"OLLAMA_HOST": url}, {"ollama"})


async def test_who_answers_with_models_is_found_and_who_does_not_is_not() -> None:
    names = ("llama3.2:3b", "nomic-embed-text", *(f"m{number}" for number in range(9)))
    async with FaultyServer(models=names) as good, FaultyServer(default="500") as bad, FaultyServer(models=()) as bare:
        urls = [good.base_url, bad.base_url, bare.base_url, f"http://127.0.0.1:{closed_port()}/v1"]
        (only,) = await local_found([Address(f"s{place}", url) for place, url in enumerate(urls)], 0.25)
    assert (only.name, only.key_variable, len(only.models), only.left_out) == ("s0", None, MOST_MODELS, 2)
    assert "nomic-embed-text" not in [model.upstream for model in only.models]
    assert only.models[0].price.output_usd_per_mtok == 0.25


async def test_a_server_that_is_given_and_at_a_usual_port_is_found_once() -> None:
    async with FaultyServer() as server:
        given = server.base_url.replace("127.0.0.1", "localhost")
        (only,) = found = await local_found([Address("vllm", server.base_url), Address("local", given)])
    assert only.name == "vllm"
    assert is_among(found, given)
    assert is_among(found, server.base_url)
    assert not is_among(found, f"127.0.0.1:{closed_port()}")


async def test_a_gateway_of_this_library_is_no_model_server(monkeypatch: pytest.MonkeyPatch) -> None:
    from banditroute.testing import faults, faulty_server

    async def ours(exchange: faults.Exchange) -> None:
        exchange.reply(200, {"object": "list", "data": [{"id": "auto", "owned_by": "banditroute"}, {"id": "x"}]})

    monkeypatch.setattr(faulty_server, "lists", lambda _models: ours)
    async with FaultyServer() as server:
        assert await local_found([Address("llamacpp", server.base_url)]) == []

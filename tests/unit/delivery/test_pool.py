import asyncio
import shutil
import ssl
import subprocess
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from banditroute.delivery.endpoint import Endpoint
from banditroute.delivery.keys import KeyRing
from banditroute.delivery.pool import Client, ClientPool
from banditroute.delivery.settings import Transport
from banditroute.errors import ConfigError, ConnectionFailedError
from banditroute.providers.openai import OpenAI
from banditroute.records import ChatRequest
from banditroute.testing.faulty_server import FaultyServer

NEVER = float("inf")
ASK = ChatRequest(({"role": "user", "content": "What is the capital of France?"},))


async def ask(endpoint: Endpoint) -> str:
    return (await endpoint.chat(ASK, model="small", deadline=NEVER)).completion.text


async def test_providers_at_one_origin_share_a_client() -> None:
    async with ClientPool() as pool:
        client = pool.client(URL("https://api.example/v1"), Transport())
        assert pool.client(URL("https://api.example:443/other"), Transport(max_concurrent=3)) is client
        assert pool.client(URL("https://api.example/v1"), Transport(tls_verify=False)) is not client
        assert pool.client(URL("https://eu.example/v1"), Transport()) is not client


async def test_a_shared_client_outlives_one_of_its_endpoints() -> None:
    async with FaultyServer() as server, ClientPool() as pool:
        first, second = (Endpoint(name, OpenAI(), server.base_url, KeyRing(), pool=pool) for name in ("a", "b"))
        await ask(first)
        await first.aclose()
        await ask(second)
        assert server.connections_opened == 1


async def test_connections_are_kept_and_as_many_as_are_needed() -> None:
    async with FaultyServer() as server, Endpoint("a", OpenAI(), server.base_url, KeyRing()) as endpoint:
        for _ in range(3):
            await asyncio.gather(*(ask(endpoint) for _ in range(8)))
        assert server.connections_opened == server.connections == 8
    assert await server.settled()


async def test_a_client_that_is_closed_stays_closed() -> None:
    client = Client(Transport())
    await client.aclose()
    await client.aclose()
    with pytest.raises(aiohttp.ClientConnectionError):
        await client.post(URL("http://127.0.0.1:9/"), {}, b"", aiohttp.ClientTimeout())


async def test_a_body_of_megabytes_is_sent_whole() -> None:
    request = ChatRequest(({"role": "user", "content": "x" * 3 * 2**20},))
    async with FaultyServer() as server, Endpoint("a", OpenAI(), server.base_url, KeyRing()) as endpoint:
        await endpoint.chat(request, model="small", deadline=NEVER)
        assert int(server.headers[0]["content-length"]) > 3 * 2**20


async def test_requests_go_through_the_proxy() -> None:
    async with FaultyServer() as proxy:
        port = URL(proxy.base_url).port
        way = Transport(proxy_url=f"http://user:word@127.0.0.1:{port}")
        async with Endpoint("far", OpenAI(), "http://far.invalid/v1", KeyRing(), transport=way) as endpoint:
            await ask(endpoint)
        assert proxy.headers[0]["host"] == "far.invalid"
        assert proxy.headers[0]["proxy-authorization"].startswith("Basic ")


async def test_a_proxy_that_is_away_is_a_failed_connection_and_its_password_is_not_told() -> None:
    way = Transport(proxy_url="http://user:password@127.0.0.1:9")
    async with Endpoint("far", OpenAI(), "https://far.invalid/v1", KeyRing(), transport=way) as endpoint:
        with pytest.raises(ConnectionFailedError) as caught:
            await ask(endpoint)
        assert "password" not in str(caught.value)


def test_authorities_that_cannot_be_read_are_a_config_error(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.pem", tmp_path):
        with pytest.raises(ConfigError, match="authorities"):
            Client(Transport(tls_ca_file=str(path)))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs the openssl command to make a certificate")
    folder = tmp_path_factory.mktemp("tls")
    made = [
        "-keyout",
        "key.pem",
        "-out",
        "cert.pem",
        "-subj",
        "/CN=localhost",
        "-addext",
        "subjectAltName=IP:127.0.0.1",
    ]
    command = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", *made]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder / "cert.pem", folder / "key.pem"


async def test_tls_trusts_whom_it_is_told_to_trust(certificate: tuple[Path, Path]) -> None:
    cert, key = certificate
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    async with FaultyServer(tls=context) as server:
        for way, trusted in (
            (Transport(), False),
            (Transport(tls_ca_file=str(cert)), True),
            (Transport(tls_verify=False), True),
        ):
            async with Endpoint("tls", OpenAI(), server.base_url, KeyRing(), transport=way) as endpoint:
                if trusted:
                    assert await ask(endpoint) == "Paris is the capital of France."
                else:
                    with pytest.raises(ConnectionFailedError, match="certificate"):
                        await ask(endpoint)

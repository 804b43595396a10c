"""Callers who speak no HTTP, too much of it or too slowly: they get what they ask for, and others are served."""

import asyncio
import contextlib
import json
import os
import re
import resource
import sys
from pathlib import Path

import pytest

HELLO = json.dumps({"messages": [{"role": "user", "content": "hello"}]}).encode()
CHAT, MESSAGES = "/v1/chat/completions", "/v1/messages"
MB = 2**20
PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


def head(path=CHAT, *headers):
    return "\r\n".join((f"POST {path} HTTP/1.1", "Host: 127.0.0.1", *headers, "", "")).encode()


def request(body=HELLO, path=CHAT, *headers):
    return head(path, f"Content-Length: {len(body)}", *headers) + body


async def connected(gateway):
    host, port = gateway.url.removeprefix("http://").split(":")
    return await asyncio.open_connection(host, int(port))


async def ends(reader, within_s=5.0):
    """What comes until the gateway hangs up."""
    async with asyncio.timeout(within_s):
        with contextlib.suppress(ConnectionError):
            return await reader.read()
    return b""


async def sent(gateway, data, within_s=5.0):
    """What comes back for bytes, until the gateway hangs up."""
    reader, writer = await connected(gateway)
    with contextlib.suppress(ConnectionError):
        writer.write(data)
        await writer.drain()
    try:
        return await ends(reader, within_s)
    finally:
        writer.transport.abort()


def statuses(answer):
    return re.findall(rb"HTTP/1\.1 (\d+) ", answer)


async def still_serves(lab, gateway):
    answer = await sent(gateway, request(HELLO, CHAT, "Connection: close"))
    assert answer.startswith(b"HTTP/1.1 200 "), answer[:200]
    await lab.at_rest(gateway.router)
    assert gateway.front.gate.in_work == 0


def resident_bytes():
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * PAGE


class TestBodies:
    @pytest.mark.parametrize(("path", "kind"), [(CHAT, "invalid_request_error"), (MESSAGES, "request_too_large")])
    async def test_of_50_mb_are_refused_by_their_head_in_the_callers_protocol(self, lab, path, kind):
        gateway = await lab.gateway({"small": await lab.server()})
        reader, writer = await connected(gateway)
        writer.write(head(path, f"Content-Length: {50 * MB}"))  # and not a byte of it
        answer = await asyncio.wait_for(reader.readuntil(b"}}"), 3.0)
        assert b" 413 " in answer.splitlines()[0]
        error = json.loads(answer.partition(b"\r\n\r\n")[2])["error"]
        assert (error["type"], error["code"]) == (kind, "request_too_large")
        writer.close()
        await still_serves(lab, gateway)

    @pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
    @pytest.mark.parametrize("framing", [f"Content-Length: {50 * MB}", "Transfer-Encoding: chunked"])
    async def test_of_50_mb_that_come_all_the_same_are_not_kept(self, lab, framing):
        gateway = await lab.gateway({"small": await lab.server()}, gateway={"auth": "none", "max_body_mb": 1.0})
        await still_serves(lab, gateway)
        before = resident_bytes()

        async def push() -> None:
            reader, writer = await connected(gateway)
            piece = b"x" * MB if "Length" in framing else b"%x\r\n%b\r\n" % (MB, b"x" * MB)
            writer.write(head(CHAT, framing))
            with contextlib.suppress(ConnectionError, TimeoutError):
                async with asyncio.timeout(2.0):
                    for _ in range(50):
                        writer.write(piece)
                        await writer.drain()
            with contextlib.suppress(TimeoutError):
                assert b" 413 " in (await asyncio.wait_for(reader.readline(), 2.0) or b" 413 ")
            writer.transport.abort()

        await asyncio.gather(*(push() for _ in range(4)))
        assert resident_bytes() - before < 60 * MB  # of 200 that were sent
        await still_serves(lab, gateway)

    @pytest.mark.parametrize("framing", ["Content-Length: 5000", "Transfer-Encoding: chunked"])
    async def test_that_drip_in_are_given_up(self, lab, framing):
        """However many bytes come, and however little is between two of them."""
        gateway = await lab.gateway({"small": await lab.server()}, gateway={"auth": "none", "body_s": 0.4})
        reader, writer = await connected(gateway)
        writer.write(head(MESSAGES, framing))

        async def drip() -> None:
            with contextlib.suppress(ConnectionError):
                for _ in range(500):
                    writer.write(b" " if "Length" in framing else b"1\r\n \r\n")
                    await asyncio.sleep(0.02)

        dripping = asyncio.create_task(drip())
        assert b" 408 " in await asyncio.wait_for(reader.readline(), 3.0)
        dripping.cancel()
        writer.transport.abort()
        await still_serves(lab, gateway)

    async def test_that_are_cut_short_are_nobodys_request(self, lab):
        gateway = await lab.gateway({"small": await lab.server()})
        for _ in range(20):
            _, writer = await connected(gateway)
            writer.write(head(CHAT, "Content-Length: 5000") + HELLO)
            await writer.drain()
            writer.transport.abort()
        assert lab.servers[0].requests == 0
        await still_serves(lab, gateway)


GARBAGE = {
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)) * 2,
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(60),
    "HTTP/0.9": b"GET /\r\n\r\n",
    "nothing but lines": b"\r\n" * 5000 + b"x\r\n\r\n",
    "zeros": bytes(5000) + b"\r\n\r\n",
    "SMTP": b"EHLO example.org\r\nMAIL FROM:<a@example.org>\r\n\r\n",
    "a method nobody knows": b"BREW /v1/models HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
    "a target of 100 kB": b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "a method of 100 kB": b"G" * 100_000 + b" / HTTP/1.1\r\n\r\n",
    "a header of 100 kB": b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
    "10,000 headers": b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + b"X: y\r\n" * 10_000 + b"\r\n",
    "a name that is none": b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX Y: z\r\n\r\n",
    "a folded header": b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: y\r\n z\r\n\r\n",
    "both framings": request(HELLO, CHAT, "Transfer-Encoding: chunked"),
    "a chunk that is longer than long": head(CHAT, "Transfer-Encoding: chunked") + b"f" * 40 + b"\r\nx\r\n",
    "a negative length": head(CHAT, "Content-Length: -5") + b"xxxxx",
    "half a percent": b"GET /v1/models/%zz%ff HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
    "a path of dots": b"GET /dashboard/assets/../../etc/x HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
    "a foreign target": b"GET http://example.org/v1/models HTTP/1.1\r\nHost: example.org\r\nConnection: close\r\n\r\n",
    "a tunnel": b"CONNECT example.org:443 HTTP/1.1\r\nHost: example.org\r\nConnection: close\r\n\r\n",
}


@pytest.mark.parametrize("data", GARBAGE.values(), ids=GARBAGE)
async def test_what_is_no_request_is_refused_or_hung_up_on(lab, data, capfd):
    gateway = await lab.gateway({"small": await lab.server()}, gateway={"auth": "none", "head_s": 0.5, "idle_s": 0.5})
    answer = await sent(gateway, data)
    assert not answer or re.match(rb"HTTP/\d\.\d 4\d\d ", answer), answer[:200]
    assert lab.servers[0].requests == 0
    await still_serves(lab, gateway)
    assert capfd.readouterr().err == ""


class TestPipelining:
    async def test_good_and_bad_are_answered_in_turn(self, lab):
        gateway = await lab.gateway({"small": await lab.server()})
        asked = [request(), request(b"nonsense"), request(HELLO, MESSAGES), request(HELLO, "/nowhere"), request()]
        answer = await sent(gateway, b"".join(asked * 8) + request(HELLO, CHAT, "Connection: close"))
        assert statuses(answer) == [b"200", b"400", b"400", b"404", b"200"] * 8 + [b"200"]
        await still_serves(lab, gateway)

    async def test_who_leaves_before_the_answers_leaves_nothing_behind(self, lab):
        gateway = await lab.gateway({"small": await lab.server()})
        for _ in range(10):
            _, writer = await connected(gateway)
            writer.write(request() * 50)
            await writer.drain()
            await asyncio.sleep(0.01)
            writer.transport.abort()
        await still_serves(lab, gateway)

    async def test_what_comes_behind_a_refused_body_is_no_request(self, lab):
        """Else whoever hides a request in a body would have it asked by the next on the connection."""
        gateway = await lab.gateway({"small": await lab.server()}, gateway={"auth": "none", "max_body_mb": 0.001})
        answer = await sent(gateway, request(request() * 20) + request(HELLO, CHAT, "Connection: close"))
        assert statuses(answer) in ([b"413"], [b"413", b"200"])
        assert lab.servers[0].requests == len(statuses(answer)) - 1


class TestHalfClosed:
    @pytest.mark.parametrize(
        "data", [request(), request()[:-5], head()[:20], b""], ids=["whole", "cut", "head", "none"]
    )
    async def test_who_says_that_nothing_more_comes_is_let_go(self, lab, data):
        gateway = await lab.gateway({"small": await lab.server()}, gateway={"auth": "none", "idle_s": 0.3})
        reader, writer = await connected(gateway)
        writer.write(data)
        writer.write_eof()
        answer = await ends(reader)
        assert not answer or answer.startswith(b"HTTP/1.1 "), answer[:100]
        writer.close()
        await still_serves(lab, gateway)


async def test_a_thousand_that_idle_are_in_nobodys_way(lab):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4096)), hard))
    gateway = await lab.gateway({"small": await lab.server()})
    streams = []
    try:
        for _ in range(10):
            streams += await asyncio.gather(*(connected(gateway) for _ in range(100)))
        for reader, writer in streams[::2]:  # half of them have asked once; the others have said nothing yet
            writer.write(b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            assert b"200" in await reader.readuntil(b"}")
        for _ in range(5):
            await still_serves(lab, gateway)
        assert not any(reader.at_eof() for reader, _ in streams)
    finally:
        for _, writer in streams:
            writer.transport.abort()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

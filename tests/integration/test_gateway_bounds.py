"""What comes too much at once, too slowly or malformed: it is told so, and others are served meanwhile."""

import asyncio
import contextlib
import json
import socket

import aiohttp
import pytest

from banditroute.errors import UngradableError
from banditroute.testing.faulty_exchange import ROLE, Exchange, completion, frame

HELLO = {"messages": [{"role": "user", "content": "hello"}]}
CHAT = "/v1/chat/completions"


async def post(gateway, body=HELLO, path=CHAT, **settings):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with aiohttp.ClientSession() as session, session.post(gateway.url + path, data=data, **settings) as response:
        return response.status, await response.json(), response.headers


async def connected(gateway):
    host, port = gateway.url.removeprefix("http://").split(":")
    return await asyncio.open_connection(host, int(port))


async def ends(reader, within_s=3.0):
    """What comes until the gateway hangs up; raises TimeoutError where it does not."""
    async with asyncio.timeout(within_s):
        with contextlib.suppress(ConnectionError):
            return await reader.read()
    return b""


async def endless(exchange: Exchange) -> None:
    """Content as fast as it is read."""
    exchange.begin_stream()
    exchange.piece(ROLE)
    content = frame({"content": "x" * 50_000})
    await exchange.send_endlessly(b"%x\r\n%b\r\n" % (len(content), content))


LENGTH = 8 * 2**20


async def lengthy(exchange: Exchange) -> None:
    """A whole answer that no socket's buffers hold."""
    said = completion()
    said["choices"][0]["message"]["content"] = "x" * LENGTH
    exchange.reply(200, said)


def asking(body):
    data = json.dumps(body).encode()
    return b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n" % len(data) + data


async def with_little_room(gateway):
    """A connection whose buffers are small, so that what is not read is soon not sent."""
    host, port = gateway.url.removeprefix("http://").split(":")
    small = socket.socket()
    small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**16)
    small.setblocking(False)
    await asyncio.get_running_loop().sock_connect(small, (host, int(port)))
    return await asyncio.open_connection(sock=small)


class TestBodies:
    async def test_of_50_mb_are_refused_by_their_head(self, lab):
        gateway = await lab.gateway({"small": await lab.server()})
        reader, writer = await connected(gateway)
        writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 52428800\r\n\r\n{")
        status = await reader.readline()
        assert b"413" in status
        assert (await post(gateway))[0] == 200
        writer.close()

    async def test_that_do_not_say_how_long_they_are_are_cut_off(self, lab):
        gateway = await lab.gateway({"small": await lab.server()}, gateway={"auth": "none", "max_body_mb": 0.1})
        reader, writer = await connected(gateway)
        writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            for _ in range(40):
                writer.write(b"2000\r\n" + b"x" * 0x2000 + b"\r\n")
                await writer.drain()
        assert b"413" in await reader.readline()
        writer.close()

    async def test_that_never_end_are_not_waited_for(self, lab):
        gateway = await lab.gateway({"small": await lab.server()}, gateway={"auth": "none", "body_s": 0.2})
        reader, writer = await connected(gateway)
        writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n{")
        assert b"408" in await asyncio.wait_for(reader.readline(), 3.0)
        assert (await post(gateway))[0] == 200
        writer.close()

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"not json",
            b"[]",
            b'"text"',
            b"\xff\xfe",
            b'{"messages": "\\ud800"}',
            b"[" * 100_000,
            b'{"messages": [{"role": "user", "content": "x"}], "tools": ' + b"[" * 900 + b"]" * 900 + b"}",
        ],
    )
    async def test_that_cannot_be_read_are_the_callers_to_mend(self, lab, body):
        gateway = await lab.gateway({"small": await lab.server()})
        status, answer, _ = await post(gateway, body)
        assert status == 400
        assert answer["error"]["type"] == "invalid_request_error"
        assert (await post(gateway))[0] == 200

    @pytest.mark.parametrize(
        "rest",
        [
            b"Transfer-Encoding: chunked\r\n\r\nnonsense\r\n",
            b"Content-Encoding: gzip\r\nContent-Length: 8\r\n\r\nnonsense",
            b"Content-Length: nonsense\r\n\r\n",
            b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
            b"X-Long: " + b"x" * 20_000 + b"\r\n\r\n",
            b"X: y\r\n" * 1000 + b"\r\n",
        ],
        ids=["chunks", "gzip", "length", "lengths", "long header", "many headers"],
    )
    async def test_and_heads_that_are_not_http_are_refused_and_not_logged(self, lab, rest, capfd):
        gateway = await lab.gateway({"small": await lab.server()})
        reader, writer = await connected(gateway)
        head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer sk-secret\r\n"
        writer.write(head + rest)
        try:
            assert b" 400 " in await asyncio.wait_for(reader.readline(), 3.0)
        finally:
            writer.close()
        assert (await post(gateway))[0] == 200
        assert capfd.readouterr() == ("", "")


class TestConnections:
    async def test_that_say_nothing_are_hung_up_on(self, lab):
        gateway = await lab.gateway({"small": await lab.server()}, gateway={"auth": "none", "head_s": 0.2})
        silent, one = await connected(gateway)
        slow, two = await connected(gateway)

        async def drip() -> None:
            for byte in b"POST /v1/chat/completions HTTP/1.1\r\nHost: " + b"x" * 1000:
                two.write(bytes([byte]))
                await asyncio.sleep(0.02)

        dripping = asyncio.create_task(drip())
        assert await ends(silent) == b""
        assert await ends(slow) == b""
        dripping.cancel()
        assert (await post(gateway))[0] == 200
        one.close()
        two.close()

    async def test_outlive_that_once_they_have_asked(self, lab):
        gateway = await lab.gateway({"small": await lab.server()}, gateway={"auth": "none", "head_s": 0.1})
        async with aiohttp.ClientSession() as session:
            for _ in range(2):
                async with session.post(gateway.url + CHAT, json=HELLO) as response:
                    assert response.status == 200
                    await response.read()
                await asyncio.sleep(0.15)
        assert lab.servers[0].requests == 2

    async def test_that_idle_are_closed(self, lab):
        gateway = await lab.gateway({"small": await lab.server()}, gateway={"auth": "none", "idle_s": 0.1})
        reader, writer = await connected(gateway)
        writer.write(b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert b"200" in (await ends(reader))[:20]
        writer.close()

    async def test_may_pipeline(self, lab):
        gateway = await lab.gateway({"small": await lab.server()})
        reader, writer = await connected(gateway)
        body = json.dumps(HELLO).encode()
        head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n" % len(body)
        writer.write((head + b"\r\n" + body) * 4 + head + b"Connection: close\r\n\r\n" + body)
        assert (await ends(reader)).count(b"HTTP/1.1 200 OK") == 5
        writer.close()

    async def test_of_callers_who_do_not_read_are_cut_and_settled(self, lab):
        patient = {"total_s": 60.0}
        gateway = await lab.gateway(
            {"small": await lab.server(endless)}, gateway={"auth": "none", "unread_s": 0.3}, timeouts=patient
        )
        reader, writer = await connected(gateway)
        body = json.dumps({**HELLO, "stream": True}).encode()
        writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n" % len(body))
        writer.write(body)
        reader._transport.pause_reading()
        async with asyncio.timeout(10.0):
            while gateway.front.gate.in_work == 0:
                await asyncio.sleep(0.01)
            while gateway.front.gate.in_work:
                await asyncio.sleep(0.01)
        await lab.at_rest(gateway.router)
        writer.transport.abort()

    async def test_who_do_not_read_a_whole_answer_are_hung_up_on(self, lab):
        gateway = await lab.gateway({"small": await lab.server(lengthy)}, gateway={"auth": "none", "unread_s": 0.3})
        reader, writer = await with_little_room(gateway)
        writer.write(asking(HELLO))
        reader._transport.pause_reading()
        await asyncio.sleep(1.5)
        reader._transport.resume_reading()
        assert len(await ends(reader)) < LENGTH
        async with asyncio.timeout(3.0):
            while gateway.front._in_work:
                await asyncio.sleep(0.01)
        writer.transport.abort()

    async def test_who_read_slowly_are_waited_for(self, lab):
        gateway = await lab.gateway({"small": await lab.server(lengthy)}, gateway={"auth": "none", "unread_s": 0.3})
        reader, writer = await with_little_room(gateway)
        writer.write(asking(HELLO))
        seen = b""
        async with asyncio.timeout(20.0):
            while len(seen) < LENGTH:
                seen += await reader.readexactly(2**19)
                await asyncio.sleep(0.05)
        assert b"200 OK" in seen[:20]
        writer.close()


class TestCrowds:
    async def test_beyond_what_fits_are_told_to_come_back(self, lab):
        gateway = await lab.gateway(
            {"small": await lab.server("stall-between-tokens")},
            gateway={"auth": "none", "max_in_work": 2},
            timeouts={"whole_s": 5.0},
        )
        stuck = [asyncio.create_task(post(gateway)) for _ in range(2)]
        async with asyncio.timeout(3.0):
            while gateway.front.gate.in_work < 2:
                await asyncio.sleep(0.01)
        status, answer, headers = await post(gateway)
        assert (status, answer["error"]["code"], headers["Retry-After"]) == (429, "gateway_busy", "1")
        async with aiohttp.ClientSession() as session, session.get(f"{gateway.url}/health/ready") as response:
            assert (response.status, (await response.json())["in_work"]) == (200, 2)
        for task in stuck:
            task.cancel()
        await asyncio.gather(*stuck, return_exceptions=True)
        await lab.at_rest(gateway.router)
        assert gateway.front.gate.in_work == 0


class TestPlaces:
    @pytest.mark.parametrize(
        ("method", "path", "status", "code"),
        [
            ("GET", CHAT, 405, "method_not_allowed"),
            ("DELETE", "/v1/models/small", 405, "method_not_allowed"),
            ("POST", "/v1/decisions/x", 405, "method_not_allowed"),
            ("GET", "/v1/messages", 405, "method_not_allowed"),
            ("GET", "/v1/messages/count_tokens", 405, "method_not_allowed"),
            ("POST", "/v1/messages/batches", 404, "not_found"),
            ("POST", "/v1/nothing", 404, "not_found"),
            ("GET", "/", 404, "not_found"),
        ],
    )
    async def test_where_nothing_is_served(self, lab, method, path, status, code):
        gateway = await lab.gateway({"small": await lab.server()})
        async with aiohttp.ClientSession() as session, session.request(method, gateway.url + path) as response:
            body = await response.json()
        assert (response.status, body["error"]["code"]) == (status, code)
        assert ("Allow" in response.headers) == (status == 405)
        assert (body.get("type") == "error") == path.startswith("/v1/messages")  # each client reads its own protocol's

    async def test_what_no_caller_should_meet_is_in_the_log(self, lab, monkeypatch, capfdbinary):
        gateway = await lab.gateway({"small": await lab.server()})

        async def fail(*_):
            raise UngradableError("of no use to a caller")

        monkeypatch.setattr(gateway.router, "serve", fail)
        status, answer, headers = await post(gateway)
        assert (status, answer["error"]["code"]) == (500, "internal_error")
        told = b""
        async with asyncio.timeout(5.0):
            while headers["x-request-id"].encode() not in told:
                await asyncio.sleep(0.05)
                told += capfdbinary.readouterr().err
        assert b"UngradableError" in told

    async def test_other_sites_get_no_leave_to_read(self, lab):
        gateway = await lab.gateway({"small": await lab.server()})
        async with aiohttp.ClientSession() as session, session.options(gateway.url + CHAT) as response:
            assert response.status == 405
            assert not [name for name in response.headers if name.lower().startswith("access-control")]


class TestFeedback:
    async def told(self, gateway, **body):
        return await post(gateway, body, "/v1/feedback")

    async def test_is_taken_once_and_never_an_error_twice(self, lab):
        gateway = await lab.gateway({"small": await lab.server()})
        _, _, headers = await post(gateway)
        decision_id = headers["x-banditroute-decision-id"]
        first = await self.told(gateway, decision_id=decision_id, quality=0.75)
        again = await self.told(gateway, decision_id=decision_id, quality=0.1)
        assert (first[0], first[1]["recorded"], again[0], again[1]["recorded"]) == (200, True, 200, False)
        thumb = await self.told(gateway, decision_id=decision_id, signal={"kind": "thumb", "up": True})
        assert thumb[:2] == (200, {"decision_id": decision_id, "recorded": True})
        trail = await gateway.router.explain(decision_id)
        assert [(each.quality, each.source) for each in trail.feedback] == [(0.75, "user"), (1.0, "user:thumb")]

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            ({"quality": 1.5}, 422),
            ({"quality": -0.1}, 422),
            ({"quality": "good"}, 422),
            ({"quality": True}, 422),
            ({}, 422),
            ({"quality": 0.5, "signal": {"kind": "thumb", "up": True}}, 422),
            ({"signal": {"kind": "smile"}}, 422),
            ({"signal": {"kind": "thumb", "down": True}}, 422),
            ({"quality": 0.5, "source": 7}, 400),
            ({"quality": 0.5, "decision_id": "01ARZ3NDEKTSV4RRFFQ69G5FAV"}, 404),
            ({"quality": 0.5, "decision_id": 7}, 400),
        ],
    )
    async def test_that_cannot_be_taken(self, lab, body, status):
        gateway = await lab.gateway({"small": await lab.server()})
        _, _, headers = await post(gateway)
        got, answer, _ = await self.told(gateway, **{"decision_id": headers["x-banditroute-decision-id"], **body})
        assert got == status, answer

    async def test_on_what_nobody_answered(self, lab):
        gateway = await lab.gateway({"small": await lab.server("500")})
        status, answer, headers = await post(gateway)
        assert status == 502
        decision_id = headers["x-banditroute-decision-id"]
        assert answer["error"]["decision_id"] == decision_id
        assert (await self.told(gateway, decision_id=decision_id, quality=0.5))[0] == 409


class TestLog:
    async def lines(self, lab, **sections):
        gateway = await lab.gateway(
            {"small": await lab.server()}, gateway={"auth": "none", "access_log": "access.jsonl"}, **sections
        )
        await post(
            gateway, {"messages": [{"role": "user", "content": "a secret plan"}]}, headers={"x-request-id": "r-1"}
        )
        await post(gateway, b"nonsense", headers={"Authorization": "Bearer sk-secret", "x-request-id": "bad\tid"})
        async with asyncio.timeout(3.0):
            while len((lab.folder / "access.jsonl").read_text().splitlines()) < 2:
                await asyncio.sleep(0.05)
        return (lab.folder / "access.jsonl").read_text()

    async def test_has_a_line_for_each_request_and_no_secrets(self, lab):
        text = await self.lines(lab)
        good, bad = map(json.loads, text.splitlines())
        assert (good["request_id"], good["status"], good["path"], good["model"]) == ("r-1", 200, CHAT, "small")
        assert good["decision_id"]
        assert (bad["status"], bad["failure"]) == (400, "invalid_json")
        assert len(bad["request_id"]) == 32
        assert "secret" not in text

    async def test_request_ids_come_back(self, lab):
        gateway = await lab.gateway({"small": await lab.server()})
        given = (await post(gateway, headers={"x-request-id": "mine"}))[2]["x-request-id"]
        made = [(await post(gateway))[2]["x-request-id"] for _ in range(2)]
        assert given == "mine"
        assert len(set(made)) == 2

    async def test_a_defect_is_a_500_without_its_words_and_a_line_that_says_where(self, lab, monkeypatch, capfd):
        gateway = await lab.gateway({"small": await lab.server()})

        async def defective(*_):
            raise KeyError("a secret plan")

        monkeypatch.setattr(gateway.router, "serve", defective)
        status, answer, _ = await post(gateway, headers={"x-request-id": "r-2"})
        assert (status, answer["error"]["code"]) == (500, "internal_error")
        async with asyncio.timeout(3.0):
            while not (told := capfd.readouterr().err):
                await asyncio.sleep(0.05)
        assert json.loads(told)["defect"] == "KeyError"
        assert json.loads(told)["request_id"] == "r-2"
        assert "secret" not in told + json.dumps(answer)


async def test_pieces_go_out_as_they_come(lab):
    """Pieces that come together may be sent together, but none waits for the next."""
    held = asyncio.Event()

    async def halting(exchange: Exchange) -> None:
        exchange.begin_stream()
        exchange.piece(ROLE + frame({"content": "one "}) + frame({"content": "two "}))
        await held.wait()
        exchange.piece(frame({"content": "three"}) + frame({}, "stop") + b"data: [DONE]\n\n")
        exchange.end_stream()

    gateway = await lab.gateway(
        {"small": await lab.server(halting)}, timeouts={"between_chunks_s": 5.0, "total_s": 9.0}
    )
    async with (
        aiohttp.ClientSession() as session,
        session.post(gateway.url + CHAT, json={**HELLO, "stream": True}) as response,
    ):
        seen = b""
        async with asyncio.timeout(3.0):
            while b"two " not in seen:
                seen += await response.content.readany()
        assert b"three" not in seen
        held.set()
        rest = await response.content.read()
    assert [b"one" in seen, b"three" in rest, rest.endswith(b"data: [DONE]\n\n")] == [True] * 3

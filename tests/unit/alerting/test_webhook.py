import asyncio
import base64
import hashlib
import hmac
from contextlib import asynccontextmanager

import orjson
import pytest
from aiohttp import web

from banditroute.alerting.webhook import Webhook
from banditroute.records import Alert


def an_alert(number: int = 1, state="began") -> Alert:
    return Alert(f"id{number}", 1_764_147_600.0, "budget", "day", state, f"text {number}", "because", 1_764_147_600.0)


class Receiver:
    """A loopback receiver that answers by a script, and remembers."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        self.got.append((dict(request.headers), await request.read()))
        return web.Response(status=self.statuses.pop(0) if self.statuses else 204)

    @property
    def texts(self) -> list[str]:
        return [orjson.loads(body)["text"] for _, body in self.got]


@asynccontextmanager
async def receiving(*statuses: int):
    receiver = Receiver(*statuses)
    app = web.Application()
    app.router.add_post("/hook", receiver.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        yield receiver
    finally:
        await runner.cleanup()


@pytest.fixture
def lost() -> list[tuple[str, str]]:
    return []


@pytest.fixture
async def post(lost):
    """Makes webhooks that are closed at the end, and note what they lost."""
    made: list[Webhook] = []

    def make(url: str, key: bytes | None = None, attempts: int = 3) -> Webhook:
        note = lambda alert, problem: lost.append((alert.text, problem))  # noqa: E731
        made.append(Webhook(url, key, 0.5, attempts, note, first_wait_s=0.01))
        return made[-1]

    yield make
    for webhook in made:
        await webhook.aclose()


async def test_an_alert_is_posted_whole_and_signed(post, lost) -> None:
    async with receiving() as receiver:
        webhook = post(receiver.url, b"swordfish")
        webhook.put(an_alert())
        await webhook.aclose()
        ((headers, body),) = receiver.got
    assert orjson.loads(body) == {
        "alert_id": "id1",
        "at": 1_764_147_600.0,
        "kind": "budget",
        "about": "day",
        "state": "began",
        "text": "text 1",
        "cause": "because",
        "began_at": 1_764_147_600.0,
    }
    message = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    digest = base64.b64encode(hmac.new(b"swordfish", message, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{digest}"
    assert headers["Content-Type"] == "application/json"
    assert lost == []


async def test_without_a_secret_nothing_is_signed(post) -> None:
    async with receiving() as receiver:
        webhook = post(receiver.url)
        webhook.put(an_alert())
        await webhook.aclose()
        assert "webhook-signature" not in receiver.got[0][0]


async def test_what_may_work_later_is_tried_again_in_order_under_one_id(post, lost) -> None:
    async with receiving(503, 429) as receiver:
        webhook = post(receiver.url)
        for number in (1, 2):
            webhook.put(an_alert(number))
        await webhook.aclose()
        assert receiver.texts == ["text 1", "text 1", "text 1", "text 2"]
        assert len({headers["webhook-id"] for headers, _ in receiver.got[:3]}) == 1
    assert lost == []


async def test_what_will_never_work_is_not_tried_again(post, lost) -> None:
    async with receiving(404, 204) as receiver:
        webhook = post(receiver.url)
        for number in (1, 2):
            webhook.put(an_alert(number))
        await webhook.aclose()
        assert receiver.texts == ["text 1", "text 2"]
    assert lost == [("text 1", "it answered 404")]


async def test_nobody_is_there(post, lost) -> None:
    async with receiving() as receiver:
        url = receiver.url
    webhook = post(f"{url}?token=secret", attempts=2)
    webhook.put(an_alert())
    await webhook.aclose()
    ((text, problem),) = lost
    assert (text, problem) == ("text 1", "ClientConnectorError, 2 times")


async def test_putting_waits_for_nothing_and_holds_no_more_than_so_many(post, lost) -> None:
    async with receiving() as receiver:
        webhook = post(receiver.url)
        for number in range(300):
            webhook.put(an_alert(number))
        assert len(lost) == 300 - 256, "nothing was awaited yet"
        assert lost[0][0] == "text 0"
        await webhook.aclose()
        assert receiver.texts[-1] == "text 299"
        assert len(receiver.got) + len(lost) == 300


async def test_closing_twice_does_nothing_and_later_ones_are_not_taken(post, lost) -> None:
    async with receiving() as receiver:
        webhook = post(receiver.url)
        await webhook.aclose()
        await webhook.aclose()
        webhook.put(an_alert())
        await asyncio.sleep(0)
        assert (receiver.got, lost) == ([], [])

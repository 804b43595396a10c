"""What each error means to the caller: bodies as the servers write them."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from banditroute.errors import ProviderError
from banditroute.providers.openai import OpenAI
from banditroute.providers.protocol import WireReply

WIRE = Path(__file__).parents[2] / "data" / "wire" / "openai"
OPENAI = OpenAI()


CASES = [orjson.loads(line) for line in (WIRE / "errors.jsonl").read_bytes().splitlines()]


def openai(message: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None}}


def failure(status: int, body: Any, **headers: str) -> ProviderError:
    data = body if isinstance(body, bytes) else orjson.dumps(body)
    return OPENAI.failure(
        WireReply(status, {name.replace("_", "-"): text for name, text in headers.items()}, data), 0.0
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_each_error_is_what_the_caller_can_do(case: dict[str, Any]) -> None:
    error = failure(case["status"], case["text"].encode() if "text" in case else case["body"])
    assert type(error).__name__ == case["kind"]
    assert error.status == case["status"]
    assert error.problem
    assert "\n" not in error.problem
    if "code" in case:
        assert error.code == case["code"]


def test_the_table_has_every_error_that_a_reply_can_stand_for() -> None:
    assert {case["kind"] for case in CASES} == {
        "ContextOverflowError",
        "KeyRefusedError",
        "OverloadedError",
        "QuotaSpentError",
        "RateLimitedError",
        "RejectedError",
        "ServerFailedError",
        "UnfitError",
    }


ODD_BODIES = [
    b"",
    b"\xff\xfe",
    b"null",
    b"[]",
    b"7",
    b'{"error":null}',
    b'{"error":[1]}',
    b'{"error":{"code":[],"type":{},"message":7,"metadata":3,"detail":[3]}}',
    b'{"error":{"message":"' + b"x" * (1 << 21) + b'"}}',
]


@pytest.mark.parametrize("body", ODD_BODIES, ids=range(len(ODD_BODIES)))
def test_no_body_is_too_odd(body: bytes) -> None:
    for status in range(400, 600):
        error = failure(status, body)
        assert error.status == status
        assert 0 < len(error.problem) <= 300


def test_delays_and_advice_are_kept() -> None:
    error = failure(429, openai("slow down"), retry_after="3", retry_after_ms="3500", x_should_retry="false")
    assert error.retry_after_s == 3.5
    assert error.retry is False


def test_a_long_message_is_cut_and_put_on_one_line() -> None:
    problem = failure(400, openai("first\n  second\t" + "x" * 1000)).problem
    assert problem.startswith("first second xxx")
    assert len(problem) == 300
    assert problem.endswith("…")


@pytest.mark.parametrize(
    "message",
    [
        "Incorrect API key provided: sk-proj-SECRET0123456789. You can find your key at https://example.com/keys.",
        "Invalid key gsk_SECRET0123456789abcdef",
        "Authorization was Bearer SECRET0123456789abcdef",
        "received api_key: SECRET0123456789",
        "bad key AIzaSECRET0123456789abcdefghij",
    ],
)
def test_keys_that_a_server_repeats_are_struck_out(message: str) -> None:
    error = failure(401, openai(message))
    assert "SECRET" not in str(error)
    assert "[key]" in error.problem


def test_html_says_no_more_than_its_status() -> None:
    assert failure(502, b"<html><body>nginx</body></html>").problem == "Bad Gateway"
    assert failure(599, b"").problem == "no reason given"


def test_a_plain_text_is_the_message() -> None:
    assert failure(500, b"upstream connect error\n").problem == "upstream connect error"


def test_the_true_message_behind_a_router_is_told() -> None:
    body = {"error": {"code": 400, "message": "Provider returned error", "metadata": {"raw": "bad things"}}}
    assert failure(400, body).problem == "Provider returned error: bad things"

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from banditroute.providers.ratelimits import RateLimits, anthropic_rate_limits, openai_rate_limits

NOW = 1_700_000_000.0


def test_openai_says_what_is_left_and_until_when() -> None:
    headers = CIMultiDictProxy(
        CIMultiDict(
            {
                "X-RateLimit-Limit-Requests": "60",
                "X-RateLimit-Remaining-Requests": "59",
                "X-RateLimit-Reset-Requests": "1s",
                "X-RateLimit-Remaining-Tokens": "149984",
                "X-RateLimit-Reset-Tokens": "6m0s",
            }
        )
    )
    assert openai_rate_limits(headers, NOW) == RateLimits(59, 149984, NOW + 1.0, NOW + 360.0)


@pytest.mark.parametrize(
    ("reset", "at"),
    [
        ("12.5", NOW + 12.5),
        ("6ms", NOW + 0.006),
        ("1700000030", 1_700_000_030.0),
        ("1700000030500", 1_700_000_030.5),
        ("2023-11-14T22:13:30Z", 1_700_000_010.0),
        ("later", None),
        ("-3", None),
    ],
)
def test_resets_come_in_many_forms(reset: str, at: float | None) -> None:
    limits = openai_rate_limits({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": reset}, NOW)
    assert limits == RateLimits(0, None, at, None)


def test_a_remainder_that_is_no_number_is_not_known() -> None:
    limits = openai_rate_limits({"x-ratelimit-remaining-requests": "-1", "x-ratelimit-remaining-tokens": "9"}, NOW)
    assert limits == RateLimits(None, 9, None, None)


def test_servers_without_limits_say_nothing() -> None:
    headers = {"content-type": "application/json"}
    assert openai_rate_limits(headers, NOW) is None
    assert anthropic_rate_limits(headers, NOW) is None


def test_the_scarcest_of_anthropics_tokens_count() -> None:
    headers = {
        "anthropic-ratelimit-requests-remaining": "49",
        "anthropic-ratelimit-requests-reset": "2023-11-14T22:13:21Z",
        "anthropic-ratelimit-tokens-remaining": "9000",
        "anthropic-ratelimit-tokens-reset": "2023-11-14T22:13:22Z",
        "anthropic-ratelimit-input-tokens-remaining": "8000",
        "anthropic-ratelimit-input-tokens-reset": "2023-11-14T22:13:23Z",
        "anthropic-ratelimit-output-tokens-remaining": "100",
        "anthropic-ratelimit-output-tokens-reset": "2023-11-14T22:13:24Z",
    }
    assert anthropic_rate_limits(headers, NOW) == RateLimits(49, 100, NOW + 1.0, NOW + 4.0)

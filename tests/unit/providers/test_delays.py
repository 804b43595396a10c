import math

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from banditroute.providers.delays import go_duration_s, retry_after_s, rfc3339, should_retry

NOW = 1445412470.0  # ten seconds before the date below


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.25"}, 0.25),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 10.0),
        ({"retry-after": "Wed, 21 Oct 2015 09:28:00 +0200"}, 10.0),
        ({"retry-after": "Wed, 21 Oct 2015 07:00:00 GMT"}, 0.0),
        ({"retry-after-ms": "1500"}, 1.5),
        ({"x-ms-retry-after-ms": "250"}, 0.25),
        ({"retry-after": "2", "retry-after-ms": "1500", "x-ms-retry-after-ms": "900"}, 2.0),
        ({"retry-after": "1", "retry-after-ms": "1500"}, 1.5),
        ({"retry-after": "soon", "retry-after-ms": "1500"}, 1.5),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf", "retry-after-ms": "-inf"}, None),
        ({"retry-after": "Wed, 99 Foo 2015 07:28:00 GMT"}, None),
    ],
)
def test_the_longest_wait_of_all_forms_counts(headers: dict[str, str], wait_s: float | None) -> None:
    assert retry_after_s(headers, NOW) == wait_s


def test_headers_may_be_those_of_a_client() -> None:
    headers = CIMultiDictProxy(CIMultiDict({"Retry-After": "3", "X-Should-Retry": "true"}))
    assert retry_after_s(headers, NOW) == 3.0
    assert should_retry(headers) is True


@pytest.mark.parametrize(("text", "said"), [("true", True), ("false", False), (" True ", True), ("maybe", None)])
def test_retrying_may_be_ruled(text: str, said: bool | None) -> None:
    assert should_retry({"x-should-retry": text}) is said


def test_nothing_said_of_retrying() -> None:
    assert should_retry({}) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("6m0s", 360.0),
        ("6ms", 0.006),
        ("1h2m3.5s", 3723.5),
        ("1m30.951s", 90.951),
        ("2us", 2e-6),
        ("2µs", 2e-6),
        (" 8s ", 8.0),
        ("0", 0.0),
        ("0s", 0.0),
        ("5", None),
        ("-6s", None),
        ("6 s", None),
        ("s", None),
        ("", None),
        ("6mx", None),
    ],
)
def test_durations_as_go_writes_them(text: str, seconds: float | None) -> None:
    found = go_duration_s(text)
    assert found is None if seconds is None else math.isclose(found or 0.0, seconds)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2015-10-21T07:27:50Z", NOW),
        ("2015-10-21T07:27:50.5Z", NOW + 0.5),
        ("2015-10-21t09:27:50+02:00", NOW),
        ("2015-10-21T07:27:50", None),
        ("2015-10-21", None),
        ("yesterday", None),
    ],
)
def test_timestamps(text: str, instant: float | None) -> None:
    assert rfc3339(text) == instant

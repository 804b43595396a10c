"""The gateway keeps its document's word, whatever it is sent; simulations/fuzz_gateway.py goes on for longer."""

from __future__ import annotations

import http.client
import json
from contextlib import closing

import pytest
import requests
from hypothesis import HealthCheck, Phase, given, seed, settings

from gateway_bodies import GOOD, bodies
from gateway_cases import cases, check, operations
from gateway_lab import lab, post

OPERATIONS = {operation.label: operation for operation in operations()}
POSTS = [label for label, operation in OPERATIONS.items() if operation.body]
SHORT = settings(
    max_examples=40,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with lab(tmp_path_factory.mktemp("gateway")) as made:
        yield made


@pytest.fixture(scope="module")
def session():
    with requests.Session() as made:
        yield made


@pytest.mark.parametrize("label", OPERATIONS)
def test_what_the_document_allows(served, session, label):
    @seed(39)
    @SHORT
    @given(cases(OPERATIONS[label], allowed=True))
    def run(case):
        check(case, case.call(served.url, session=session))

    run()
    assert served.open_books() == []


@pytest.mark.parametrize("label", POSTS)
def test_what_it_does_not(served, session, label):
    @seed(39)
    @SHORT
    @given(cases(OPERATIONS[label], allowed=False))
    def run(case):
        check(case, case.call(served.url, session=session))

    run()
    assert served.open_books() == []


@pytest.mark.parametrize("path", GOOD)
def test_bodies_that_no_schema_has_in_mind(served, path):
    """None is a defect, and the next request on the same connection is answered."""
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)

    @seed(13)
    @settings(SHORT, max_examples=60)
    @given(bodies(path))
    def run(body):
        post(connection, path, body)

    with closing(connection):
        run()
    assert served.open_books() == []


@pytest.mark.parametrize("path", GOOD)
def test_good_bodies_are_good(served, path):
    """Lest what is changed in them were refused for another reason."""
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)
    with closing(connection):
        status, answer = post(connection, path, json.dumps(GOOD[path]).encode())
    assert status == {"/v1/feedback": 404, "/dashboard/api/switch": 404}.get(path, 200), answer

"""LiteLLM's own Router with banditroute's strategy in it, on loopback; in a process of its own, for it brings much."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from banditroute.testing.faulty_exchange import TOKENS

WORKER = Path(__file__).with_name("litellm_worker.py")
TEXT = "".join(TOKENS)


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    if find_spec("litellm") is None:
        pytest.skip("litellm is not installed; it is in the dependency group dev")
    command = [sys.executable, str(WORKER), str(tmp_path_factory.mktemp("litellm"))]
    environ = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environ)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_call_is_decided_recorded_and_judged_by_its_callers_name(told):
    [call] = told["whole"]
    assert told["text"] == TEXT
    assert (call["chosen"], call["eligible"], call["task"], call["names"]) == ("small", ["small"], "qa", ["r-1", "s"])
    assert (call["ok"], call["usage"]) == (True, [18, 6])
    assert call["cost_usd"] == pytest.approx(18e-6 + 2 * 6e-6)
    assert told["judged"]


def test_a_stream_is_recorded_with_the_time_to_its_first_token(told):
    assert told["streamed"]["streamed"]
    assert (told["streamed"]["ok"], told["streamed"]["names"]) == (True, ["", "t"])
    assert told["streamed"]["eligible"] == ["large", "small"]


def test_an_attempt_that_fails_is_recorded_as_failed(told):
    assert told["error"] == "InternalServerError"
    assert (told["failed"]["ok"], told["failed"]["cost_usd"]) == (False, 0.0)


def test_what_a_model_cannot_take_is_not_sent_to_it(told):
    assert told["fits"]["eligible"] == ["small"]


def test_groups_of_models_that_the_catalog_lacks_are_served_without_a_decision(told):
    assert told["others"] == [TEXT, 4]


def test_nothing_is_left_behind(told):
    assert (told["held_usd"], told["under_way"], told["left"]) == (0, 0, 0)


def test_the_proxys_callback_attaches_itself_to_each_router_of_the_proxys_once(told):
    assert told["proxy"] == [2, 4]


def test_the_page_prints_what_it_says(told):
    assert told["page"] == TEXT

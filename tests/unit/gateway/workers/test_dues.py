"""A key's limit over several processes: one table that all of them go by."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from banditroute.gateway.auth import Caller
from banditroute.gateway.limits import Turnstile
from banditroute.gateway.refusals import RefusedError
from banditroute.gateway.workers.dues import SharedDues


@pytest.fixture
def dues(tmp_path):
    made = SharedDues(tmp_path / "dues")
    yield made
    made.close()


def is_let_in(turnstile: Turnstile, caller: Caller, now: float) -> bool:
    try:
        turnstile.turn(caller, now)
    except RefusedError:
        return False
    return True


@given(st.lists(st.tuples(st.booleans(), st.floats(0.0, 40.0)), max_size=60))
def test_two_that_share_let_in_as_many_as_one_alone(tmp_path_factory, turns):
    path = tmp_path_factory.mktemp("shared") / "dues"
    both = [SharedDues(path), SharedDues(path)]
    alone, shared = Turnstile(), [Turnstile(each) for each in both]
    caller, now = Caller("app", requests_per_minute=6.0), 1000.0
    for second, pause_s in turns:
        now += pause_s
        assert is_let_in(shared[second], caller, now) == is_let_in(alone, caller, now)
    for each in both:
        each.close()


def test_keys_do_not_get_in_each_others_way(dues):
    turnstile = Turnstile(dues)
    callers = [Caller(f"key-{number}", requests_per_minute=1.0) for number in range(500)]
    assert all(is_let_in(turnstile, caller, 50.0) for caller in callers)
    assert not any(is_let_in(turnstile, caller, 51.0) for caller in callers)


INSIST = """
import sys, time
from pathlib import Path
from banditroute.gateway.auth import Caller
from banditroute.gateway.limits import Turnstile
from banditroute.gateway.refusals import RefusedError
from banditroute.gateway.workers.dues import SharedDues

path, most = Path(sys.argv[1]), int(sys.argv[2])
turnstile, caller, let_in = Turnstile(SharedDues(path)), Caller("app", requests_per_minute=float(most)), 0
print("ready", flush=True)
sys.stdin.readline()
for _ in range(2 * most):
    try:
        turnstile.turn(caller, time.monotonic())
        let_in += 1
    except RefusedError:
        pass
print(let_in)
"""


def test_processes_that_ask_at_the_same_time_get_no_more_together(tmp_path):
    most, command = 3000, (sys.executable, "-c", INSIST, str(tmp_path / "dues"))
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen((*command, str(most)), **pipes) for _ in range(2)]
    assert [process.stdout.readline() for process in processes] == ["ready\n"] * 2
    began = time.monotonic()
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    let_in = sum(int(process.communicate(timeout=30.0)[0]) for process in processes)
    assert most <= let_in <= most + most / 60.0 * (time.monotonic() - began) + 1

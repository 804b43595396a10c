"""The router for code that does not await: many threads, inside a loop, after a fork, at Ctrl-C, at the end."""

import asyncio
import inspect
import os
import signal
import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from banditroute.background import LoopThread
from banditroute.errors import (
    BanditrouteError,
    BrokenStreamError,
    ConfigError,
    InvalidRequestError,
    NotOpenError,
    UnknownDecisionError,
)
from banditroute.records import Usage
from banditroute.routed_stream import RoutedStream
from banditroute.router import Router
from banditroute.routing.tasks import JUDGE_TASK
from banditroute.sync import SyncRouter, open_router
from banditroute.sync_stream import SyncStream
from banditroute.testing.faulty_exchange import TOKENS
from banditroute.testing.faulty_server import FaultyServer

TEXT = "".join(TOKENS)
TOML = """
[[providers]]
name = "local"
kind = "openai"
base_url = "{url}"

[[models]]
name = "small"
provider = "local"
input_usd_per_mtok = 1.0
output_usd_per_mtok = 2.0

[store]
kind = "sqlite"
path = "store.db"
"""


@pytest.fixture
def thread():
    made = LoopThread("servers")
    yield made
    made.close()


@pytest.fixture
def serve(thread, tmp_path):
    """Starts a server and returns the path of a router.toml that names it."""
    servers = []

    def starting(default="ok"):
        server = FaultyServer((), default)
        thread.wait_for(server.__aenter__())
        servers.append(server)
        path = tmp_path / "router.toml"
        path.write_text(TOML.format(url=server.base_url))
        return path

    yield starting
    for server in servers:
        thread.wait_for(server.__aexit__(None, None, None))


def public(kind):
    return {name for name in vars(kind) if not name.startswith("_")}


@pytest.mark.parametrize(
    ("theirs", "ours", "elsewhere", "added"),
    [
        (Router, SyncRouter, {"learner", "works", "observer", "aclose"}, {"open", "close"}),
        (RoutedStream, SyncStream, {"aclose"}, {"close"}),
    ],
)
def test_names_and_signatures_are_those_of_the_router(theirs, ours, elsewhere, added):
    assert public(theirs) - elsewhere == public(ours) - added
    for name in public(ours) - added:
        mine, its = inspect.getattr_static(ours, name), inspect.getattr_static(theirs, name)
        if isinstance(its, property):
            assert isinstance(mine, property)
            continue
        given, meant = inspect.signature(mine), inspect.signature(its)
        assert given.parameters == meant.parameters, name
        returned = meant.return_annotation.replace("RoutedStream", "SyncStream")
        assert given.return_annotation == returned, name


def test_the_signature_of_opening_is_the_same():
    from banditroute import open_router as theirs

    assert inspect.signature(open_router).parameters == inspect.signature(theirs).parameters


def test_a_request_from_its_answer_to_its_judgement(serve):
    with open_router(serve()) as router:
        answer = router.chat("hello", request_id="r")
        assert (answer.text, answer.model) == (TEXT, "small")
        assert router.feedback(request_id="r", quality=0.5)
        assert [each.quality for each in router.explain(answer.decision_id).feedback] == [0.5]
        decision = router.decide("hello", session_id="s")
        router.record(decision, usage=Usage(10, 5), latency_s=0.1)
        assert router.feedback(session_id="s", quality=1.0)
        router.switch_to("small")
        router.freeze()
        router.unfreeze()
        assert router.catalog.names == ("small",)


def test_a_stream_is_iterated(serve):
    with open_router(serve()) as router:
        stream = router.stream("hello")
        assert "".join(delta.text for delta in stream) == TEXT
        assert stream.answer.text == TEXT
        with router.stream("hello") as other:
            first = next(iter(other))
        assert first.text or first.chunk
        assert router.explain(other.decision_id).outcome is not None


def test_a_stream_that_breaks_gives_what_had_arrived_first(serve):
    with open_router(serve("cut-after-token")) as router:
        texts = []
        with pytest.raises(BrokenStreamError) as broken:
            texts.extend(delta.text for delta in router.stream("hello"))
        assert "".join(texts) == broken.value.text != ""
        assert not router.explain(broken.value.decision_id).outcome.ok


def test_errors_are_those_of_the_router(serve, tmp_path):
    with pytest.raises(ConfigError):
        open_router(tmp_path / "absent.toml")
    router = open_router(serve())
    with pytest.raises(NotOpenError, match="inside `with`"):
        router.chat("hello")
    with router:
        with pytest.raises(InvalidRequestError):
            router.chat("hello", model="absent")
        with pytest.raises(InvalidRequestError):
            router.decide("hello", task=JUDGE_TASK)
        with pytest.raises(UnknownDecisionError):
            router.explain("never")
        with pytest.raises(NotOpenError, match="opened once"):
            router.open()
    for ask in (lambda: router.chat("hello"), lambda: router.stream("hello"), lambda: router.decide("hello")):
        with pytest.raises(NotOpenError, match="closed"):
            ask()
    router.close()


def test_many_threads_ask_at_once(serve):
    with open_router(serve()) as router, ThreadPoolExecutor(16) as crew:
        asked = [crew.submit(router.chat, f"hello {number}", request_id=str(number)) for number in range(64)]
        decided = [crew.submit(router.decide, "hello") for _ in range(64)]
        answers = [each.result() for each in asked]
        assert len({answer.decision_id for answer in answers} | {each.result().decision_id for each in decided}) == 128
        assert all(crew.map(lambda number: router.feedback(request_id=str(number), quality=1.0), range(64)))


async def test_it_works_inside_a_running_loop(serve):
    path = await asyncio.to_thread(serve)
    with open_router(path) as router:
        assert router.chat("hello").text == TEXT
        assert "".join([delta.text for delta in router.stream("hello")]) == TEXT


def test_its_own_thread_cannot_wait_for_itself(serve):
    problems = []

    class Asking:
        def notify(self, event):
            try:
                router.chat("hello")
            except NotOpenError as error:
                problems.append(str(error))

    router = open_router(serve(), observer=Asking())
    with router:
        router.chat("hello")
    assert "cannot wait for itself" in problems[0]


def test_a_call_under_way_ends_where_another_thread_closes(serve):
    router = open_router(serve("hang_before_head")).open()
    ended = []

    def asking():
        with pytest.raises(BanditrouteError) as raised:
            router.chat("hello")
        ended.append(raised.value)

    waiting = threading.Thread(target=asking)
    waiting.start()
    while not router._router.works[-1].serving.under_way:
        pass
    router.close()
    waiting.join(10)
    assert len(ended) == 1


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_process_that_was_forked_off_is_told_to_open_its_own(serve):
    router = open_router(serve()).open()
    later = open_router(serve())
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            router.chat("hello")
        except NotOpenError as error:
            router.close()
            os.write(write, str(error).encode())
            with later:
                os.write(write, later.chat("hello").text.encode())
        finally:
            os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    with os.fdopen(read) as told:
        said = told.read()
    assert "open the router after the fork" in said
    assert said.endswith(TEXT)
    assert router.chat("hello").text == TEXT
    router.close()


def run(code):
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(code)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_script_that_does_not_close_loses_nothing(serve):
    path = serve()
    process = run(f"""
        from banditroute.records import Usage
        from banditroute.sync import open_router
        router = open_router({str(path)!r}).open()
        router.record(router.decide("hello", request_id="last"), usage=Usage(10, 5), latency_s=0.1)
    """)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (0, "", "")
    with open_router(path) as router:
        assert router.feedback(request_id="last", quality=1.0)


def test_ctrl_c_leaves_a_call_and_the_books_are_closed(serve):
    path = serve("hang_before_head")
    process = run(f"""
        import threading
        from banditroute.sync import open_router
        with open_router({str(path)!r}) as router:
            watch = lambda: [None for _ in iter(lambda: bool(router._router.works[-1].serving.under_way), True)]
            threading.Thread(target=lambda: (watch(), print("waiting", flush=True))).start()
            router.chat("hello", request_id="left")
    """)
    assert process.stdout.readline() == "waiting\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert "KeyboardInterrupt" in err
    assert process.returncode != 0
    with open_router(path) as router:
        [trail] = router._thread.wait_for(router._router.learner.store.recent(5))
        assert trail.outcome is not None
        assert not trail.outcome.ok

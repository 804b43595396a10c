"""The plugin as another project's pytest loads it; it is handed over by name, so that nothing need be installed."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from banditroute.testing.threaded_server import threaded_server

pytest_plugins = ["pytester"]

PLUGIN = "banditroute.testing.pytest_plugin"
ROOT = Path(__file__).resolve().parents[3]
ASK = """
    import asyncio
    import pytest
    from banditroute.errors import BudgetExceededError

    async def asked(router, *prompts):
        async with router:
            return [(await router.chat(prompt, task="qa")) for prompt in prompts]
"""


@pytest.fixture
def project(everything_loaded: None, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """Another project; this one's other plugins stay out of it."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeini("[pytest]\naddopts = --strict-markers -p no:cacheprovider\n")
    return pytester


def run(project: pytest.Pytester, *args: str) -> pytest.RunResult:
    return project.runpytest_inprocess("-W", "error", "-p", PLUGIN, *args)


def test_it_is_installed_with_the_library() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["entry-points"]["pytest11"] == {"banditroute": PLUGIN}


def test_the_fixture_is_a_scripted_router(project: pytest.Pytester) -> None:
    project.makepyfile(
        ASK
        + """
    def test_default(bandit_router):
        bandit_router.script.say("A house, held in trust.")
        (answer,) = asyncio.run(asked(bandit_router, "What is escrow?"))
        assert answer.text == "A house, held in trust."
        assert [call.terms.task for call in bandit_router.calls] == ["qa"]

    @pytest.mark.bandit_router(replies=["a", "b"], chooses="large")
    def test_marked(bandit_router):
        answers = asyncio.run(asked(bandit_router, "x", "y"))
        assert [(each.text, each.model) for each in answers] == [("a", "large"), ("b", "large")]
    """
    )
    run(project).assert_outcomes(passed=2)


def test_the_seed_is_said_on_the_command_line_and_decides(project: pytest.Pytester) -> None:
    project.makepyfile(
        ASK
        + """
    def test_choices(bandit_router, bandit_seed):
        answers = asyncio.run(asked(bandit_router, *map(str, range(12))))
        print("seed", bandit_seed, "chose", "".join(each.model[0] for each in answers))
    """
    )

    def choices(*args: str) -> str:
        result = run(project, "-s", *args)
        result.assert_outcomes(passed=1)
        return next(line for line in result.outlines if "chose" in line)

    first, again, other = choices(), choices("--bandit-seed=0"), choices("--bandit-seed=5")
    assert first == again
    assert "seed 5 " in other
    assert first.split("chose")[1] != other.split("chose")[1]


def test_the_network_is_out_of_reach_for_whoever_asks_for_a_router(project: pytest.Pytester) -> None:
    reach = """
    import socket
    import pytest
    from banditroute.testing import NetworkBlockedError

    def reach():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as used:
            used.connect(("192.0.2.1", 9))

    def test_router(bandit_router):
        with pytest.raises(NetworkBlockedError):
            reach()

    @pytest.mark.no_network
    def test_marked():
        with pytest.raises(NetworkBlockedError):
            reach()

    def test_fixture(no_network):
        with pytest.raises(NetworkBlockedError):
            reach()

    def test_unmarked():
        try:
            reach()
        except OSError:  # a machine without any way out
            pass
    """
    project.makepyfile(reach)
    run(project).assert_outcomes(passed=4)
    run(project, "-o", "bandit_no_network=true").assert_outcomes(passed=3, failed=1)


def record_in(project: pytest.Pytester, base_url: str) -> None:
    """A project whose router.toml names a provider, with two tests whose answers are recorded."""
    project.makefile(
        ".toml",
        router=f"""
[[providers]]
name = "main"
kind = "openai"
base_url = "{base_url}"
[[models]]
name = "only"
provider = "main"
input_usd_per_mtok = 1.0
output_usd_per_mtok = 2.0
[breaker]
knock_s = 0.0
""",
    )
    project.makeini("[pytest]\naddopts = --strict-markers -p no:cacheprovider\nbandit_config = router.toml\n")
    project.makepyfile(
        test_kept=ASK
        + """
    @pytest.mark.bandit_recorded
    @pytest.mark.parametrize("prompt", ["a/b", "a b"])
    def test_asked(bandit_router, prompt):
        (answer,) = asyncio.run(asked(bandit_router, prompt))
        assert answer.text.startswith("Paris")
    """,
    )


def test_recorded_replies_have_a_file_for_each_test(project: pytest.Pytester) -> None:
    kept = project.path / "recorded" / "test_kept"
    with threaded_server() as server:
        record_in(project, server.base_url)
        unrecorded = run(project)
        unrecorded.assert_outcomes(errors=2)
        unrecorded.stdout.fnmatch_lines(["*run it once with --bandit-record=new*"])
        assert server.requests == 0

        run(project, "--bandit-record=new").assert_outcomes(passed=2)
        assert (server.requests, len(list(kept.iterdir()))) == (2, 2)

    run(project).assert_outcomes(passed=2)
    run(project, "--bandit-record=new").assert_outcomes(passed=2)  # what is there is replayed
    assert server.requests == 2


def test_a_recorded_router_needs_a_configuration(project: pytest.Pytester) -> None:
    project.makepyfile(
        ASK
        + """
    @pytest.mark.bandit_recorded
    def test_asked(bandit_router):
        pass
    """
    )
    result = run(project)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*set bandit_config = router.toml*"])


def test_options_and_markers_say_what_they_are(project: pytest.Pytester) -> None:
    run(project, "--help").stdout.fnmatch_lines(["*--bandit-seed=*", "*--bandit-record=*", "*bandit_config (string)*"])
    run(project, "--markers").stdout.fnmatch_lines(["@pytest.mark.no_network: *", "@pytest.mark.bandit_recorded(*"])


def test_a_pytest_that_does_not_use_it_does_not_load_the_router() -> None:
    """What costs time to import is not imported: neither the router nor any library of its."""
    program = (
        "import sys, pytest; before = set(sys.modules); import banditroute.testing.pytest_plugin;"
        "print(*sorted({name.split('.')[0] for name in set(sys.modules) - before}));"
        "print(*sorted(name for name in sys.modules if name.startswith('banditroute')))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    libraries, own = done.stdout.splitlines()
    assert not {"numpy", "scipy", "aiohttp", "pydantic", "orjson"} & set(libraries.split())
    assert own.split() == ["banditroute", "banditroute._version", "banditroute.testing", PLUGIN]

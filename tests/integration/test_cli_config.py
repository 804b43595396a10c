"""The configuration commands as a user runs them, in a process of their own."""

import os
import subprocess
import sys
from pathlib import Path

import orjson

from banditroute.assemble import open_router

ROOT = Path(__file__).resolve().parents[2]
MAIN = [sys.executable, "-c", "from banditroute.cli import main; main()"]


def banditroute(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environ = {key: value for key, value in os.environ.items() if not key.endswith("_API_KEY")}
    command = [*MAIN, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=cwd, env=environ, check=False)


def test_the_shipped_files_can_be_used(tmp_path: Path) -> None:
    done = banditroute("config", "check", str(ROOT / "configs" / "router.toml"), cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("router.toml: can be used, no warnings\n")
    done = banditroute("config", "check", str(ROOT / "configs" / "router.full.toml"), "--json", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert orjson.loads(done.stdout)["usable"] is True


def test_help_needs_neither_numpy_nor_yaml() -> None:
    code = (
        "import sys; from banditroute.cli.app import run; code = run(['config', 'check', '--help']); "
        "sys.exit(code or any(name in sys.modules for name in ('numpy', 'yaml', 'banditroute.config')))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=False).returncode == 0


async def test_from_litellm_to_a_router(tmp_path: Path) -> None:
    """Import, be told of the missing price, fill it in, be told of the missing key, set it, open."""
    (tmp_path / "config.yaml").write_text(
        "model_list:\n"
        "- {model_name: fast, litellm_params: {model: groq/llama, api_key: os.environ/GROQ_API_KEY}}\n"
        "- model_name: own\n"
        "  litellm_params: {model: ollama/llama, input_cost_per_token: 0, output_cost_per_token: 0}\n"
    )
    done = banditroute("config", "import-litellm", "config.yaml", "--out", "router.toml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    done = banditroute("config", "check", "router.toml", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.splitlines()[0].endswith("price unknown; state it, 0 declares the model free")
    file = tmp_path / "router.toml"
    file.write_text(file.read_text().replace("# ", "").replace("?", "0.1").partition("\n\n")[2])
    done = banditroute("config", "check", "router.toml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "environment variable GROQ_API_KEY is not set" in done.stdout
    async with open_router(file, environ={"GROQ_API_KEY": "x"}) as router:
        assert router.catalog.names == ("fast", "own")

"""Runs what README.md and docs/*.md show, page by page and from top to bottom.

Every ```python block runs, with one namespace per page; `await` works at the top level. Of every ```console block the
commands that start with `$ banditroute` run and have to exit with 0. A page runs in an empty directory that shows the
repository's folders, so that paths such as configs/router.toml work as printed; the provider that configs/router.toml
names is a loopback server there, and its key is set. A comment on the line above a block
says what more, or less, is checked:

    <!-- check: exact -->         the output is what the block shows, line by line
    <!-- check: like -->          the same, but `...` stands for anything, a rate or a date, say
    <!-- check: skip: REASON -->  nothing runs
"""

import ast
import asyncio
import inspect
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [page for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))) if page.exists()]
LOCAL_URL = "http://127.0.0.1:8000/v1"
BLOCK = re.compile(
    r"(?:^[ ]*<!-- check: (?P<check>exact|like|skip: [^\n]+?) -->[ ]*\n)?"
    r"^(?P<indent>[ ]*)```(?P<language>python|console)[ ]*\n(?P<text>.*?)^(?P=indent)```[ ]*$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Block:
    language: str
    text: str
    line: int
    check: str


@dataclass(frozen=True, slots=True)
class Command:
    text: str
    shown: str


def blocks_of(page: str) -> Iterator[Block]:
    """The page's python and console blocks; line is that of the block's first line, counted from 1."""
    for match in BLOCK.finditer(page):
        indent = len(match["indent"])
        text = "".join(line[indent:] if line.strip() else line for line in match["text"].splitlines(keepends=True))
        yield Block(match["language"], text, page.count("\n", 0, match.start("text")) + 1, match["check"] or "")


def commands_of(block: Block) -> Iterator[Command]:
    """Each prompt line, with what follows a backslash, and what is shown below it."""
    for part in re.split(r"^\$ ", block.text.replace("\\\n", ""), flags=re.MULTILINE)[1:]:
        text, _, shown = part.partition("\n")
        yield Command(text, shown)


def run_page(path: Path) -> None:
    """Runs every block of a page in the current directory; raises at the first that is not as the page says."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for block in blocks_of(path.read_text(encoding="utf-8")):
        if block.check.startswith("skip"):
            continue
        if block.language == "python":
            run_python(block, path, namespace)
        else:
            run_console(block, path)


def run_python(block: Block, path: Path, namespace: dict[str, Any]) -> None:
    source = "\n" * (block.line - 1) + block.text  # so that a traceback names the page's own line
    code = compile(source, str(path), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    if code.co_flags & inspect.CO_COROUTINE:
        asyncio.run(eval(code, namespace))
    else:
        exec(code, namespace)


def run_console(block: Block, path: Path) -> None:
    for command in commands_of(block):
        if command.text.split()[0] != "banditroute":
            continue
        done = subprocess.run(
            command.text, shell=True, env=plain_shell(), capture_output=True, text=True, timeout=120, check=False
        )
        where = f"{path.name}:{block.line}: $ {command.text}"
        assert done.returncode == 0, f"{where}\n{done.stderr}"
        if block.check:
            expected, actual = stripped(command.shown), stripped(done.stdout)
            assert matches(expected, actual, block.check), f"{where}\n--- shown\n{expected}\n--- printed\n{actual}"


def plain_shell() -> dict[str, str]:
    """This interpreter's scripts first, and a terminal of 80 columns without colour."""
    scripts = str(Path(sys.executable).parent)
    return os.environ | {"PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}", "COLUMNS": "80", "NO_COLOR": "1"}


def stripped(text: str) -> str:
    """The text without blanks at line ends and blank lines at either end."""
    return "\n".join(line.rstrip() for line in text.splitlines()).strip("\n")


def matches(expected: str, actual: str, check: str) -> bool:
    if check == "exact":
        return expected == actual
    pattern = ".*".join(re.escape(part) for part in expected.split("..."))
    return re.fullmatch(pattern, actual, re.DOTALL) is not None


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model_server: str) -> Path:
    """An empty current directory that shows the repository's folders, with a provider that answers."""
    for folder in ("docs", "simulations", "src"):
        (tmp_path / folder).symlink_to(ROOT / folder, target_is_directory=True)
    shutil.copytree(ROOT / "configs", tmp_path / "configs")
    config = tmp_path / "configs" / "router.toml"
    text = config.read_text(encoding="utf-8")
    assert LOCAL_URL in text, f"{config.name} no longer names {LOCAL_URL}"
    config.write_text(text.replace(LOCAL_URL, model_server), encoding="utf-8")
    monkeypatch.setenv("LOCAL_KEY", "any")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
@pytest.mark.usefixtures("workplace")
def test_page(path: Path) -> None:
    run_page(path)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_no_check_is_misspelt(path: Path) -> None:
    page = path.read_text(encoding="utf-8")
    asked = [line for line in page.splitlines() if line.strip().startswith("<!-- check")]
    assert len(asked) == sum(1 for block in blocks_of(page) if block.check), asked


@pytest.fixture
def page(workplace: Path) -> Path:
    return workplace / "page.md"


def test_blocks_of_a_page_share_a_namespace_and_may_await(page: Path) -> None:
    page.write_text(
        "```python\nimport asyncio\nfrom pathlib import Path\nx = 1\n```\n\n1. listed\n\n"
        "   ```python\n   await asyncio.sleep(0)\n   x += 1\n   ```\n\n"
        "```python\nPath('seen').write_text(str(x))\n```\n"
    )
    run_page(page)
    assert Path("seen").read_text() == "2"


def test_a_failing_block_names_the_line_of_the_page(page: Path) -> None:
    page.write_text("# Page\n\n```python\nx = 1\nassert x == 2\n```\n")
    with pytest.raises(AssertionError) as caught:
        run_page(page)
    last = caught.traceback[-1]
    assert (str(last.path), last.lineno + 1) == (str(page), 5)


def test_a_skipped_block_does_not_run(page: Path) -> None:
    page.write_text("<!-- check: skip: needs a key -->\n```python\nassert False\n```\n")
    run_page(page)


def test_commands_run_and_their_output_is_compared_where_asked(page: Path) -> None:
    shown = "```console\n$ banditroute --version\n{}\n```\n"
    page.write_text(shown.format("anything") + "\n<!-- check: like -->\n" + shown.format("banditroute ..."))
    run_page(page)
    page.write_text("<!-- check: exact -->\n" + shown.format("banditroute 99"))
    with pytest.raises(AssertionError, match=r"page\.md:3: \$ banditroute --version"):
        run_page(page)


def test_a_command_that_fails_fails_the_page(page: Path) -> None:
    page.write_text("```console\n$ banditroute \\\n    simulate missing.jsonl\n```\n")
    with pytest.raises(AssertionError, match=r"missing\.jsonl"):
        run_page(page)


def test_other_commands_do_not_run(page: Path) -> None:
    page.write_text("```console\n$ touch ran\n$ pip install banditroute\n```\n")
    run_page(page)
    assert not Path("ran").exists()

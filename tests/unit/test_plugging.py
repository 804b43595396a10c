"""Users' own code, found by module:name."""

import sys
from pathlib import Path

import pytest

from banditroute.errors import ConfigError
from banditroute.plugging import plugged


def test_finds_what_stands_in_a_module_or_in_a_class_of_it() -> None:
    assert plugged("pathlib:Path", "thing") is Path
    assert plugged("pathlib:Path.exists", "thing") is Path.exists


@pytest.mark.parametrize(
    "name", ["pathlib:Pth", "no_such_module:x", ":x", ".relative:x", "two words:x", "pathlib:Path:x", "pathlib:Path."]
)
def test_what_is_not_there_is_said_in_one_line(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        plugged(name, "thing")
    assert f"the thing {name!r} is not found" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [("import no_such_package\n", "No module named 'no_such_package'"), ("def f(x)\n", "needs_much.py, line 1")],
)
def test_a_module_that_cannot_be_imported_says_why(
    content: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "needs_much.py").write_text(content)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigError) as caught:
        plugged("needs_much:x", "thing")
    assert words in str(caught.value)
    assert "needs_much" not in sys.modules

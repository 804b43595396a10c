"""The least file that a router can be made of, for tests to add to."""

from collections.abc import Callable
from pathlib import Path

import pytest

LEAST = """\
[[providers]]
name = "local"
kind = "openai"

[[models]]
name = "small"
provider = "local"
input_usd_per_mtok = 0.15
output_usd_per_mtok = 0.60
"""


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], Path]:
    """Writes router.toml: one provider, one model, and more behind it; the model's table is the last that is open."""

    def write(more: str) -> Path:
        file = tmp_path / "router.toml"
        file.write_text(LEAST + more)
        return file

    return write

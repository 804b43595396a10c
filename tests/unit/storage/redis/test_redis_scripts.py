from __future__ import annotations

import re
import sys

import pytest

from banditroute.errors import MissingExtraError
from banditroute.storage.redis.namespace import Namespace
from banditroute.storage.redis.scripts import NAMES, command, script


@pytest.mark.parametrize("name", NAMES)
def test_a_script_names_every_key_that_it_touches(name: str) -> None:
    """What no argument of the script names, a cluster may keep elsewhere."""
    source, sha, parts = script(name)
    touched = set(re.findall(r"redis\.call\('\w+', (\w+)", source)) - {"hash", "name"}
    declared = set(re.findall(r"local (?!function)(\w+)", source)) | set(parts)
    declared.update(*(told.split(", ") for told in re.findall(r"local function \w+\(([^)]*)\)", source)))
    assert touched <= declared
    assert len(sha) == 40
    words = command(Namespace("x"), name)
    assert words[:3] == ("EVALSHA", sha.encode(), str(len(parts)).encode())
    assert all(isinstance(key, bytes) and key.startswith(b"{banditroute:x}:") for key in words[3:])


def test_without_the_extra_it_says_which_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("store", "link", "client", "writer", "reading"):
        monkeypatch.delitem(sys.modules, f"banditroute.storage.redis.{module}", raising=False)
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(MissingExtraError, match=r'kind = "redis" needs the .* pip install .banditroute\[redis\]'):
        __import__("banditroute.storage.redis.store")

"""A saved policy: what is written is what is read, and nothing else is taken for one."""

import numpy as np
import orjson
import pytest

from banditroute.errors import ConfigError, InputError
from banditroute.routing.lessons import Edge, Lesson
from banditroute.routing.saved import SavedPolicy, SavedPrice, saved_policy
from banditroute.storage.policy_file import read_policy, write_policy


def _policy() -> SavedPolicy:
    lessons = [
        Lesson("qa", model, "none", (1.0, 0.1 * i), (0.5 + 0.1 * i, None if i else 4.0, None, None))
        for i in range(4)
        for model in ("small", "large")
    ]
    saved = saved_policy(lessons, "none", 2, 3.0, "outcomes.jsonl")
    return SavedPolicy(
        saved.source, saved.encoder_version, saved.width, saved.ess, saved.evidence, {"day": SavedPrice(0.001, -2.5)}
    )


def test_lessons_become_edges_worth_no_more_than_the_cap():
    saved = _policy()
    assert set(saved.evidence) == {
        Edge("qa", model, signal, "none") for model in ("small", "large") for signal in ("quality", "log_tokens")
    }
    quality = saved.evidence[Edge("qa", "small", "quality", "none")]
    assert float(quality.n) == pytest.approx(3.0)
    assert float(quality.b[0] / quality.n) == pytest.approx(0.65)
    assert saved.observations == pytest.approx(6.0)


def test_what_is_written_is_read(tmp_path):
    saved, path = _policy(), tmp_path / "start.policy.json"
    write_policy(saved, path)
    found = read_policy(path)
    assert (found.source, found.encoder_version, found.width, found.ess) == ("outcomes.jsonl", "none", 2, 3.0)
    assert found.prices == saved.prices
    assert set(found.evidence) == set(saved.evidence)
    for edge, sums in saved.evidence.items():
        for mine, theirs in zip(found.evidence[edge], sums, strict=True):
            np.testing.assert_array_equal(mine, theirs)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": 2}, "format"),
        ({"edges": [{"task": "qa"}]}, "edges"),
        ({"edges": [{"task": "qa", "model": "m", "signal": "quality", "n": 1, "s": 1, "b": [1], "A": [[1]]}]}, "fit"),
        ({"ess": 0}, "ess"),
    ],
)
def test_what_is_no_policy_is_refused_in_one_line(tmp_path, change, words):
    path = tmp_path / "start.policy.json"
    write_policy(_policy(), path)
    path.write_bytes(orjson.dumps({**orjson.loads(path.read_bytes()), **change}))
    with pytest.raises(ConfigError, match=words) as error:
        read_policy(path)
    assert "warm-start" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_file_and_a_missing_folder_are_said(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        read_policy(tmp_path / "none.policy.json")
    with pytest.raises(InputError, match="cannot be written"):
        write_policy(_policy(), tmp_path / "none" / "start.policy.json")

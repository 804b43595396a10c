"""What a usable configuration may still get wrong about the place of its store."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from banditroute.config import load_config
from banditroute.config.review import review

POD = {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}
REDIS = 'kind = "redis"\nurl = "redis://127.0.0.1:6379/0"\n'


@pytest.mark.parametrize(
    ("store", "environ", "told"),
    [
        ('kind = "sqlite"\n', POD, 1),
        ('kind = "memory"\n', POD, 1),
        (REDIS, POD, 0),
        ('kind = "sqlite"\n', {}, 0),
    ],
)
def test_a_store_of_one_pod_is_told_of_in_a_pod(
    written: Callable[[str], Path], store: str, environ: Mapping[str, str], told: int
) -> None:
    findings = review(load_config(written(f"[store]\n{store}"), {}), environ)
    alone = [finding for finding in findings if finding.check == "alone"]
    assert len(alone) == told
    assert all("one replica" in finding.remedy for finding in alone)

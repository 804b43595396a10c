"""A policy that keeps to given shares of the models."""

import numpy as np
import pytest

from banditroute.evaluation.loading import log_of
from banditroute.evaluation.mixing import Mix


def a_log(*rows):
    """Rows of (task, eligible models)."""
    made = [
        {
            "decision_id": f"d{n}",
            "task": task,
            "eligible": eligible,
            "chosen": eligible[0],
            "propensity": 1.0 / len(eligible),
            "propensities": dict.fromkeys(eligible, 1.0 / len(eligible)),
            "cost_usd": 0.1,
            "latency_s": 1.0,
        }
        for n, (task, eligible) in enumerate(rows)
    ]
    return log_of(made, "log").log


MIX = Mix("mix", {"qa": {"a": 3, "b": 1}, "code": {"c": 2}})


def test_each_class_has_its_own_shares_and_a_new_one_those_of_all():
    log = a_log(("qa", ["a", "b", "c"]), ("code", ["a", "b", "c"]), ("new", ["a", "b", "c"]))
    np.testing.assert_allclose(MIX.propensities(log), [[0.75, 0.25, 0.0], [0.0, 0.0, 1.0], [0.5, 1 / 6, 1 / 3]])


def test_what_is_not_eligible_leaves_its_share_to_the_others():
    log = a_log(("qa", ["b", "c"]), ("code", ["a", "b"]), ("qa", ["a", "b", "c"]))
    p = MIX.propensities(log)
    np.testing.assert_allclose(p[0], [0.0, 1.0, 0.0])
    np.testing.assert_allclose(p[1], [0.5, 0.5, 0.0])  # none of the mix could serve: as it was drawn
    np.testing.assert_allclose(p.sum(1), 1.0)


def test_the_share_that_is_lost():
    assert MIX.lost_share(a_log(("qa", ["a", "b"]))) == pytest.approx(2 / 6)
    assert Mix("none", {}).lost_share(a_log(("qa", ["a"]))) == 0.0

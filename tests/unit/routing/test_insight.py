"""What is believed of every edge, as people are shown it."""

import numpy as np
import pytest

from banditroute.errors import InputError
from banditroute.records import Context
from banditroute.routing.catalog import Catalog, Model, Price
from banditroute.routing.decider import Decider
from banditroute.routing.insight import Prompt, edge_beliefs

CATALOG = Catalog((Model("small", "p", "small", Price(0.1, 0.4)), Model("large", "p", "large", Price(10.0, 40.0))))


@pytest.fixture(scope="module")
def decider() -> Decider:
    """Has seen one feature decide whether the small model is right, and the large one be right always."""
    rng, decider = np.random.default_rng(0), Decider(CATALOG, ("qa", "code"), 1)
    for number in range(300):
        feature, model = float(rng.choice((-1.0, 1.0))), ("small", "large")[number % 2]
        quality = 1.0 if model == "large" or feature > 0 else 0.0
        decider.learn(Context("qa", (feature,), 100), model, quality=quality, output_tokens=50, latency_s=1.0)
    decider.learn(Context("code", (0.0,), 100), "large", output_tokens=50)
    decider.refresh()
    return decider


def test_every_pair_is_there_with_what_it_rests_on(decider: Decider) -> None:
    counts = {(each.task, each.model): (each.judged, each.answered) for each in edge_beliefs(decider, Prompt(100))}
    assert counts == {
        ("qa", "small"): (150, 150),
        ("qa", "large"): (150, 150),
        ("code", "small"): (0, 0),
        ("code", "large"): (0, 1),
    }


def test_beliefs_are_about_the_prompt(decider: Decider) -> None:
    easy, hard = (edge_beliefs(decider, Prompt(100, (feature,)))[0] for feature in (1.0, -1.0))
    assert easy.model == hard.model == "small"
    assert easy.quality > 0.9
    assert hard.quality < 0.1


def test_the_interval_holds_the_mean_and_narrows_with_judgements(decider: Decider) -> None:
    seen, unseen = edge_beliefs(decider, Prompt(100))[0], edge_beliefs(decider, Prompt(100))[2]
    for each in (seen, unseen):
        assert 0.0 <= each.low <= each.quality <= each.high <= 1.0
    assert seen.high - seen.low < unseen.high - unseen.low


def test_a_longer_prompt_costs_more(decider: Decider) -> None:
    short, long = (edge_beliefs(decider, Prompt(tokens))[1] for tokens in (10, 10_000))
    assert long.cost_usd > short.cost_usd + 0.09


def test_another_number_of_features_is_refused(decider: Decider) -> None:
    with pytest.raises(InputError, match="2 features where 1 are expected"):
        edge_beliefs(decider, Prompt(100, (1.0, 2.0)))

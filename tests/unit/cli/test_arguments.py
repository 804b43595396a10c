import math
from pathlib import Path

import pytest

from banditroute.cli import arguments
from banditroute.cli.arguments import POLICIES
from banditroute.errors import InputError, MissingExtraError


@pytest.mark.parametrize("budget", [0.0, -0.001, math.inf, math.nan])
def test_a_budget_is_a_positive_number_of_dollars(budget: float) -> None:
    with pytest.raises(InputError, match=r"^--budget-usd: .* is not a budget; give dollars per request above 0"):
        arguments.checked_budgets([0.001, budget])


def test_no_budget_means_unconstrained() -> None:
    assert arguments.checked_budgets([]) == (None,)


def test_budgets_and_policies_keep_their_order_and_repeat_nothing() -> None:
    assert arguments.checked_budgets([0.2, 0.1, 0.2]) == (0.2, 0.1)
    assert arguments.checked_policies(["random", "fixed:a", "random"]) == ("random", "fixed:a")


@pytest.mark.parametrize("policy", POLICIES)
def test_every_documented_policy_is_accepted(policy: str) -> None:
    assert arguments.checked_policies([policy]) == (policy,)


def test_an_unknown_policy_is_answered_with_the_nearest_and_all_others() -> None:
    with pytest.raises(InputError) as caught:
        arguments.checked_policies(["tompson"])
    message = str(caught.value)
    assert message.startswith("--policy: no policy is called 'tompson'; did you mean 'thompson'? choose from: ")
    assert all(policy in message for policy in (*POLICIES, "fixed:MODEL"))


def test_a_policy_like_no_other_gets_the_list_alone() -> None:
    with pytest.raises(InputError, match=r"'zzz'; choose from: "):
        arguments.checked_policies(["zzz"])


def test_fixed_needs_a_model() -> None:
    with pytest.raises(InputError, match="'fixed:'; did you mean 'fixed:MODEL'"):
        arguments.checked_policies(["fixed:"])


def test_a_fixed_model_has_to_be_in_the_table() -> None:
    arguments.check_fixed_models(["thompson", "fixed:large"], ["small", "large"])
    with pytest.raises(
        InputError, match=r"the table has no model 'larg'; did you mean 'large'\? choose from: small, large"
    ):
        arguments.check_fixed_models(["fixed:larg"], ["small", "large"])


def test_seeds_count_up_from_the_first() -> None:
    assert list(arguments.seed_range(5, 3)) == [5, 6, 7]


@pytest.mark.parametrize(("first", "count", "field"), [(0, 0, "--seeds"), (0, -2, "--seeds"), (-1, 5, "--seed")])
def test_seeds_that_cannot_be(first: int, count: int, field: str) -> None:
    with pytest.raises(InputError) as caught:
        arguments.seed_range(first, count)
    assert caught.value.field == field


def test_a_report_goes_into_a_directory_that_is_there(tmp_path: Path) -> None:
    arguments.check_report(None)
    arguments.check_report(tmp_path / "report.html")
    with pytest.raises(InputError, match="there is no directory"):
        arguments.check_report(tmp_path / "nowhere" / "report.html")
    with pytest.raises(InputError, match="is a directory"):
        arguments.check_report(tmp_path)


@pytest.mark.parametrize("package", ["jinja2", "matplotlib"])
def test_a_report_needs_its_extra_from_the_start(package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arguments, "find_spec", lambda name: None if name == package else object())
    arguments.check_report(None)
    with pytest.raises(MissingExtraError, match="plots"):
        arguments.check_report(tmp_path / "report.html")

from pathlib import Path

import pytest

from banditroute.alerting.settings import AlertSettings, WebhookSettings
from banditroute.config import load_config
from banditroute.config.alert_places import webhook_place
from banditroute.errors import ConfigError

LEAST = (Path(__file__).parents[3] / "configs" / "router.toml").read_text()


@pytest.fixture
def alerts(tmp_path):
    """The settings that the lines of [alerts] stand for."""

    def read(lines: str = "") -> AlertSettings:
        path = tmp_path / "router.toml"
        path.write_text(f"{LEAST}\n[alerts]\n{lines}\n")
        return load_config(path).alerts

    return read


def test_an_empty_table_is_the_default(alerts) -> None:
    assert alerts() == AlertSettings()


def test_what_it_says_is_what_holds(alerts) -> None:
    found = alerts(
        'kinds = ["budget"]\nto = []\nbudget_marks = [0.9]\nrepeat_hours = 2\nwebhook.url = "https://a.example/x"'
    )
    assert (found.kinds, found.to) == (frozenset({"budget"}), frozenset())
    assert (found.budget_marks, found.repeat_s, found.webhook.url) == ((0.9,), 7_200.0, "https://a.example/x")


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ('kinds = ["weather"]', "weather"),
        ("budget_marks = [0.8, 0.5]", "ascending"),
        ("budget_marks = [1.5]", "1"),
        ('webhook.url = "alerts.example.com"', "not an http or https URL"),
        ('webhook.url = "https://hooks.example.com/services/T0/B0/aB3dE5gH7jK9mN1pQ3sT5vW7"', "held a secret"),
        ('webhook.url = "https://user:pw@example.com/"', "held a secret"),
        ('webhook.url_env = "sk-123456"', "looks like a key"),
        ("down_s = 0", "expected more than 0"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line_that_shows_no_secret(alerts, lines, problem) -> None:
    with pytest.raises(ConfigError) as refused:
        alerts(lines)
    assert problem in str(refused.value)
    assert "aB3dE5" not in str(refused.value)


def test_the_environment_has_the_url_and_the_secret() -> None:
    settings = WebhookSettings(url="https://a.example/", url_env="URL", secret_env="SECRET")
    assert webhook_place(settings, {"URL": "https://b.example/T0ken", "SECRET": "x"}) == (
        "https://b.example/T0ken",
        b"x",
    )
    assert webhook_place(WebhookSettings(), {}) is None
    assert webhook_place(WebhookSettings(url="https://a.example/"), {}) == ("https://a.example/", None)


@pytest.mark.parametrize(
    ("environ", "problem"),
    [
        ({"SECRET": "x"}, "environment variable URL is not set"),
        ({"URL": "https://b.example/"}, "environment variable SECRET is not set"),
        ({"URL": "b.example/T0ken", "SECRET": "x"}, "not an http or https URL"),
    ],
)
def test_what_the_environment_lacks_is_said(environ, problem) -> None:
    with pytest.raises(ConfigError, match=problem) as refused:
        webhook_place(WebhookSettings(url_env="URL", secret_env="SECRET"), environ)
    assert "T0ken" not in str(refused.value)

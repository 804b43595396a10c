"""Where alerts go: checked where the file says so, and read from the environment where that holds it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from banditroute.alerting.settings import WebhookSettings
from banditroute.alerting.signing import signing_key
from banditroute.config.secrets import looks_like_a_key
from banditroute.errors import ConfigError

_FIELD = "alerts.webhook"


class WebhookPlace(NamedTuple):
    """Where alerts are posted; `key` signs them, if anything does."""

    url: str
    key: bytes | None


def check_url(url: str) -> None:
    """Returns if a URL can be posted to.

    Raises:
        ConfigError: it cannot; the URL, which may hold a secret, is not in the message.
    """
    found = urlsplit(url)
    if found.scheme not in ("http", "https") or not found.hostname:
        raise ConfigError("not an http or https URL (not shown)", remedy="write a whole URL", field="url")


def check_no_secret(url: str) -> None:
    """Returns if a URL looks as if it held no secret.

    Raises:
        ConfigError: it may hold one.
    """
    found = urlsplit(url)
    if found.password or any(map(looks_like_a_key, (*found.path.split("/"), *found.query.split("=")))):
        remedy = "put the URL into an environment variable and write url_env = its name"
        raise ConfigError("the URL looks as if it held a secret (not shown)", remedy=remedy, field="url")


def webhook_place(settings: WebhookSettings, environ: Mapping[str, str]) -> WebhookPlace | None:
    """Where alerts are posted; None where they are posted nowhere.

    Raises:
        ConfigError: an environment variable is not set, or holds nothing that can be used.
    """
    url = _found(settings.url_env, environ, "url_env") if settings.url_env else settings.url
    if not url:
        return None
    try:
        check_url(url)
        secret = _found(settings.secret_env, environ, "secret_env") if settings.secret_env else ""
        return WebhookPlace(url, signing_key(secret) if settings.secret_env else None)
    except ConfigError as error:
        field = error.field if error.field and error.field.startswith(_FIELD) else _FIELD
        raise ConfigError(error.problem, remedy=error.remedy, field=field) from None


def _found(variable: str, environ: Mapping[str, str], key: str) -> str:
    value = environ.get(variable, "").strip()
    if not value:
        remedy = "export it, or take it out"
        raise ConfigError(f"environment variable {variable} is not set", remedy=remedy, field=f"{_FIELD}.{key}")
    return value

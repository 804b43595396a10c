from __future__ import annotations

import pytest

from banditroute.errors import ConfigError
from banditroute.storage.redis.address import Host, address_of
from banditroute.storage.redis.namespace import Namespace


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://host", "redis://host:6379/0"),
        ("redis://host:7000/3", "redis://host:7000/3"),
        ("rediss://me:pass@host/1?ssl_cert_reqs=none", "rediss://host:6379/1"),
        ("redis://[::1]:7000", "redis://::1:7000/0"),
        ("unix:///run/redis.sock?db=2", "unix:///run/redis.sock"),
        ("redis+cluster://me:pass@host:7000", "redis+cluster://host:7000"),
        ("redis+sentinel://:pass@a,b:26380/main/2", "redis+sentinel://a:26379,b:26380/main"),
    ],
)
def test_an_address_is_shown_without_its_password(url: str, shown: str) -> None:
    assert address_of(url).shown == shown


def test_a_cluster_and_sentinels_are_told_from_one_server() -> None:
    assert address_of("redis://host").way == "one"
    cluster = address_of("rediss+cluster://:pass@host")
    assert (cluster.way, cluster.url) == ("cluster", "rediss://:pass@host")
    sentinels = address_of("rediss+sentinel://me:p%20w@a,b:1/main/2")
    assert (sentinels.way, sentinels.service) == ("sentinel", "main")
    assert sentinels.hosts == (Host("a", 26379), Host("b", 1))
    assert dict(sentinels.options) == {"db": 2, "username": "me", "password": "p w", "ssl": True}


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("", "the store has no URL"),
        ("host:6379", "a store's URL cannot begin with 'host'"),
        ("http://host", "a store's URL cannot begin with 'http'"),
        ("redis://", "names no host"),
        ("redis://host:port", "cannot be read"),
        ("redis://host/first", "'first' is no number of a database"),
        ("unix://", "names no socket"),
        ("redis+cluster://", "names no host"),
        ("redis+sentinel://a,b", "names no sentinel or no service"),
        ("redis+sentinel:///main", "names no sentinel or no service"),
    ],
)
def test_another_url_is_refused_in_one_line(url: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem) as caught:
        address_of(url)
    assert "\n" not in str(caught.value)
    assert "redis://HOST:6379/0" in str(caught.value)


def test_all_keys_of_a_store_have_one_hash_tag() -> None:
    assert Namespace("blue").key("sums") == "{banditroute:blue}:sums"
    for name in ("", "a b", "a}b", "x" * 65):
        with pytest.raises(ConfigError, match="is no name for a namespace"):
            Namespace(name)

"""What a usable configuration may still get wrong."""

from pathlib import Path

import pytest

from banditroute.config import load_config
from banditroute.config.findings import Finding, typical_usd
from banditroute.config.review import longest_call_usd, review
from banditroute.routing.catalog import Capabilities, Model, Price

CLEAN = """\
[[providers]]
name = "far"
kind = "openai"
base_url = "https://far.example/v1"
api_key_env = "FAR"

[[models]]
name = "small"
provider = "far"
input_usd_per_mtok = 0.2
output_usd_per_mtok = 1.0
max_output_tokens = 1000

[[models]]
name = "large"
provider = "far"
input_usd_per_mtok = 2
output_usd_per_mtok = 10
context_window = 10500

[[budgets]]
usd_per_request = 0.001

[[budgets]]
usd = 10
per = "day"
"""


def found(tmp_path: Path, text: str, environ: dict[str, str] | None = None) -> list[Finding]:
    file = tmp_path / "router.toml"
    file.write_text(text)
    return list(review(load_config(file), {"FAR": "x"} if environ is None else environ))


def test_a_clean_file_has_no_findings(tmp_path: Path) -> None:
    assert found(tmp_path, CLEAN) == []


def test_the_typical_request_is_500_tokens_in_and_300_out() -> None:
    assert typical_usd(Model("m", "p", "m", Price(2, 10))) == pytest.approx((500 * 2 + 300 * 10) / 1e6)


@pytest.mark.parametrize(
    ("can", "price", "usd"),
    [
        (Capabilities(max_output_tokens=1000), Price(2, 10), (500 * 2 + 1000 * 10) / 1e6),
        (Capabilities(context_window=10_500), Price(2, 10), (500 * 2 + 10_000 * 10) / 1e6),
        (Capabilities(context_window=100), Price(2, 10), 500 * 2 / 1e6),
        (Capabilities(), Price(2, 10), float("inf")),
        (Capabilities(), Price(0, 0), 0.0),
    ],
)
def test_the_longest_call_is_bounded_by_window_or_answer(can: Capabilities, price: Price, usd: float) -> None:
    assert longest_call_usd(Model("m", "p", "m", price, can)) == pytest.approx(usd)


@pytest.mark.parametrize(
    ("old", "new", "check", "words"),
    [
        ('base_url = "https://far.example/v1"\napi_key_env = "FAR"', "", "keyless", "no key is sent to api.openai.com"),
        ("https://far", "http://far", "unencrypted", "its key goes to far.example unencrypted"),
        ('"FAR"', '"FAR"\ntransport = { tls_verify = false }', "unverified", "its certificate is not checked"),
        ("[[models]]", '[[providers]]\nname = "b"\nkind = "gemini"\n[[models]]', "unused", "no model is served by it"),
        ("max_output_tokens = 1000", "", "unbounded", "nothing bounds its answers"),
        (
            "0.001",
            "0.0003",
            "unreachable",
            "cannot be held: a typical request (500 tokens in, 300 out) of the cheapest",
        ),
        ("0.001", "0.004", "idle", "never binds: a typical request (500 tokens in, 300 out) of the dearest model, 'l"),
        (
            "usd = 10",
            "usd = 0.05",
            "small",
            "of 'large' up to $0.10 where the caller does not limit the answer (1 of 2",
        ),
        ('per = "day"', 'per = "day"\nscope = "task:pets"', "scope", "no class is called 'pets'"),
        (
            'per = "day"',
            'per = "day"\nscope = "tenant:a"\n[gateway]\n[[gateway.keys]]\nname = "k"\nkey_env = "K"\ntenant = "b"',
            "scope",
            "no [[gateway.keys]] has tenant 'a'",
        ),
        (CLEAN[CLEAN.index("[[budgets]]") :], "", "unlimited", "nothing bounds what is spent"),
        (
            'per = "day"',
            'per = "day"\n[gateway]\n[[gateway.keys]]\nname = "k"\nkey_env = "NOT_SET"',
            "key",
            "variable NOT_SET is not set",
        ),
        (
            'per = "day"',
            'per = "day"\n[[gateway.keys]]\nname = "a"\nkey_env = "A"\ntenant = "acme"\n'
            '[[gateway.keys]]\nname = "b"\nkey_env = "B"',
            "unbound",
            "it may ask for any tenant, that of 'a' too",
        ),
        ('per = "day"', 'per = "day"\n[gateway]\nauth = "none"', "open", "whoever reaches its port"),
    ],
)
def test_findings(old: str, new: str, check: str, words: str, tmp_path: Path) -> None:
    assert old in CLEAN
    findings = [each for each in found(tmp_path, CLEAN.replace(old, new, 1)) if each.check == check]
    assert len(findings) == 1
    assert words in findings[0].problem
    assert findings[0].remedy


def test_a_missing_key(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, CLEAN, {})
    assert (finding.check, finding.place) == ("key", "provider 'far'")
    assert finding.problem == "environment variable FAR is not set"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8000", "[::1]:8000", "a.localhost"])
def test_a_key_may_go_to_loopback_unencrypted(host: str, tmp_path: Path) -> None:
    assert found(tmp_path, CLEAN.replace("https://far.example", f"http://{host}")) == []


@pytest.mark.parametrize("scope", ["task:qa", "task:general", "task:embeddings", "tenant:anybody"])
def test_scopes_that_may_cover_something(scope: str, tmp_path: Path) -> None:
    text = CLEAN.replace('per = "day"', f'per = "day"\nscope = "{scope}"\n[routing]\ntasks = ["qa"]')
    assert found(tmp_path, text) == []


def test_with_one_model_no_pace_is_idle(tmp_path: Path) -> None:
    start, end = CLEAN.index('[[models]]\nname = "large"'), CLEAN.index("[[budgets]]")
    assert found(tmp_path, CLEAN[:start] + CLEAN[end:]) == []


def test_free_models_need_no_budget(tmp_path: Path) -> None:
    text = CLEAN[: CLEAN.index("[[budgets]]")]
    for price in ("0.2", "1.0", "2\n", "10\n"):
        text = text.replace(f"mtok = {price}", f"mtok = 0{price[-1] if price[-1] == chr(10) else ''}")
    assert found(tmp_path, text) == []

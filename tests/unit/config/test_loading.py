"""What a router.toml becomes, and what is said of one that cannot be used."""

from pathlib import Path

import pytest

from banditroute.cli.catalog_toml import catalog_toml
from banditroute.config import ProviderConfig, RouterConfig, RoutingConfig, StoreConfig, check_config, load_config
from banditroute.config.values import GatewayConfig, GatewayKey
from banditroute.delivery.settings import Breaking, Hedging, Retrying, Timeouts, Transport
from banditroute.errors import ConfigError
from banditroute.learning.policy import THOMPSON
from banditroute.providers.registry import KINDS, ProviderOptions
from banditroute.routing.budgets import Cap, PacedBudget, Scope
from banditroute.routing.catalog import Capabilities, Catalog, Model, Price, Tier

LEAST = """\
[[providers]]
name = "local"
kind = "openai"

[[models]]
name = "small"
provider = "local"
input_usd_per_mtok = 0.15
output_usd_per_mtok = 0.60
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "router.toml"


def loaded(file: Path, more: str = "", *, least: str = LEAST) -> RouterConfig:
    file.write_text(least + more)
    return load_config(file)


def problems(file: Path, text: str) -> list[str]:
    """What is wrong, one line each, without the path."""
    file.write_text(text)
    checked = check_config(file)
    assert (checked.config is None) == bool(checked.problems)
    return [str(problem).removeprefix(f"{file}:") for problem in checked.problems]


def test_the_least_that_works_has_every_default(file: Path) -> None:
    assert loaded(file) == RouterConfig(
        path=file,
        providers=(ProviderConfig("local", "openai", "https://api.openai.com/v1"),),
        catalog=Catalog((Model("small", "local", "small", Price(0.15, 0.60)),)),
        store=StoreConfig(path=file.parent / "banditroute.db"),
    )


def test_defaults_are_those_of_the_parts_themselves(file: Path) -> None:
    config = loaded(file)
    assert (config.retrying, config.breaking, config.hedging) == (Retrying(), Breaking(), Hedging())
    assert (config.providers[0].timeouts, config.providers[0].transport) == (Timeouts(), Transport())
    assert config.routing == RoutingConfig()
    assert config.routing.policy.exploration == THOMPSON
    assert config.providers[0].options == ProviderOptions()


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_its_own_service(kind: str, file: Path) -> None:
    (provider,) = loaded(file, least=LEAST.replace("openai", kind)).providers
    assert (provider.kind, provider.base_url) == (kind, KINDS[kind].default_base_url)


def test_a_provider_with_everything(file: Path) -> None:
    more = """
[[providers]]
name = "azure"
kind = "openai"
base_url = "https://eu.openai.azure.com/openai/v1/"
api_key_env = ["AZURE_1", "AZURE_2"]
key_header = "api-key"
token_limit_field = "max_completion_tokens"
ask_usage = false
headers = { x-team = "search" }
timeouts = { total_s = 60 }
[providers.transport]
max_concurrent = 8
tls_ca_file = "ca.pem"

[timeouts]
connect_s = 1.5
total_s = 90.0
[transport]
keep_alive_s = 5
"""
    local, azure = loaded(file, more).providers
    assert azure == ProviderConfig(
        "azure",
        "openai",
        "https://eu.openai.azure.com/openai/v1",
        ("AZURE_1", "AZURE_2"),
        ProviderOptions("api-key", "max_completion_tokens", ask_usage=False, headers=(("x-team", "search"),)),
        Timeouts(connect_s=1.5, total_s=60),
        Transport(max_concurrent=8, keep_alive_s=5, tls_ca_file=str(file.parent / "ca.pem")),
    )
    assert (local.timeouts, local.transport) == (Timeouts(connect_s=1.5, total_s=90), Transport(keep_alive_s=5))


def test_one_key_may_be_named_without_a_list(file: Path) -> None:
    (provider,) = loaded(file, least=LEAST.replace('"openai"', '"openai"\napi_key_env = "KEY"')).providers
    assert provider.api_key_env == ("KEY",)


def test_a_model_with_everything(file: Path) -> None:
    more = """\
upstream = "gpt-4o-mini"
cached_input_usd_per_mtok = 0.075
cache_write_usd_per_mtok = 0.2
reasoning_usd_per_mtok = 0.7
context_window = 128000
max_output_tokens = 4096
tools = false
vision = true
json = false
streaming = false
tags = ["eu", "fast"]
tiers = [{ above_input_tokens = 64000, input_usd_per_mtok = 1, output_usd_per_mtok = 2 }]
"""
    price = Price(0.15, 0.60, 0.075, 0.2, 0.7, (Tier(64000, Price(1, 2)),))
    can = Capabilities(128000, 4096, tools=False, vision=True, json=False, streaming=False)
    expected = Model("small", "local", "gpt-4o-mini", price, can, frozenset({"eu", "fast"}), protocol="openai")
    assert loaded(file, more).catalog.models == (expected,)


def test_what_prices_import_writes_is_read_back(file: Path) -> None:
    models = (
        Model("free", "acme", "free-1", Price(0, 0), Capabilities(8192), protocol="gemini"),
        Model(
            'od"d\x7f',
            "acme",
            "x",
            Price(0.1, 3e-7, 0.05, 0.2, 9.0, (Tier(100, Price(1.0, 2.0, 0.5)), Tier(200, Price(2.0, 3.0)))),
            Capabilities(1000, 100, tools=False, vision=True, json=False, streaming=False),
            protocol="gemini",
        ),
    )
    least = '[[providers]]\nname = "acme"\nkind = "gemini"\n\n' + catalog_toml(models, source="list.json")
    assert loaded(file, least=least).catalog.models == models


def test_budgets(file: Path) -> None:
    more = """
[[budgets]]
usd_per_request = 0.0005
[[budgets]]
usd = 20
per = "day"
[[budgets]]
name = "acme"
usd = 5.5
per = "month"
scope = "tenant:acme"
on_exhausted = "reject"
paced = false
carry = true
"""
    assert loaded(file, more).budgets == (
        PacedBudget("global per request", 0.0005),
        Cap("global per day", 20, "day"),
        Cap("acme", 5.5, "month", Scope("tenant", "acme"), "reject", paced=False, carry=True),
    )


def test_a_cap_keeps_its_name_when_its_amount_changes(file: Path) -> None:
    """What is spent is kept under the name: another name would give the day's dollars out twice."""
    before, after = (loaded(file, f'[[budgets]]\nusd = {usd}\nper = "day"\n').budgets for usd in (20, 30))
    assert before != after
    assert before[0].name == after[0].name


def test_the_other_tables(file: Path) -> None:
    more = """
[store]
kind = "memory"
retention_days = 0
keep_prompts = true
[routing]
tasks = ["qa", "code"]
features = 3
quality_per_s = 0.01
deadline_s = 20
session_ttl_s = 60
session_stay_quality = 0
seed = 7
explore = { dollars = 0.02 }
[retry]
rounds = 0
[breaker]
consecutive = 3
[hedge]
share = 0.05
[gateway]
auth = "none"
[[gateway.keys]]
name = "app"
key_env = "APP"
tenant = "acme"
"""
    config = loaded(file, more)
    assert (config.store.kind, config.store.retention_s, config.store.keep_prompts) == ("memory", None, True)
    routing = config.routing
    assert (routing.tasks, routing.features, routing.quality_per_s, routing.deadline_s) == (("qa", "code"), 3, 0.01, 20)
    assert (routing.session_ttl_s, routing.session_stay_quality, routing.seed) == (60, 0, 7)
    explore = routing.policy.exploration
    assert (explore.dollars, explore.decisions) == (0.02, THOMPSON.decisions)
    assert (config.retrying, config.breaking, config.hedging) == (
        Retrying(rounds=0),
        Breaking(consecutive=3),
        Hedging(share=0.05),
    )
    assert config.gateway is not None
    assert [(key.name, key.key_env, key.tenant) for key in config.gateway.keys] == [("app", "APP", "acme")]


def test_paths_are_taken_from_the_files_folder_unless_absolute(file: Path) -> None:
    assert loaded(file, '[store]\npath = "data/x.db"\n').store.path == file.parent / "data" / "x.db"
    assert loaded(file, '[store]\npath = "/data/x.db"\n').store.path == Path("/data/x.db")


PROVIDER, MODEL = '[[providers]] "local"', '[[models]] "small"'
NOT_A_VARIABLE = "not the name of an environment variable (not shown); write a name like OPENAI_API_KEY"


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("kind", "kin", f"3: {PROVIDER}.kin: unknown key; did you mean 'kind'?"),
        ("openai", "opnai", f"3: {PROVIDER}.kind: expected 'openai', 'anthropic', 'gemini' or 'edenai', got 'opnai'"),
        ('"openai"', "3", f"3: {PROVIDER}.kind: expected 'openai', 'anthropic', 'gemini' or 'edenai', got 3"),
        (
            'kind = "openai"',
            "",
            f"1: {PROVIDER}.kind: missing; give its protocol: openai (and every compatible server)",
        ),
        ('name = "small"', 'name = ""', "6: models[0].name: empty; write something"),
        ('name = "small"', 'name = "auto"', "[[models]] \"auto\".name: 'auto' is what callers write"),
        ('r = "local"', 'r = "lcal"', f"7: {MODEL}.provider: no provider is named 'lcal'; did you mean 'local'?"),
        ("0.15", "-1", f"8: {MODEL}.input_usd_per_mtok: expected at least 0, got -1"),
        ("0.15", "nan", f"8: {MODEL}.input_usd_per_mtok: expected a finite number, got nan"),
        ("0.15", '"0.15"', f"8: {MODEL}.input_usd_per_mtok: expected a number, got '0.15'"),
        ("0.15", "true", f"8: {MODEL}.input_usd_per_mtok: expected a number, got true"),
        ("output_usd_per_mtok = 0.60", "", f"5: {MODEL}.output_usd_per_mtok: price unknown; state it, 0 declares the"),
        ("[[models]]", "[models]", "5: models: expected a list, got a table"),
        ("0.60", "0.60\ncontext_window = 1.5", f"10: {MODEL}.context_window: expected a whole number, got 1.5"),
        (
            "0.60",
            "0.60\ncontext_window = 10\nmax_output_tokens = 20",
            f"11: {MODEL}.max_output_tokens: 20 is more than the context window of 10; lower it or raise context_wi",
        ),
        (
            "0.60",
            "0.60\ntiers = [{above_input_tokens = 1, input_usd_per_mtok = 1}]",
            f"10: {MODEL}.tiers[0].output_usd_per_mtok: price unknown",
        ),
        ("0.60", "0.60\ndeadline_s = 3", f"10: {MODEL}.deadline_s: unknown key here; it belongs in [routing]"),
        ("0.60", "0.60\n[stroe]", "10: stroe: unknown key; did you mean 'store'?"),
        (
            "0.60",
            '0.60\n[store]\nkind = "redis"',
            "10: store.url: kind = 'redis' needs it; write url, or url_env where the URL holds a password",
        ),
        (
            "0.60",
            '0.60\n[store]\nkind = "redis"\nurl = "redis://h"\nlog = "postgres"',
            "10: store.log_url: log = 'postgres' needs it; write log_url, or log_url_env",
        ),
        (
            "0.60",
            '0.60\n[store]\nkind = "postgres"\nurl = "postgresql://h/d"\nlog = "postgres"',
            "13: store.log: kind = 'postgres' keeps its log itself; write kind",
        ),
        (
            "0.60",
            '0.60\n[store]\nkind = "redis"\nurl = "redis://h"\nlog = "postgres"\nlog_url = "postgresql://u:p@h/d"',
            "14: store.log_url: the URL holds a password (not shown)",
        ),
        (
            "0.60",
            '0.60\n[store]\nkind = "mongo"',
            "11: store.kind: expected memory, sqlite, redis or postgres, got 'mongo'; write",
        ),
        ("0.60", "0.60\n[store]\nfsync = 1", "11: store.fsync: expected true or false, got 1"),
        (
            "0.60",
            '0.60\n[store]\nkind = "memory"\nshared = true',
            "12: store.shared: no other process sees a memory store; use kind",
        ),
        ("0.60", "0.60\n[routing]\ndeadline_s = 0", "11: routing.deadline_s: expected more than 0, got 0"),
        ("0.60", '0.60\n[routing]\ntasks = "qa"', "11: routing.tasks: expected a list, got 'qa'"),
        (
            "0.60",
            '0.60\n[routing]\ntasks = ["a", "a"]',
            "11: routing.tasks: a class stands there twice; name each once",
        ),
        ("0.60", "0.60\n[routing.explore]\ndollars = 2", "11: routing.explore.dollars: expected at most 1, got 2"),
        ("0.60", "0.60\n[hedge]\nshare = 0.5", "11: hedge.share: expected at most 0.05, got 0.5"),
        ("0.60", "0.60\n[retry]\ncap_s = 0.1", "11: retry.cap_s: 0.1 is less than base_s; raise it, or lower base_s"),
        ("0.60", "0.60\n[[budgets]]", "10: budgets[0]: a budget without an amount; give usd_per_request (a pace), or"),
        ("0.60", "0.60\n[[budgets]]\nusd = 1", '10: budgets[0].per: missing; write "day" or "month"'),
        ("0.60", "0.60\n[[budgets]]\nusd = 0\nper = 'day'", "11: budgets[0].usd: expected more than 0, got 0"),
        (
            "0.60",
            "0.60\n[[budgets]]\nusd_per_request = 1\nper = 'day'",
            "12: budgets[0].per: is for caps; take it out, or give usd instead of usd_per_request",
        ),
        (
            "0.60",
            "0.60\n[[budgets]]\nusd_per_request = 1\ncarry = true",
            "12: budgets[0].carry: is for caps; take it out, or give usd instead of usd_per_request",
        ),
        ("0.60", "0.60\n[[budgets]]\nusd = 1\nper = 'day'\npaced = 1", "13: budgets[0].paced: expected true or false"),
        (
            "0.60",
            "0.60\n[[budgets]]\nusd_per_request = 1\nusd = 1\nper = 'day'",
            "11: budgets[0].usd_per_request: a budget is a pace or a cap, not both; make them two budgets",
        ),
        (
            "0.60",
            "0.60\n[[budgets]]\nusd_per_request = 1\nscope = 'tenat:x'",
            "12: budgets[0].scope: 'tenat:x' is not a scope; write global, tenant:NAME or task:NAME",
        ),
        (
            "0.60",
            "0.60\n[[budgets]]\nusd_per_request = 1\n[[budgets]]\nusd_per_request = 2",
            "12: budgets[1].name: another one is called 'global per request' too; give each a name",
        ),
        (
            "[[models]]",
            '[[providers]]\nname = "local"\nkind = "gemini"\n[[models]]',
            f"6: {PROVIDER}.name: another one",
        ),
        (LEAST, LEAST + LEAST.partition("\n\n")[2], f"11: {MODEL}.name: another one is named 'small' too; rename one"),
        (LEAST, "", " providers: missing; declare at least one [[providers]]"),
        ('"openai"', '"gemini"\nkey_header = "api-key"', f"4: {PROVIDER}.key_header: means nothing to kind 'gemini'"),
        ('"openai"', '"openai"\napi_key_env = ["A", "A"]', f"4: {PROVIDER}.api_key_env: a variable stands there twice"),
        ('"openai"', '"openai"\napi_key_env = "no way"', f"4: {PROVIDER}.api_key_env[0]: {NOT_A_VARIABLE}"),
        (
            '"openai"',
            '"openai"\nbase_url = "localhost:80"',
            f"4: {PROVIDER}.base_url: 'localhost:80' is not a URL of ht",
        ),
        ('"openai"', '"openai"\nheaders = { "a b" = "" }', f"4: {PROVIDER}.headers: 'a b' is not the name of a header"),
        ('"openai"', '"openai"\nheaders = { a = "b\\n" }', f"4: {PROVIDER}.headers: the value of a cannot be sent"),
        ('"openai"', '"openai"\n"a\\nb" = 1', f'{PROVIDER}."a\\nb": unknown key; take it out; there are: name, kind,'),
    ],
)
def test_what_is_wrong_is_one_line_that_says_where_and_what_to_do(old: str, new: str, line: str, file: Path) -> None:
    assert old in LEAST
    found = problems(file, LEAST.replace(old, new))
    assert any(line in each for each in found), found
    assert all("\n" not in each for each in found)


def test_everything_that_is_wrong_is_found_at_once_in_the_order_of_the_file(file: Path) -> None:
    found = problems(
        file,
        'bogus = 1\n[[providers]]\nname = "a"\nkind = "x"\n[[models]]\nname = "m"\nprovider = "b"\n'
        '[[models]]\nname = "m"\nprovider = "a"\ninput_usd_per_mtok = -1\noutput_usd_per_mtok = 0\n[store]\npath = 1\n',
    )
    assert [each.split(": ")[1] for each in found] == [
        "bogus",
        '[[providers]] "a".kind',
        '[[models]] "m".input_usd_per_mtok',
        '[[models]] "m".output_usd_per_mtok',
        '[[models]] "m".provider',
        '[[models]] "m".name',
        '[[models]] "m".input_usd_per_mtok',
        "store.path",
    ]


@pytest.mark.parametrize(
    ("line", "secret"),
    [
        ('api_key_env = "sk-proj-abc123"', "abc123"),
        ('api_key_env = ["OK", "Zm9vYmFy3BazQux9Lorem7Ipsum2"]', "Zm9v"),
        ('api_key_env = "hunter 2"', "hunter"),
        ("api_key_env = 12345678", "12345678"),
        ('api_key = "sk-proj-abc123"', "abc123"),
        ('base_url = "https://me:hunter2@host/v1"', "hunter2"),
        ('base_url = "https://host/v1?key=hunter2"', "hunter2"),
        ('headers = { Authorization = "Bearer hunter2" }', "hunter2"),
        ('headers = { x-team = "sk-abcdef0123456789" }', "abcdef"),
        ("headers = { x-team = 12345678 }", "12345678"),
        ('transport = { proxy_url = "http://me:hunter2@proxy:1" }', "hunter2"),
        ('kind = "sk-proj-abc123"', "abc123"),
    ],
)
def test_a_secret_is_refused_and_never_shown(line: str, secret: str, file: Path) -> None:
    kind = "" if line.startswith("kind") else 'kind = "openai"\n'
    found = problems(file, LEAST.replace('kind = "openai"', kind + line))
    assert len(found) == 1
    assert secret not in found[0]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('a = 1\nb = "\n', "2: not TOML: "),
        ("a = 1\na = 2\n", "2: not TOML: cannot overwrite a value; mend the line"),
        ("x = [1,\n", "not TOML: "),
    ],
)
def test_broken_toml_is_told_with_its_line(text: str, line: str, file: Path) -> None:
    (found,) = problems(file, text)
    assert found.startswith(line) or line in found


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"none\.toml: cannot be read: no such file or directory; name a router\.toml"
    ):
        load_config(tmp_path / "none.toml")
    with pytest.raises(ConfigError, match="cannot be read: is a directory"):
        load_config(str(tmp_path))
    (tmp_path / "latin.toml").write_bytes(b"a = '\xe9'")
    with pytest.raises(ConfigError, match=r"latin\.toml: not UTF-8; save it as UTF-8"):
        load_config(tmp_path / "latin.toml")


def test_load_config_raises_the_first_problem(file: Path) -> None:
    file.write_text("bogus = 1\n" + LEAST.replace("0.15", "-1"))
    with pytest.raises(ConfigError) as caught:
        load_config(file)
    assert (caught.value.line, caught.value.field, caught.value.path) == (1, "bogus", str(file))


OTHER = """
[[models]]
name = "large"
provider = "local"
input_usd_per_mtok = 1.5
output_usd_per_mtok = 6.0
"""


def test_a_model_says_what_it_was_called_and_what_it_is_like(file: Path) -> None:
    one = loaded(file, OTHER + 'formerly = "big"\nlike = "small"\n').catalog["large"]
    assert (one.formerly, one.like) == (("big",), "small")
    assert loaded(file, OTHER + 'formerly = ["big", "bigger"]\n').catalog["large"].formerly == ("big", "bigger")


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ('formerly = "small"', "formerly: another model is or was named 'small'; take it out"),
        ('formerly = ["large"]', "formerly: 'large' is its name today; take it out"),
        ("formerly = 3", "formerly: expected"),
        ('like = "smal"', "like: no other model is named 'smal'; did you mean 'small'?"),
        ('like = "large"', "like: no other model is named 'large'; choose from: 'small'"),
    ],
)
def test_names_that_cannot_be_are_found(more: str, problem: str, file: Path) -> None:
    (found,) = problems(file, LEAST + OTHER + more + "\n")
    assert problem in found


def test_a_gateways_keys_name_models_that_there_are(file: Path) -> None:
    rows = '[[gateway.keys]]\nname = "app"\nkey_env = "APP"\nmodels = ["smal"]\n'
    with pytest.raises(ConfigError, match=r"models: no model is named 'smal'; did you mean 'small'"):
        loaded(file, rows)


def test_a_gateway_takes_bodies_at_all(file: Path) -> None:
    with pytest.raises(ConfigError, match=r"gateway\.max_body_mb: expected at least 0\.001, got 1e-07"):
        loaded(file, "[gateway]\nmax_body_mb = 0.0000001\n")


def test_a_gateways_settings_are_as_the_file_says(file: Path) -> None:
    assert loaded(file, "").gateway is None
    assert loaded(file, "[gateway]\n").gateway == GatewayConfig()
    more = '[gateway]\nmax_body_mb = 1.5\naccess_log = "logs/a.jsonl"\n'
    more += '[[gateway.keys]]\nname = "a"\nkey_env = "A"\nadmin = true\nrequests_per_minute = 60.0\n'
    gateway = loaded(file, more).gateway
    assert gateway is not None
    assert (gateway.max_body_bytes, gateway.access_log) == (1_572_864, file.parent / "logs" / "a.jsonl")
    assert gateway.keys == (GatewayKey("a", "A", admin=True, requests_per_minute=60.0),)

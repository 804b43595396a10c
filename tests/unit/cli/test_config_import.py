"""`banditroute config import-litellm`: what becomes of a LiteLLM proxy's configuration."""

import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from banditroute.cli.app import run
from banditroute.cli.litellm_providers import COUNTERPARTS, split_model
from banditroute.config import check_config, load_config
from banditroute.config.delivery_tables import checked_url
from banditroute.providers.registry import KINDS

PRICED = ", input_cost_per_token: 2.5e-06, output_cost_per_token: 1e-05"


class Imported:
    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._folder, self._capsys = folder, capsys

    def run(self, yaml: str, code: int = 0) -> tuple[str, list[str]]:
        """The TOML and the lines on standard error."""
        file = self._folder / "config.yaml"
        file.write_text(yaml)
        assert run(["config", "import-litellm", str(file)]) == code
        printed = self._capsys.readouterr()
        return printed.out, printed.err.splitlines()

    def one(self, params: str, info: str = "{}") -> tuple[dict[str, Any], dict[str, Any], list[str]]:
        """The provider, the model and the notes that a single deployment becomes; the file has to load."""
        entry = f"model_list:\n- {{model_name: m, litellm_params: {{{params}{PRICED}}}, model_info: {info}}}\n"
        toml, notes = self.run(entry)
        out = self._folder / "router.toml"
        out.write_text(toml)
        load_config(out)
        data = tomllib.loads(toml)
        (provider,), (model,) = data["providers"], data["models"]
        return provider, model, notes


@pytest.fixture
def imported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Imported:
    return Imported(tmp_path, capsys)


@pytest.mark.parametrize("name", COUNTERPARTS)
def test_every_counterpart_loads(name: str, imported: Imported) -> None:
    base = ", api_base: 'https://x.example/v1'" if COUNTERPARTS[name].needs_base else ""
    provider, model, _ = imported.one(f"model: {name}/some/model{base}")
    assert (provider["name"], model["provider"], model["upstream"]) == (name, name, "some/model")
    assert provider["kind"] in KINDS
    checked_url(COUNTERPARTS[name].base_url or KINDS[COUNTERPARTS[name].kind].default_base_url, "")


@pytest.mark.parametrize(
    ("params", "base_url", "keys"),
    [
        ("model: gpt-4o", None, "OPENAI_API_KEY"),
        ("model: groq/x", "https://api.groq.com/openai/v1", "GROQ_API_KEY"),
        ("model: claude-sonnet-4-5, api_key: os.environ/MINE", None, "MINE"),
        (
            "model: anthropic/x, api_base: 'https://a.example/v1/messages', api_key: os.environ/A",
            "https://a.example",
            "A",
        ),
        ("model: openai/x, api_base: 'http://10.0.0.1:8000/v1/'", "http://10.0.0.1:8000/v1", None),
        ("model: openai/x, base_url: 'http://h/v1', api_key: none", "http://h/v1", None),
        ("model: ollama/x", "http://localhost:11434/v1", None),
        ("model: ollama_chat/x, api_base: 'http://h:11434'", "http://h:11434/v1", None),
        (
            "model: azure/x, api_base: 'https://eu.openai.azure.com/'",
            "https://eu.openai.azure.com/openai/v1",
            "AZURE_API_KEY",
        ),
        ("model: x, custom_llm_provider: hosted_vllm, api_base: 'http://h/v1'", "http://h/v1", None),
        ("model: openai/x, api_base: os.environ/WHERE, api_key: os.environ/K", "http://there/v1", "K"),
    ],
)
def test_where_it_is_served_and_with_which_key(
    params: str, base_url: str | None, keys: str | None, imported: Imported, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WHERE", "http://there/v1")
    provider, _, _ = imported.one(params)
    assert (provider.get("base_url"), provider.get("api_key_env")) == (base_url, keys)
    assert provider.get("key_header") == ("api-key" if "azure" in params else None)


def test_prices_limits_and_capabilities(imported: Imported) -> None:
    info = (
        "{max_input_tokens: 128000, max_output_tokens: 16384, supports_vision: true, supports_function_calling: false, "
        "cache_read_input_token_cost: 1.25e-06}"
    )
    _, model, _ = imported.one("model: gpt-4o, tags: [eu]", info)
    assert model == {
        "name": "m",
        "provider": "openai",
        "upstream": "gpt-4o",
        "input_usd_per_mtok": 2.5,
        "output_usd_per_mtok": 10.0,  # YAML takes 1e-05 for a text
        "cached_input_usd_per_mtok": 1.25,
        "context_window": 128000,
        "max_output_tokens": 16384,
        "tools": False,
        "vision": True,
        "tags": ["eu"],
    }


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ("{model_name: m, litellm_params: {model: bedrock/x}}", "provider 'bedrock' has no counterpart here"),
        ("{model_name: m, litellm_params: {model: vertex_ai/gemini-pro}}", "provider 'vertex_ai' has no counterpart"),
        ("{model_name: '*', litellm_params: {model: 'openai/*'}}", "a pattern; name each model"),
        ("{model_name: m, litellm_params: {model: openai/e}, model_info: {mode: embedding}}", "its mode is embedding"),
        ("{model_name: m, litellm_params: {model: some-model}}", "its provider cannot be told from 'some-model'"),
        ("{model_name: m, litellm_params: {model: hosted_vllm/x}}", "it has no api_base"),
        (
            "{model_name: m, litellm_params: {model: hosted_vllm/x, api_base: os.environ/NOT_SET_1}}",
            "which is not set here",
        ),
        ("{model_name: m, litellm_params: {model: openai/x, api_base: 'http://u:hunter2@h'}}", "a URL with a user or"),
        ("{model_name: m}", "its provider cannot be told from ''"),
        ("not a mapping", "model 'entry 1' is left out"),
    ],
)
def test_what_cannot_be_taken_over_is_named(entry: str, why: str, imported: Imported) -> None:
    toml, errors = imported.run(f"model_list:\n- {entry}\n", code=2)
    assert toml == ""
    assert why in errors[0]
    assert "hunter2" not in errors[0]
    assert errors[-1].endswith("config.yaml: model_list: no model can be taken over; see the notes")


def test_deployments_of_one_name(imported: Imported) -> None:
    toml, _ = imported.run(
        f"""
model_list:
- {{model_name: gpt, litellm_params: {{model: openai/gpt-4o, api_key: os.environ/A{PRICED}}}}}
- {{model_name: gpt, litellm_params: {{model: openai/gpt-4o, api_key: os.environ/B}}, model_info: {{max_tokens: 9}}}}
- {{model_name: gpt, litellm_params: {{model: azure/gpt-4o, api_base: 'https://eu.example', api_key: os.environ/C}}}}
- {{model_name: gpt-2, litellm_params: {{model: openai/gpt-2, api_key: os.environ/A}}}}
- {{model_name: auto, litellm_params: {{model: openai/x, api_key: os.environ/A}}}}
"""
    )
    data = tomllib.loads(toml)
    assert [(each["name"], each["api_key_env"]) for each in data["providers"]] == [
        ("openai", ["A", "B"]),
        ("azure", "C"),
        ("openai-2", "A"),
    ]
    assert [(each["name"], each["provider"]) for each in data["models"]] == [
        ("gpt", "openai"),
        ("gpt-3", "azure"),  # gpt-2 is taken
        ("gpt-2", "openai-2"),
        ("auto-2", "openai-2"),
    ]
    assert data["models"][0]["max_output_tokens"] == 9


def test_a_key_in_the_file_is_never_copied(imported: Imported) -> None:
    toml, notes = imported.run(
        f"""
model_list:
- {{model_name: a, litellm_params: {{model: openai/a, api_key: os.environ/OPENAI_API_KEY{PRICED}}}}}
- {{model_name: b, litellm_params: {{model: openai/b, api_key: sk-hunter2{PRICED}}}}}
- {{model_name: c, litellm_params: {{model: openai/c, api_key: sk-hunter2{PRICED}}}}}
- {{model_name: d, litellm_params: {{model: openai/d, api_key: sk-hunter3{PRICED}}}}}
- {{model_name: e, litellm_params: {{model: hosted_vllm/e, api_base: 'http://h/v1', api_key: 12345{PRICED}}}}}
general_settings: {{master_key: sk-hunter2}}
environment_variables: {{SOME_KEY: sk-hunter2}}
"""
    )
    assert [each["api_key_env"] for each in tomllib.loads(toml)["providers"]] == [
        "OPENAI_API_KEY",
        "OPENAI_API_KEY_2",
        "OPENAI_API_KEY_3",
        "HOSTED_VLLM_API_KEY",
    ]
    told = [note for note in notes if "was not copied" in note]
    assert [note.rpartition(" ")[2] for note in told] == [
        "OPENAI_API_KEY_2",
        "OPENAI_API_KEY_2",
        "OPENAI_API_KEY_3",
        "HOSTED_VLLM_API_KEY",
    ]
    assert "general_settings is left out: master_key" in " ".join(notes)
    assert all(secret not in toml + "".join(notes) for secret in ("hunter", "12345"))


def test_credentials_by_name(imported: Imported) -> None:
    toml, _ = imported.run(
        f"""
model_list:
- {{model_name: a, litellm_params: {{model: azure/a, litellm_credential_name: eu{PRICED}}}}}
credential_list:
- {{credential_name: eu, credential_values: {{api_base: 'https://eu.example', api_key: os.environ/EU}}}}
"""
    )
    (provider,) = tomllib.loads(toml)["providers"]
    assert (provider["base_url"], provider["api_key_env"]) == ("https://eu.example/openai/v1", "EU")


def test_a_missing_price_is_left_open_and_the_file_loads_once_it_is_there(tmp_path: Path, imported: Imported) -> None:
    toml, notes = imported.run("model_list:\n- {model_name: m, litellm_params: {model: groq/x, rpm: 9, timeout: 3}}\n")
    assert notes == [
        "note: model 'm': left out: rpm, timeout",
        "note: no price is stated for 'm': fill them in, 0 declares a model free",
    ]
    out = tmp_path / "router.toml"
    out.write_text(toml)
    assert [problem.problem for problem in check_config(out).problems] == ["price unknown", "price unknown"]
    out.write_text(
        toml.replace("# input_usd_per_mtok = ?", "input_usd_per_mtok = 0.1")
        .replace("# output", "output")
        .replace("?", "0.2")
    )
    assert load_config(out).catalog["m"].price.output_usd_per_mtok == 0.2


def test_a_budget_becomes_a_cap_and_other_settings_are_named(imported: Imported) -> None:
    toml, notes = imported.run(
        f"model_list:\n- {{model_name: m, litellm_params: {{model: groq/x{PRICED}}}}}\n"
        "litellm_settings: {max_budget: 100, budget_duration: 30d, drop_params: true}\n"
        "router_settings: {fallbacks: []}\ninclude: [other.yaml]\n"
    )
    cap = {"usd": 100.0, "per": "month", "scope": "global", "on_exhausted": "reject"}
    assert tomllib.loads(toml)["budgets"] == [cap]
    assert notes == [
        "note: litellm_settings is left out: drop_params",
        "note: router_settings is left out: fallbacks",
        "note: include is left out",
    ]


@pytest.mark.parametrize(
    ("yaml", "line"),
    [
        ("model_list: [", ":1: not YAML: expected the node content"),
        ("a: 1\nb: c: d\n", ":2: not YAML: mapping values are not allowed here; mend the line"),
        ("model_list: {}", ": model_list: no list of models; name a LiteLLM config.yaml"),
        ("- 1", ": model_list: no list of models; name a LiteLLM config.yaml"),
        ("", ": model_list: no list of models"),
        ("!!python/object:os.system {}", "not YAML: could not determine a constructor"),
    ],
)
def test_a_file_that_is_none(yaml: str, line: str, imported: Imported) -> None:
    _, (error,) = imported.run(yaml, code=2)
    assert line in error


def test_out_is_written_once(tmp_path: Path, imported: Imported, capsys: pytest.CaptureFixture[str]) -> None:
    toml, _ = imported.run(f"model_list:\n- {{model_name: m, litellm_params: {{model: groq/x{PRICED}}}}}\n")
    out = tmp_path / "router.toml"
    arguments = ["config", "import-litellm", str(tmp_path / "config.yaml"), "--out", str(out)]
    assert run(arguments) == 0
    assert capsys.readouterr().out == ""
    assert out.read_text() == toml
    assert run(arguments) == 2
    assert capsys.readouterr().err == f"{out}: --out: is there already; name another file, or remove it\n"


def test_without_yaml_one_line_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    assert run(["config", "import-litellm", str(tmp_path / "config.yaml")]) == 2
    assert capsys.readouterr().err.startswith("reading a LiteLLM configuration needs the 'cli' extra; run: pip install")


@pytest.mark.parametrize(
    ("model", "stated", "expected"),
    [
        ("openai/mistralai/Pixtral-12B", "", ("openai", "mistralai/Pixtral-12B")),
        ("gpt-4o", "", ("openai", "gpt-4o")),
        ("o3-mini", "", ("openai", "o3-mini")),
        ("claude-opus-4-1", "", ("anthropic", "claude-opus-4-1")),
        ("azure/gpt", "azure", ("azure", "gpt")),
        ("meta/llama", "groq", ("groq", "meta/llama")),
        ("mystery", "", ("", "mystery")),
    ],
)
def test_which_provider_a_model_is_of(model: str, stated: str, expected: tuple[str, str]) -> None:
    assert split_model(model, stated) == expected

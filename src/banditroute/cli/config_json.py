"""What `banditroute config check --json` prints."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from banditroute.cli.catalog_toml import model_table
from banditroute.config import ProviderConfig, RouterConfig, StoreConfig
from banditroute.config.findings import Finding, typical_usd
from banditroute.config.review_grading import judging_usd
from banditroute.config.secrets import missing_keys
from banditroute.config.values import GraderConfig, JudgeConfig, ShadowConfig
from banditroute.errors import ConfigError
from banditroute.routing.budgets import Cap, PacedBudget


def print_json(
    file: Path,
    config: RouterConfig | None,
    problems: Sequence[ConfigError],
    findings: Sequence[Finding],
    environ: Mapping[str, str],
) -> None:
    """Prints one JSON document: what is wrong, what is doubtful, and every value with the unit in its name."""
    document = {
        "file": str(file),
        "usable": config is not None,
        "errors": [_problem(each) for each in problems],
        "warnings": [each._asdict() for each in findings],
        "config": None if config is None else _config(config, environ),
    }
    sys.stdout.write(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode() + "\n")


def _server(store: StoreConfig) -> dict[str, Any]:
    if store.kind not in ("redis", "postgres"):
        return {}
    return {"url": store.url or None, "url_env": store.url_env or None, "namespace": store.namespace}


def _problem(error: ConfigError) -> dict[str, Any]:
    return {"line": error.line, "key": error.field, "problem": error.problem, "remedy": error.remedy}


def _config(config: RouterConfig, environ: Mapping[str, str]) -> dict[str, Any]:
    missing = {key.variable for key in missing_keys(config, environ)}
    routing, store = config.routing, config.store
    return {
        "providers": [_provider(each, missing) for each in config.providers],
        "models": [{**model_table(each), "typical_request_usd": typical_usd(each)} for each in config.catalog],
        "budgets": [_budget(each) for each in config.budgets],
        "store": {
            "kind": store.kind,
            "path": str(store.path) if store.kind == "sqlite" else None,
            **_server(store),
            "fsync": store.fsync,
            "retention_s": store.retention_s,
            "keep_prompts": store.keep_prompts,
        },
        "routing": {
            "tasks": routing.tasks,
            "features": routing.features,
            "explore": routing.policy.exploration,
            "quality_per_s": routing.quality_per_s,
            "deadline_s": routing.deadline_s,
            "session_ttl_s": routing.session_ttl_s,
            "session_stay_quality": routing.session_stay_quality,
            "seed": routing.seed,
        },
        "graders": [_grader(each) for each in config.graders],
        "judges": [_judge(each, config) for each in config.judges],
        "retry": config.retrying,
        "breaker": config.breaking,
        "hedge": config.hedging,
        "shadow": None if config.shadow is None else _shadow(config.shadow),
        "gateway": config.gateway,
        "from_environment": config.from_environment,
    }


def _provider(provider: ProviderConfig, missing: set[str]) -> dict[str, Any]:
    return {
        "name": provider.name,
        "kind": provider.kind,
        "base_url": provider.base_url,
        "keys": [{"variable": name, "set": name not in missing} for name in provider.api_key_env],
        "timeouts": provider.timeouts,
        "transport": provider.transport,
    }


def _grader(grader: GraderConfig) -> dict[str, Any]:
    return {
        "name": grader.name,
        "tasks": grader.tasks,
        "when": grader.when,
        "weight": grader.weight,
        "calibrate_to": grader.calibrate_to or None,
    }


def _judge(judge: JudgeConfig, config: RouterConfig) -> dict[str, Any]:
    return {
        "name": judge.name,
        "model": judge.bench.model,
        "baseline_model": judge.bench.baseline,
        "tasks": judge.tasks,
        "share": judge.bench.share,
        "weight": judge.weight,
        "at_once": judge.bench.at_once,
        "budgets": [cap.name for cap in judge.caps],
        "typical_answer_usd": judging_usd(config, judge),
    }


def _shadow(shadow: ShadowConfig) -> dict[str, Any]:
    policy = None if shadow.path is None else str(shadow.path)
    return {"name": shadow.name, "share": shadow.share, "policy": policy}


def _budget(budget: PacedBudget | Cap) -> dict[str, Any]:
    common = {"name": budget.name, "scope": str(budget.scope)}
    if isinstance(budget, PacedBudget):
        return {**common, "usd_per_request": budget.usd_per_request}
    return {**common, "usd": budget.usd, "per": budget.per, "on_exhausted": budget.on_exhausted}

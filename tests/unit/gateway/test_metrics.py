"""The metrics' route, behind the gateway's own front: who may scrape, and what a scrape is answered."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client.parser import text_string_to_metric_families

from banditroute import load_config, open_router
from banditroute.config.values import GatewayConfig, GatewayKey
from banditroute.gateway.access_log import log_of
from banditroute.gateway.app import application, front_of
from banditroute.gateway.auth import doorkeeper_of
from banditroute.gateway.metrics import metrics_route
from banditroute.telemetry import CONTENT_TYPE, Metrics

CONFIG = """
[[providers]]
name = "local"
kind = "openai"
base_url = "http://127.0.0.1:9/v1"
[[models]]
name = "small"
provider = "local"
input_usd_per_mtok = 1
output_usd_per_mtok = 1
[store]
kind = "memory"
"""
KEYS = (GatewayKey("app", "APP"), GatewayKey("ops", "OPS", admin=True))
ENVIRON = {"APP": "key-of-app", "OPS": "key-of-ops"}


@pytest.mark.parametrize(("key", "status"), [("key-of-ops", 200), ("key-of-app", 403), ("nonsense", 401)])
async def test_an_admin_may_scrape_and_nobody_else(tmp_path: Path, key: str, status: int) -> None:
    (path := tmp_path / "router.toml").write_text(CONFIG, encoding="utf-8")
    settings, metrics = GatewayConfig(keys=KEYS), Metrics()
    async with open_router(load_config(path), observer=metrics) as router:
        metrics.watch(router)
        front = front_of(router, settings, doorkeeper_of(settings, ENVIRON), log_of(None))
        async with TestClient(TestServer(application(front, [metrics_route(metrics)]))) as client:
            response = await client.get("/metrics", headers={"Authorization": f"Bearer {key}"})
            body = await response.text()
    assert response.status == status
    if status == 200:
        assert response.headers["Content-Type"] == CONTENT_TYPE
        assert "banditroute_model_callable" in {family.name for family in text_string_to_metric_families(body)}
    else:
        assert "banditroute_" not in body

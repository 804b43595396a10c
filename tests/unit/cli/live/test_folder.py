"""The configuration that the demo writes."""

import tomllib
from pathlib import Path

from banditroute.cli.live.folder import Endpoint, new_folder, write_config
from banditroute.routing.catalog import Price


def test_the_configuration_names_every_server_model_and_price(tmp_path: Path) -> None:
    endpoints = [
        Endpoint("plain", "local", "http://127.0.0.1:9/v1", "smollm2", Price(0.1, 0.2), 64),
        Endpoint("dear", "local", "http://127.0.0.1:9/v1", "smollm2", Price(1.0, 2.0), 64),
    ]
    written = tomllib.loads(write_config(tmp_path, endpoints, 1e-7, features=3).read_text())
    assert written["providers"] == [{"name": "local", "kind": "openai", "base_url": "http://127.0.0.1:9/v1"}]
    assert [model["name"] for model in written["models"]] == ["plain", "dear"]
    assert written["models"][1] == {
        "name": "dear",
        "provider": "local",
        "upstream": "smollm2",
        "input_usd_per_mtok": 1.0,
        "output_usd_per_mtok": 2.0,
        "max_output_tokens": 64,
    }
    assert written["budgets"] == [{"name": "demo", "usd_per_request": 1e-7}]
    assert written["routing"] == {"features": 3}
    assert written["store"]["kind"] == "sqlite"


def test_every_demo_has_a_folder_of_its_own() -> None:
    one, two = new_folder(), new_folder()
    assert one != two
    one.rmdir()
    two.rmdir()

"""The Containerfile, the Compose file and the Kubernetes objects, held against the code that they run."""

import inspect
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from banditroute.cli import serve
from banditroute.config import load_config
from banditroute.config.review import review

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "configs" / "deploy"
PORT = inspect.signature(serve.command).parameters["port"].default
KEYS = {"OPENAI_API_KEY": "any", "BANDITROUTE_KEY_APP": "shown", "BANDITROUTE_STORE_URL": "redis://127.0.0.1:1/0"}
CLOSING_S = 2.0  # to settle and close, after the requests


class Instruction(NamedTuple):
    word: str
    rest: str


def instructions() -> list[Instruction]:
    text = (ROOT / "Containerfile").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ").splitlines()
    return [Instruction(*line.split(maxsplit=1)) for line in joined]


def final_stage() -> dict[str, list[str]]:
    """What the stage that becomes the image says, by its words."""
    stage: dict[str, list[str]] = {}
    for word, rest in instructions():
        if word == "FROM":
            stage = {}
        stage.setdefault(word, []).append(rest)
    return stage


def image_environ() -> dict[str, str]:
    return dict(part.split("=", 1) for rest in final_stage()["ENV"] for part in shlex.split(rest))


def compose() -> dict[str, Any]:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))


def gateways() -> dict[str, Any]:
    return {name: service for name, service in compose()["services"].items() if name.startswith("gateway")}


def objects() -> dict[str, Any]:
    """The Kubernetes objects by their kind."""
    found = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in (DEPLOY / "kubernetes").glob("*.yaml")]
    return {each["kind"]: each for each in found}


def pod() -> dict[str, Any]:
    return objects()["Deployment"]["spec"]["template"]["spec"]


def container() -> dict[str, Any]:
    (only,) = pod()["containers"]
    return only


def seconds(text: str) -> float:
    assert text.endswith("s")
    return float(text[:-1])


def wanted_variables() -> set[str]:
    """The variables whose names stand in the deployed router.toml."""
    config = load_config(DEPLOY / "router.toml", {})
    assert config.gateway is not None
    providers = {name for provider in config.providers for name in provider.api_key_env}
    return providers | {key.key_env for key in config.gateway.keys} | {config.store.url_env}


def overriding(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if name.startswith("BANDITROUTE__")}


def test_the_deployed_file_can_be_used_and_nothing_in_it_is_doubtful() -> None:
    config = load_config(DEPLOY / "router.toml", {})
    assert review(config, KEYS) == ()
    assert config.store.shared


def test_the_image_is_small_runs_as_nobody_and_installs_what_there_is() -> None:
    stage = final_stage()
    assert [rest.split()[0] for word, rest in instructions() if word == "FROM"] == ["python:3.12-slim"] * 2
    assert stage["USER"] == ["10001:10001"]
    assert stage["VOLUME"] == ["/data"]
    assert stage["WORKDIR"] == ["/data"]
    assert stage["EXPOSE"] == [str(PORT)]
    assert {word for word, _ in instructions()}.isdisjoint({"ADD", "SHELL", "MAINTAINER", "ONBUILD"})
    (extras,) = [rest.partition("=")[2] for word, rest in instructions() if word == "ARG"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(extras.split(",")) <= set(project["optional-dependencies"])


def test_what_is_copied_into_the_image_is_there_and_not_ignored() -> None:
    copied = [rest.split() for word, rest in instructions() if word == "COPY" and not rest.startswith("--from")]
    sources = {source for words in copied for source in words[:-1]}
    ignored = (ROOT / ".containerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in ignored
    assert {line[1:] for line in ignored if line.startswith("!")} == sources
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert {project["readme"], *project["license-files"]} <= sources
    assert all((ROOT / source).exists() for source in sources)


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[subprocess.Popen[str], str, Path]]:
    """What the image runs, as the image runs it, with SQLite: the process, its URL, and what stands for /data."""
    data, etc = tmp_path_factory.mktemp("data"), tmp_path_factory.mktemp("etc")
    shutil.copy(DEPLOY / "router.toml", etc)
    stage = final_stage()
    command = json.loads(stage["ENTRYPOINT"][0]) + json.loads(stage["CMD"][0])
    assert command[-2:] == ["--port", str(PORT)]
    command = [str(etc / "router.toml") if word == "/etc/banditroute/router.toml" else word for word in command]
    environ = {name: value.replace("/data", str(data)) for name, value in image_environ().items() if name != "PATH"}
    environ |= KEYS | {"BANDITROUTE__STORE__KIND": "sqlite", "BANDITROUTE__STORE__URL_ENV": "UNUSED"}
    process = subprocess.Popen(
        [sys.executable, "-m", *command[:-1], "0", "--json"],
        env={"PATH": os.environ["PATH"]} | environ,
        cwd=data,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    with process.stdout as told:
        yield process, json.loads(told.readline())["url"].replace("0.0.0.0", "127.0.0.1"), data
        process.kill()
        process.wait()
    assert [file.name for file in etc.iterdir()] == ["router.toml"], "a read-only folder was written to"


def asked(url: str) -> int:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.status


def test_probes_ask_what_is_there_and_the_store_is_on_the_volume(started) -> None:
    _, url, data = started
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        place = container()[probe]["httpGet"]
        assert asked(url + place["path"]) == 200, probe
        assert place["port"] == container()["ports"][0]["name"]
    assert container()["livenessProbe"]["httpGet"]["path"] == "/health/live"
    assert container()["readinessProbe"]["httpGet"]["path"] == "/health/ready"
    assert (data / "banditroute.db").exists()


def test_the_health_check_tells_a_gateway_from_none(started) -> None:
    process, url, _ = started
    (check,) = final_stage()["HEALTHCHECK"]
    program, flag, code = json.loads(check[check.index("[") :])
    assert (program, flag) == ("python", "-c")
    assert f":{PORT}/" in code
    there = code.replace(f"127.0.0.1:{PORT}", url.removeprefix("http://"))
    assert subprocess.run([sys.executable, "-c", there], check=False).returncode == 0
    process.terminate()
    assert process.wait(20) == 0
    assert subprocess.run([sys.executable, "-c", there], check=False, stderr=subprocess.DEVNULL).returncode != 0


def test_compose_gives_each_gateway_what_the_file_asks_for() -> None:
    kinds = {}
    for name, service in gateways().items():
        given = service["environment"]
        assert wanted_variables() <= set(given), name
        config = load_config(DEPLOY / "router.toml", image_environ() | overriding(given))
        ((store, waiting),) = service["depends_on"].items()
        assert waiting == {"condition": "service_healthy"}
        kinds[config.store.kind] = store
        assert given["BANDITROUTE_STORE_URL"].startswith(store)
        assert f"@{store}:" in given["BANDITROUTE_STORE_URL"]
        assert service["ports"] == [f"127.0.0.1:{PORT}:{PORT}"]
        assert service["read_only"] is True
        assert (ROOT / "configs" / "deploy" / service["build"]["context"] / service["build"]["dockerfile"]).exists()
        assert (DEPLOY / service["volumes"][0].split(":")[0]).exists()
        assert service["volumes"][0].split(":")[1] == "/etc/banditroute/router.toml"
        assert config.gateway is not None
        assert seconds(service["stop_grace_period"]) >= config.gateway.drain_s + CLOSING_S
    assert kinds == {"redis": "redis", "postgres": "postgres"}


def test_compose_waits_for_stores_that_keep_what_they_are_told() -> None:
    services = compose()["services"]
    for name in ("redis", "postgres"):
        assert services[name]["healthcheck"]["test"][0] == "CMD-SHELL"
        assert services[name]["volumes"][0].split(":")[0] in compose()["volumes"]
    words = services["redis"]["command"]
    assert words[words.index("--appendonly") + 1] == "yes"
    assert words[words.index("--maxmemory-policy") + 1] == "noeviction"


def test_no_secret_has_a_value_or_a_default() -> None:
    for file in (*DEPLOY.glob("*.yaml"), *(DEPLOY / "kubernetes").glob("*.yaml")):
        text = "\n".join(line.partition("#")[0] for line in file.read_text(encoding="utf-8").splitlines())
        assert not re.search(r"\$\{\w+(:-|-)", text), file
        assert "kind: Secret" not in text
    given = {each["name"]: each for each in container()["env"]}
    assert wanted_variables() <= {name for name, each in given.items() if "secretKeyRef" in each.get("valueFrom", {})}


def test_the_config_map_is_the_deployed_file_and_fits_the_pods_variables() -> None:
    text = objects()["ConfigMap"]["data"]["router.toml"]
    assert text == (DEPLOY / "router.toml").read_text(encoding="utf-8")
    plain = {each["name"]: each["value"] for each in container()["env"] if "value" in each}
    config = load_config(DEPLOY / "router.toml", image_environ() | overriding(plain))
    assert len(config.from_environment) == len(overriding(plain)) + 1
    assert config.store.shared or objects()["Deployment"]["spec"]["replicas"] == 1


def test_kubernetes_objects_fit_each_other() -> None:
    found = objects()
    labels = found["Deployment"]["spec"]["template"]["metadata"]["labels"]
    for selector in (
        found["Deployment"]["spec"]["selector"]["matchLabels"],
        found["Service"]["spec"]["selector"],
        found["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
    ):
        assert selector.items() <= labels.items()
    (port,) = container()["ports"]
    assert port["containerPort"] == PORT
    assert found["Service"]["spec"]["ports"][0]["targetPort"] == port["name"]
    assert found["PodDisruptionBudget"]["spec"]["minAvailable"] < found["Deployment"]["spec"]["replicas"]
    files = {file.name for file in (DEPLOY / "kubernetes").glob("*.yaml")} - {"kustomization.yaml"}
    assert set(found["Kustomization"]["resources"]) == files
    assert found["ConfigMap"]["metadata"]["name"] in [
        each.get("configMap", {}).get("name") for each in pod()["volumes"]
    ]


def test_the_pod_runs_as_the_image_does_and_may_end_in_peace() -> None:
    user = final_stage()["USER"][0].split(":")[0]
    assert str(pod()["securityContext"]["runAsUser"]) == user
    assert str(pod()["securityContext"]["fsGroup"]) == user
    assert container()["securityContext"]["readOnlyRootFilesystem"] is True
    mounts = {each["mountPath"]: each for each in container()["volumeMounts"]}
    assert set(mounts) == {"/etc/banditroute", "/data", "/tmp"}
    assert {each["name"] for each in mounts.values()} == {each["name"] for each in pod()["volumes"]}
    settings = load_config(DEPLOY / "router.toml", {}).gateway
    assert settings is not None
    program, pause = container()["lifecycle"]["preStop"]["exec"]["command"]
    assert program == "sleep"
    assert pod()["terminationGracePeriodSeconds"] >= float(pause) + settings.drain_s + CLOSING_S


def builder() -> str | None:
    """A program that can build images here, if there is one that works."""
    for program in ("podman", "docker"):
        if (
            shutil.which(program)
            and subprocess.run([program, "info"], capture_output=True, check=False).returncode == 0
        ):
            return program
    return None


def test_the_image_builds_and_checks_a_file() -> None:
    program = builder()
    if program is None:
        pytest.skip("neither podman nor docker works here: the image is not built")
    subprocess.run([program, "build", "-f", "Containerfile", "-t", "banditroute-test", "."], cwd=ROOT, check=True)
    mount = f"{DEPLOY / 'router.toml'}:/etc/banditroute/router.toml:ro"
    words = ["--rm", "--read-only", "-v", mount, "banditroute-test", "config", "check", "/etc/banditroute/router.toml"]
    assert "can be used" in subprocess.run([program, "run", *words], capture_output=True, text=True, check=True).stdout

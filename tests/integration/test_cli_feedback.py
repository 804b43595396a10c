"""`banditroute feedback import`: files of judgements into a store beside a router, and to a gateway."""

import asyncio
import gzip
import json

import pytest

from banditroute.cli.app import run
from banditroute.records import Usage

SQLITE = {"kind": "sqlite", "path": "store.db"}


async def imported(capsys, *arguments):
    """Exit code, standard output and standard error of the command, run beside what runs here."""
    code = await asyncio.to_thread(run, ["feedback", "import", *map(str, arguments)])
    out, err = capsys.readouterr()
    return code, out, err


async def judged(router, decision_id):
    return [(each.source, each.quality, each.weight) for each in (await router.explain(decision_id)).feedback]


@pytest.fixture
async def asked(lab):
    """A router at work on a store, and what it answered: by decision, by request, and a session of two."""
    router = await lab.router(
        {"small": await lab.server()}, store=SQLITE, trust={"sources": {"crm": 0.5}}, gateway={"auth": "none"}
    )
    answers = [await router.chat("hello"), await router.chat("hello", request_id="r, 1")]
    answers += [await router.chat("hello", session_id="s") for _ in range(2)]
    return router, [answer.decision_id for answer in answers]


async def test_a_csv_file_is_taken_in_once(lab, asked, capsys):
    router, (first, second, *session) = asked
    file = lab.folder / "judged.csv"
    file.write_text(
        "\ufeffdecision_id,request_id,session_id,quality,source,at,weight,every,comment\n"
        f'{first},,,0.25,,2026-11-25T12:00:00,,,"two\nlines"\n'
        ',"r, 1",,1,crm,1795608000,0.5,,\n'
        ",,s,0.5,,,,yes,\n"
        "never,,,0.5,,,,,\n"
        f"{first},,,high,,,,,\n"
        f"{first},,,1.5,,,,,\n"
        f"{first},x,,0.5,,,,,\n"
        f"{first},,,0.5,,,,,,,\n"
    )
    code, out, err = await imported(capsys, file, "--config", lab.folder / "router.toml")
    assert (code, out) == (1, "3 taken in, 1 of what is not on record, 4 wrong\n")
    lines = [line.removeprefix(f"{file}:").partition(":")[0] for line in err.splitlines()[:5]]
    assert lines == ["6", "7", "8", "9", "10"]
    assert await judged(router, first) == [("import", 0.25, 1.0)]
    assert await judged(router, second) == [("crm", 1.0, 0.25)]
    assert [await judged(router, each) for each in session] == [[("import", 0.5, 0.5)]] * 2
    assert [each.at for each in (await router.explain(second)).feedback] == [1795608000.0]
    assert (await router.explain(first)).feedback[0].at == 1795608000.0
    again = (await imported(capsys, file, "--config", lab.folder / "router.toml"))[1]
    assert again == "0 taken in, 3 known already, 1 of what is not on record, 4 wrong\n"


async def test_json_lines_hold_signals_too(lab, asked, capsys):
    router, (first, second, *_) = asked
    rows = [
        {"decision_id": first, "signal": {"kind": "thumb", "up": True}, "source": "app"},
        {"request_id": "r, 1", "signal": "regenerated"},
        {"session_id": "s", "quality": None, "signal": {"kind": "stars", "given": 9}},
        {"session_id": 5},
        [],
    ]
    text = "\n".join(json.dumps(row) for row in rows) + "\n\n{broken\n"
    file = lab.folder / "judged.jsonl.gz"
    file.write_bytes(gzip.compress(text.encode()))
    code, out, _ = await imported(capsys, file, "--config", lab.folder / "router.toml", "--json", "--source", "log")
    told = json.loads(out)
    assert (code, told["took"], told["wrong"]) == (1, 2, 4)
    assert [each["line"] for each in told["refused"]] == [3, 4, 5, 7]
    assert await judged(router, first) == [("app", 1.0, 1.0)]
    assert await judged(router, second) == [("log", 0.2, 1.0)]


async def test_a_dry_run_looks_up_and_writes_nothing(lab, asked, capsys):
    router, (first, *_) = asked
    await router.feedback(first, quality=1.0, source="import")
    open_decision = router.decide("hello", request_id="open")
    file = lab.folder / "judged.csv"
    file.write_text(f'request_id,decision_id,quality\n,{first},0.5\n"r, 1",,1\nopen,,1\n')
    code, out, _ = await imported(capsys, file, "--config", lab.folder / "router.toml", "--dry-run")
    assert code == 1
    assert out == "1 taken in, 1 known already, 1 of what has no whole answer; nothing was written\n"
    with pytest.raises(LookupError):
        await router.feedback(request_id="never", quality=1.0)
    assert (await router.explain(first)).feedback[0].quality == 1.0
    router.record(open_decision, usage=Usage(1, 1), latency_s=0.1)
    assert await router.feedback(request_id="r, 1", quality=0.0, source="import")


async def test_a_restarted_router_has_learned_of_it(lab, asked, capsys):
    router, (first, *_) = asked
    file = lab.folder / "judged.csv"
    file.write_text(f"decision_id,quality\n{first},0.125\n")
    await router.aclose()
    assert (await imported(capsys, file, "--config", lab.folder / "router.toml"))[0] == 0
    again = await lab.router({"small": lab.servers[0]}, store=SQLITE)
    state = await again.learner.store.state()
    [quality] = [each for edge, each in state.evidence.items() if edge.signal == "quality"]
    assert (float(quality[2]), float(quality[3])) == (1.0, 0.125**2)


async def test_a_gateway_is_told(lab, capsys, monkeypatch):
    rows = [{"name": "app", "key_env": "APP_KEY"}]
    monkeypatch.setenv("APP_KEY", "key-of-app-0123")
    gateway = await lab.gateway(
        {"small": await lab.server()},
        environ={"LAB_KEY": "sk-main", "APP_KEY": "key-of-app-0123"},
        gateway={"auth": "keys", "keys": rows},
    )
    answer = await gateway.router.chat("hello", request_id="r")
    file = lab.folder / "judged.csv"
    file.write_text(
        f"decision_id,request_id,quality,weight\n{answer.decision_id},,0.5,0.5\n,r,0.5,1\nnever,,0.5,\n,never,0.5,\n"
    )
    code, out, _ = await imported(capsys, file, "--url", gateway.url, "--key-env", "APP_KEY")
    assert (code, out) == (1, "1 taken in, 1 known already, 2 of what is not on record\n")
    assert await judged(gateway.router, answer.decision_id) == [("import", 0.5, 0.5)]
    code, _, err = await imported(capsys, file, "--url", gateway.url)
    assert code == 2
    assert "--key-env" in err


@pytest.mark.parametrize(
    ("name", "text", "options", "problem"),
    [
        ("x.txt", "", ["--config", "router.toml"], "neither .csv nor .jsonl"),
        ("x.csv", "id,quality\n", ["--config", "router.toml"], "header"),
        ("x.csv", "decision_id,quality\n", [], "--config or --url"),
        ("x.csv", "decision_id,quality\n", ["--url", "http://127.0.0.1:9", "--dry-run"], "--dry-run"),
        ("x.csv", "decision_id,quality\nd,1\n", ["--url", "http://127.0.0.1:9"], "no answer"),
        (None, "", ["--config", "router.toml"], "no such file"),
    ],
)
async def test_what_cannot_be_imported_is_refused_in_a_line(
    lab, asked, capsys, monkeypatch, name, text, options, problem
):
    monkeypatch.chdir(lab.folder)
    if name:
        (lab.folder / name).write_text(text)
    code, out, err = await imported(capsys, name or "absent.csv", *options)
    assert (code, out) == (2, "")
    assert problem in err
    assert len(err.splitlines()) == 1

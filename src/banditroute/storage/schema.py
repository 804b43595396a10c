"""The tables, as numbered steps from an empty file; a step that was published is never changed."""

from __future__ import annotations

import sqlite3

from banditroute.errors import StoreError

from .connecting import transaction

_TOTALS = """
CREATE TABLE {prefix}evidence (
    edge INTEGER PRIMARY KEY,
    task TEXT NOT NULL,
    model TEXT NOT NULL,
    signal TEXT NOT NULL,
    encoder_version TEXT NOT NULL,
    sums BLOB NOT NULL,
    UNIQUE (task, model, signal, encoder_version)
);
CREATE TABLE {prefix}spent (
    budget TEXT NOT NULL,
    period TEXT NOT NULL,
    usd REAL NOT NULL,
    PRIMARY KEY (budget, period)
) WITHOUT ROWID;
CREATE TABLE {prefix}pace (
    budget TEXT PRIMARY KEY,
    number INTEGER NOT NULL,
    pace TEXT NOT NULL
) WITHOUT ROWID;
"""

_FIRST = f"""
CREATE TABLE decision (
    seq INTEGER PRIMARY KEY,
    decision_id TEXT NOT NULL UNIQUE,
    at REAL NOT NULL,
    dispatch TEXT NOT NULL,
    prompt BLOB
);
CREATE TABLE outcome (
    number INTEGER PRIMARY KEY,
    decision INTEGER NOT NULL UNIQUE REFERENCES decision (seq),
    settlement TEXT NOT NULL
);
CREATE TABLE feedback (
    seq INTEGER PRIMARY KEY,
    decision INTEGER NOT NULL REFERENCES decision (seq),
    source TEXT NOT NULL,
    feedback TEXT NOT NULL,
    UNIQUE (decision, source)
);
CREATE TABLE unsettled (
    decision INTEGER PRIMARY KEY REFERENCES decision (seq)
);
CREATE TABLE folded (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    outcome INTEGER NOT NULL,
    feedback INTEGER NOT NULL,
    decision INTEGER NOT NULL
);
INSERT INTO folded VALUES (1, 0, 0, 0);
{_TOTALS.format(prefix="")}
{_TOTALS.format(prefix="retired_")}
"""

_SWITCHES = """
CREATE TABLE switches (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    at REAL NOT NULL,
    configured TEXT NOT NULL
) WITHOUT ROWID
"""

_ALARMS = """
CREATE TABLE alarm (
    seq INTEGER PRIMARY KEY,
    alarm TEXT NOT NULL
)
"""

_KEYS = """
CREATE TABLE gateway_key (
    key_id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    digest BLOB NOT NULL,
    tenant TEXT NOT NULL,
    models TEXT NOT NULL,
    tasks TEXT NOT NULL,
    requests_per_minute REAL,
    admin INTEGER NOT NULL,
    created_at REAL NOT NULL,
    revoked_at REAL
) WITHOUT ROWID
"""

_PAID = """
CREATE TABLE {prefix}paid (
    budget TEXT PRIMARY KEY,
    requests INTEGER NOT NULL,
    usd REAL NOT NULL
) WITHOUT ROWID
"""

_SHARING = f"""
{_PAID.format(prefix="")};
{_PAID.format(prefix="retired_")};
INSERT INTO paid
    SELECT json_extract(pace.value, '$.budget'), count(*),
        coalesce(sum(json_extract(settlement, '$.outcome.cost_usd')), 0.0)
    FROM outcome, json_each(settlement, '$.paces') AS pace
    WHERE number <= (SELECT outcome FROM folded) GROUP BY 1;
ALTER TABLE folded ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE evidence ADD COLUMN version INTEGER NOT NULL DEFAULT 0;
CREATE INDEX evidence_version ON evidence (version);
CREATE TABLE holder (
    joined INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    alive_until REAL NOT NULL
);
CREATE TABLE lease (
    budget TEXT NOT NULL,
    period TEXT NOT NULL,
    holder TEXT NOT NULL,
    usd REAL NOT NULL,
    until REAL NOT NULL,
    PRIMARY KEY (budget, period, holder)
) WITHOUT ROWID;
CREATE TABLE circuit (
    model TEXT NOT NULL,
    holder TEXT NOT NULL,
    until REAL NOT NULL,
    why TEXT NOT NULL,
    PRIMARY KEY (model, holder)
) WITHOUT ROWID
"""

_INCIDENTS = """
CREATE TABLE incident (
    at REAL NOT NULL,
    incident TEXT NOT NULL,
    PRIMARY KEY (at, incident)
) WITHOUT ROWID
"""

_NAMED = """
ALTER TABLE decision ADD COLUMN request_id TEXT;
ALTER TABLE decision ADD COLUMN session_id TEXT;
CREATE INDEX decision_request ON decision (request_id) WHERE request_id IS NOT NULL;
CREATE INDEX decision_session ON decision (session_id) WHERE session_id IS NOT NULL
"""

_PROMPTS = "CREATE INDEX decision_prompt ON decision (at) WHERE prompt IS NOT NULL"

MIGRATIONS: tuple[str, ...] = (_FIRST, _SWITCHES, _ALARMS, _KEYS, _SHARING, _INCIDENTS, _NAMED, _PROMPTS)
"""Step i brings a file of version i to version i + 1; no statement of a step has a semicolon inside."""


def migrate(connection: sqlite3.Connection, path: str, steps: tuple[str, ...] = MIGRATIONS) -> None:
    """Brings a file up to date, all or nothing.

    Raises:
        StoreError: a newer version of the library wrote it.
        sqlite3.Error: it cannot be read or written.
    """
    if version_of(connection, path, steps) == len(steps):
        return
    with transaction(connection):
        for step in steps[version_of(connection, path, steps) :]:  # anew: another process may have been first
            for statement in step.split(";"):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(steps)}")


def check_version(connection: sqlite3.Connection, path: str, steps: tuple[str, ...] = MIGRATIONS) -> None:
    """Nothing, where the tables are the ones that this library reads.

    Raises:
        StoreError: no router wrote the file, or one of another version.
        sqlite3.Error: it cannot be read.
    """
    version = version_of(connection, path, steps)
    if version == 0:
        raise StoreError(f"{path}: no decisions are in it; run the router first, or check the path")
    if version < len(steps):
        raise StoreError(
            f"{path}: its tables are of version {version}, this banditroute reads {len(steps)}; "
            "run the router once, which brings them up to date"
        )


def version_of(connection: sqlite3.Connection, path: str, steps: tuple[str, ...] = MIGRATIONS) -> int:
    """The version of a file's tables; 0 = it has none.

    Raises:
        StoreError: a newer version of the library wrote it.
        sqlite3.Error: it cannot be read.
    """
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > len(steps):
        raise StoreError(
            f"{path}: its tables are of version {version}, this banditroute knows {len(steps)}; upgrade banditroute"
        )
    return version

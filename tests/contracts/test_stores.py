from __future__ import annotations

from pathlib import Path

import pytest

from banditroute.storage.memory import MemoryStore
from banditroute.storage.sqlite import SQLiteStore
from banditroute.testing.store_contract import MakeStore, StoreContract


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def make_store(self) -> MakeStore:
        store = MemoryStore()
        return lambda: store


class TestSQLiteStore(StoreContract):
    shared = True

    @pytest.fixture
    def make_store(self, tmp_path: Path) -> MakeStore:
        return lambda: SQLiteStore(tmp_path / "store.db")


class TestSQLiteStoreWithFsync(StoreContract):
    shared = True

    @pytest.fixture
    def make_store(self, tmp_path: Path) -> MakeStore:
        return lambda: SQLiteStore(tmp_path / "store.db", fsync=True)

from __future__ import annotations

from pathlib import Path

import pytest

from banditroute.storage.memory import MemoryStore
from banditroute.storage.sqlite import SQLiteStore
from banditroute.testing.store_contract import MakeStore, PromptsContract, SharingContract


class TestMemoryStore(SharingContract):
    @pytest.fixture
    def make_store(self) -> MakeStore:
        store = MemoryStore()
        return lambda: store


class TestSQLiteStore(SharingContract):
    shared = True

    @pytest.fixture
    def make_store(self, tmp_path: Path) -> MakeStore:
        return lambda: SQLiteStore(tmp_path / "store.db")


class TestSQLiteStoreWithFsync(SharingContract):
    shared = True

    @pytest.fixture
    def make_store(self, tmp_path: Path) -> MakeStore:
        return lambda: SQLiteStore(tmp_path / "store.db", fsync=True)


class TestMemoryStoreWithPrompts(PromptsContract):
    @pytest.fixture
    def make_store(self) -> MakeStore:
        store = MemoryStore(keep_prompts=True)
        return lambda: store


class TestSQLiteStoreWithPrompts(PromptsContract):
    @pytest.fixture
    def make_store(self, tmp_path: Path) -> MakeStore:
        return lambda: SQLiteStore(tmp_path / "store.db", keep_prompts=True)

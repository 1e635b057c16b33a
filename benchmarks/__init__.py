"""Measurements of what we claim. Each module has a `main()` and prints its figures."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.db import connection


class MissingRequirementError(Exception):
    """This benchmark cannot run here; the sentence says what it misses."""


def data_path(name: str) -> Path:
    """A file or folder of the measured papers, which are too many to live in this repository."""
    path = Path(os.environ.get("BENCHMARK_DATA", "../shared/data")) / name
    if not path.exists():
        raise MissingRequirementError(
            f"{path} is not here: set BENCHMARK_DATA to the folder that has {name}"
        )
    return path


@contextmanager
def empty_database() -> Iterator[None]:
    """A new database of the configured kind: never the one with somebody's papers."""
    before = str(connection.settings_dict["NAME"])
    with tempfile.TemporaryDirectory() as folder:
        if connection.vendor == "sqlite":
            # A file, like a real one: Django's tests would keep it in memory.
            connection.settings_dict["TEST"]["NAME"] = str(Path(folder) / "db.sqlite3")
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
        try:
            yield
        finally:
            connection.creation.destroy_test_db(before, verbosity=0)


class QueryCounter:
    """How many statements were sent to the database; by `with counted()`."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, execute: Callable[..., Any], *arguments: Any) -> Any:
        self.count += 1
        return execute(*arguments)

    @contextmanager
    def counting(self) -> Iterator[None]:
        with connection.execute_wrapper(self):
            yield

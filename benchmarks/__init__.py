"""Measure the claims of the documentation: each module has a `main()` that prints its figures."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.db import connection


class MissingRequirementError(Exception):
    """The benchmark cannot run here; the message says what is missing."""


def data_path(name: str) -> Path:
    """Return the path of recorded papers, which are too large for this repository.

    Raise MissingRequirementError if it does not exist.
    """
    path = Path(os.environ.get("BENCHMARK_DATA", "../shared/data")) / name
    if not path.exists():
        raise MissingRequirementError(
            f"{path} does not exist: set BENCHMARK_DATA to the folder that contains {name}"
        )
    return path


@contextmanager
def empty_database() -> Iterator[None]:
    """Run the block in a new database of the configured engine, never in the real one."""
    original_name = str(connection.settings_dict["NAME"])
    with tempfile.TemporaryDirectory() as folder:
        if connection.vendor == "sqlite":
            # A file, as in production; a test database would be kept in memory.
            connection.settings_dict["TEST"]["NAME"] = str(Path(folder) / "db.sqlite3")
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
        try:
            yield
        finally:
            connection.creation.destroy_test_db(original_name, verbosity=0)


class QueryCounter:
    """Count the statements that are sent to the database within `with counter.counting()`."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, execute: Callable[..., Any], *arguments: Any) -> Any:
        self.count += 1
        return execute(*arguments)

    @contextmanager
    def counting(self) -> Iterator[None]:
        with connection.execute_wrapper(self):
            yield

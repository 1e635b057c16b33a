"""Measurements of what we claim. Each module has a `main()` and prints its figures."""

import os
from pathlib import Path


class Skip(Exception):
    """This benchmark cannot run here; the sentence says what it misses."""


def data(name: str) -> Path:
    """A file or folder of the measured papers, which are too many to live in this repository."""
    path = Path(os.environ.get("BENCHMARK_DATA", "../shared/data")) / name
    if not path.exists():
        raise Skip(f"{path} is not here: set BENCHMARK_DATA to the folder that has {name}")
    return path

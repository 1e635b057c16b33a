"""Recorded responses of the real sources, in a folder beside the checkout.

The recordings are not part of the project: tests that need them are skipped where they are missing.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

RECORDINGS_DIR = Path(settings.BASE_DIR).parent / "shared" / "data"
needs_recordings = pytest.mark.skipif(
    not RECORDINGS_DIR.is_dir(), reason="needs the recorded data in ../shared"
)


def xml_response_paths(folder: str) -> list[Path]:
    return sorted((RECORDINGS_DIR / folder).glob("*.xml"))


def daily_papers_paths() -> list[Path]:
    """Return the responses of Hugging Face's daily papers, one file per day."""
    return sorted((RECORDINGS_DIR / "huggingface" / "raw").glob("*.json"))


def huggingface_items() -> list[dict[str, Any]]:
    return [item for day in daily_papers_paths() for item in json.loads(day.read_bytes())]


def huggingface_hard_cases() -> list[dict[str, Any]]:
    lines = (RECORDINGS_DIR / "huggingface" / "hard_cases.jsonl").read_text().splitlines()
    return [json.loads(line)["item"] for line in lines]


def arxiv_papers() -> list[dict[str, Any]]:
    with gzip.open(RECORDINGS_DIR / "arxiv_sample_6000.jsonl.gz", "rt") as lines:
        return [json.loads(line) for line in lines]


def labelled_papers() -> list[tuple[str, str, set[str]]]:
    """Return title, abstract and topics; a person chose the topics before any rule was written."""
    page = (RECORDINGS_DIR / "search_page.txt").read_text().splitlines()
    lines = [line for line in page if line.strip()][2:]
    lines[0] = lines[0].removeprefix("Subscribe")
    labels = json.loads((RECORDINGS_DIR / "search_page_topic_labels.json").read_text())
    pairs = zip(lines[::2], lines[1::2], strict=True)
    return [(title, abstract, set(labels[title])) for title, abstract in pairs]


@dataclass(frozen=True)
class RecordedExchange:
    """One response of a source, named for its request."""

    name: str
    status: int
    body: bytes


def load_exchanges(source: str) -> list[RecordedExchange]:
    exchanges = []
    for path in sorted((RECORDINGS_DIR / source).glob("[0-9]*.json")):
        exchange = json.loads(path.read_bytes())
        exchanges.append(RecordedExchange(path.stem, exchange["status"], exchange["body"].encode()))
    return exchanges

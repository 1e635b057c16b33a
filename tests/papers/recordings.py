"""Real recorded answers, which lie beside the checkout of those who build the project."""

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
    not RECORDINGS_DIR.is_dir(), reason="the recorded data of ../shared is not on this machine"
)


def xml_response_paths(folder: str) -> list[Path]:
    """Saved answers in XML."""
    return sorted((RECORDINGS_DIR / folder).glob("*.xml"))


def daily_papers_paths() -> list[Path]:
    """Saved answers of Hugging Face's daily papers, one a day."""
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
    """Title, abstract, and the topics that a person gave before any rule was written."""
    page = (RECORDINGS_DIR / "search_page.txt").read_text().splitlines()
    lines = [line for line in page if line.strip()][2:]
    lines[0] = lines[0].removeprefix("Subscribe")
    labels = json.loads((RECORDINGS_DIR / "search_page_topic_labels.json").read_text())
    pairs = zip(lines[::2], lines[1::2], strict=True)
    return [(title, abstract, set(labels[title])) for title, abstract in pairs]


@dataclass(frozen=True)
class RecordedExchange:
    """What was asked of a source once, and what it answered."""

    name: str
    status: int
    body: bytes


def load_exchanges(source: str) -> list[RecordedExchange]:
    found = []
    for path in sorted((RECORDINGS_DIR / source).glob("[0-9]*.json")):
        told = json.loads(path.read_bytes())
        found.append(RecordedExchange(path.stem, told["status"], told["body"].encode()))
    return found

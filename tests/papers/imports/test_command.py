"""The command import_papers: its output, and what is stored."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from papers.ingest import pipeline
from papers.ingest.registry import get_source
from papers.models import Paper
from papers.sources import http
from tests.factories import NOW
from tests.papers import recordings

pytestmark = pytest.mark.django_db

PAPERS = [
    ("Robots That Fold Towels at Home", "They fold: with care; always.", ("Ada Lovelace",)),
    ("Gödel’s Comets and Their Light", 'They "shine".', ("Kurt Gödel", "Emmy Noether")),
    ("A Very Short Title, With Commas", "", ("Sophie Germain",)),
]


@pytest.fixture(autouse=True)
def fixed_time():
    with time_machine.travel(NOW, tick=False):
        yield


def run(path: Path, *arguments: str) -> str:
    """Return the output, with that for standard error."""
    out = io.StringIO()
    call_command("import_papers", str(path), *arguments, stdout=out, stderr=out, no_color=True)
    return out.getvalue()


def run_failing(path: Path, *arguments: str) -> tuple[str, str]:
    """Return the output and the error message."""
    out = io.StringIO()
    with pytest.raises(CommandError) as caught:
        call_command("import_papers", str(path), *arguments, stdout=out, stderr=out, no_color=True)
    return out.getvalue(), str(caught.value)


def as_text() -> str:
    return "".join(f"{title}\n{abstract}\n\n" for title, abstract, _ in PAPERS)


def as_json_lines() -> str:
    return "".join(
        json.dumps({"title": title, "abstract": abstract, "authors": authors}) + "\n"
        for title, abstract, authors in PAPERS
    )


def as_csv() -> str:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";")
    writer.writerow(["Title", "Abstract Note", "Author"])
    writer.writerows([title, abstract, "; ".join(authors)] for title, abstract, authors in PAPERS)
    return out.getvalue()


def as_bibtex() -> str:
    return "".join(
        f"@misc{{p{number}, title = {{{{{title[0]}}}{title[1:]}}}, abstract = {{{abstract}}}, "
        f"author = {{{' and '.join(authors)}}}}}\n"
        for number, (title, abstract, authors) in enumerate(PAPERS)
    )


FORMATS: dict[str, Callable[[], str]] = {
    "papers.txt": as_text,
    "papers.jsonl": as_json_lines,
    "papers.csv": as_csv,
    "papers.bib": as_bibtex,
}


@pytest.mark.parametrize("name", FORMATS)
def test_a_repeated_import_changes_nothing(tmp_path, name):
    file = tmp_path / name
    file.write_text(FORMATS[name]())

    assert run(file) == f"{name}: 3 entries, 3 papers (3 new, 0 updated), 0 left out\n"
    before = list(Paper.objects.order_by("pk").values())
    assert run(file) == f"{name}: 3 entries, 3 papers (0 new, 0 updated), 0 left out\n"
    assert list(Paper.objects.order_by("pk").values()) == before


def test_papers_imported_in_several_formats_are_stored_once(tmp_path):
    for name, write in FORMATS.items():
        (tmp_path / name).write_text(write())
        run(tmp_path / name)

    papers = Paper.objects.order_by("-title").values_list("title", "abstract", "authors")
    assert [(title, abstract, tuple(authors)) for title, abstract, authors in papers] == [
        ("Robots That Fold Towels at Home", "They fold: with care; always.", ("Ada Lovelace",)),
        ("Gödel’s Comets and Their Light", 'They "shine".', ("Kurt Gödel", "Emmy Noether")),
        ("A Very Short Title, With Commas", "", ("Sophie Germain",)),
    ]


def test_up_to_twenty_rejected_entries_are_listed(tmp_path):
    file = tmp_path / "papers.jsonl"
    file.write_text('{"title": "A Robot"}\n' + "[]\n" * 22)

    lines = run(file).splitlines()

    assert lines[0] == "line 2: not an object"
    assert lines[-3:] == [
        "line 21: not an object",
        "… and 2 more",
        "papers.jsonl: 23 entries, 1 papers (1 new, 0 updated), 22 left out",
    ]


def test_the_entries_before_a_truncation_are_imported(tmp_path):
    file = tmp_path / "papers.jsonl"
    file.write_text('{"title": "A Robot"}\n{"title": "B')

    output, error = run_failing(file)

    assert output == "papers.jsonl: 1 entries, 1 papers (1 new, 0 updated), 0 left out\n"
    assert error == (
        "The file is cut off: line 2 is not complete JSON. Everything before that was imported."
    )
    assert Paper.objects.get().title == "A Robot"


def test_a_duplicate_in_the_file_is_stored_once(tmp_path):
    file = tmp_path / "papers.csv"
    file.write_text("title,arxiv_id\nA Robot,2605.00001\nA Robot,2605.00001v2\n")

    assert run(file) == "papers.csv: 2 entries, 1 papers (1 new, 0 updated), 0 left out\n"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "There is no file "),
        (b"", "The file is empty."),
        (b"\x00\x01", "The file is not text."),
        (b'{"title": ', "The file is not JSON, or is cut off."),
        (b'{"title": "\\u200b"}', "No paper was imported."),
        (b"x" * 2_000, "larger than 50 MB"),
    ],
    ids=["missing", "empty", "binary", "cut off", "no title", "huge"],
)
def test_an_unreadable_file_is_reported_and_changes_nothing(
    tmp_path, monkeypatch, content, sentence
):
    monkeypatch.setattr(http, "MAX_RESPONSE_BYTES", 1_000)
    file = tmp_path / "papers"
    if content is not None:
        file.write_bytes(content)

    _, error = run_failing(file)

    assert sentence in error
    assert not Paper.objects.exists()


def test_a_folder_is_reported(tmp_path):
    assert "is a folder" in run_failing(tmp_path)[1]


def test_the_format_can_be_given(tmp_path):
    file = tmp_path / "papers.txt"
    file.write_text("title\nRobots\n")

    assert "1 papers (1 new" in run(file, "--format", "csv")
    assert Paper.objects.get().title == "Robots"


def test_queries_grow_with_batches_and_not_with_papers(tmp_path):
    counts = []
    for kind, papers in [("Warm", 1), ("Robots", 20), ("Comets", 150)]:
        file = tmp_path / f"{kind}.csv"
        file.write_text(
            "title\n" + "".join(f"{kind} of the kind {number}\n" for number in range(papers))
        )
        with CaptureQueriesContext(connection) as queries:
            run(file)
        counts.append(len(queries))

    # SQLite takes fewer rows per statement.
    assert counts[2] - counts[1] < 4
    assert Paper.objects.count() == 171


@recordings.needs_recordings
def test_the_papers_of_the_recorded_page_are_found_by_search(client: Client):
    page = recordings.RECORDINGS_DIR / "search_page.txt"

    assert "119 entries, 119 papers (119 new, 0 updated), 0 left out" in run(page)
    assert "119 entries, 119 papers (0 new, 0 updated), 0 left out" in run(page)

    results = client.get("/papers/", {"q": "graph neural network"}).content.decode()
    headings = re.findall(r"<h2><a [^>]*>(.*?)</a></h2>", results, re.DOTALL)
    titles = [html.unescape(re.sub(r"<[^>]+>", "", heading)).strip() for heading in headings]
    assert "Graph Neural Network" in titles[0]
    assert sum("graph" in title.lower() for title in titles[:10]) >= 7


def save_json(tmp_path: Path, value: object) -> Path:
    path = tmp_path / "answer.json"
    path.write_text(json.dumps(value))
    return path


def test_saved_responses_update_stored_papers(tmp_path):
    file = tmp_path / "papers.csv"
    file.write_text("title,arxiv_id,doi\nA Robot,2605.00001,10.1000/x\n")
    run(file)
    ids = {"ArXiv": "2605.00001"}
    scholar = save_json(tmp_path, [{"externalIds": ids, "tldr": {"text": "It folds."}}, None])

    result = pipeline.ingest_file(get_source("semanticscholar"), scholar, now=NOW)
    assert (result.upserts.updated, result.upserts.rejected) == (1, ["unknown to Semantic Scholar"])

    openalex = save_json(
        tmp_path, {"results": [{"doi": "https://doi.org/10.1000/x", "is_retracted": True}]}
    )
    assert pipeline.ingest_file(get_source("openalex"), openalex, now=NOW).upserts.updated == 1

    stars = {"html_url": "https://github.com/ada/robot", "stargazers_count": 3}
    result = pipeline.ingest_file(get_source("github"), save_json(tmp_path, stars), now=NOW)
    assert (result.paper_count, len(result.upserts.rejected)) == (0, 1)

    paper = Paper.objects.get()
    assert (paper.machine_summary, paper.withdrawn) == ("It folds.", True)


@recordings.needs_recordings
@pytest.mark.parametrize(
    ("folder", "name"), [("semantic_scholar", "semanticscholar"), ("openalex", "openalex")]
)
def test_a_repeated_import_of_recorded_responses_changes_nothing(tmp_path, folder, name):
    file, source = tmp_path / "answer.json", get_source(name)
    exchanges = [exchange for exchange in recordings.load_exchanges(folder) if has_papers(exchange)]
    assert exchanges

    for exchange in exchanges:
        file.write_bytes(exchange.body)
        try:
            response = source.parse(exchange.body)
        except ValueError:
            continue
        first = pipeline.ingest_file(source, file, now=NOW)
        repeated = pipeline.ingest_file(source, file, now=NOW)
        assert first.paper_count + len(first.upserts.rejected) >= len(response.records)
        assert (repeated.upserts.created, repeated.upserts.updated) == (0, 0)
        assert repeated.reading_count == 0


def has_papers(exchange: recordings.RecordedExchange) -> bool:
    # OpenAlex calls them authorships.
    return exchange.status == 200 and b"authors" in exchange.body

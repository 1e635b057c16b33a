"""Upserting records: repeatable, careful, and in a few queries."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from papers.catalogue import cleaning, upsert
from papers.models import Paper
from papers.topics import sync
from tests import factories
from tests.factories import NOW, TODAY
from tests.papers.record_factories import record, upsert_records

pytestmark = pytest.mark.django_db


def counts(result: upsert.UpsertResult) -> tuple[int, int, int]:
    return result.created, result.updated, result.unchanged


def test_a_record_becomes_a_paper_with_readable_values():
    upsert_records(
        [
            record(
                arxiv_id="2604.09999v2",
                title="L$^{2}$NAS for\n  Robots",
                abstract=r"About 50\% of Bayes&amp;#x27; rules.",
                authors=(r"Paul Erd\H{o}s", " "),
                organization="R&amp;D",
                machine_summary=r"Saves $O(n^2)$.",
                keywords=("robots",),
                categories=("cs.RO",),
                code_url="https://github.com/example/robots",
                project_url="https://robots.example.org",
            )
        ]
    )

    paper = Paper.objects.get()
    assert paper.arxiv_id == "2604.09999"
    assert paper.title == "L²NAS for Robots"
    assert paper.abstract == "About 50% of Bayes' rules."
    assert paper.authors == ["Paul Erdős"]
    assert paper.organization == "R&D"
    assert paper.machine_summary == "Saves O(n²)."
    assert (paper.keywords, paper.categories) == (["robots"], ["cs.RO"])
    assert paper.code_url == "https://github.com/example/robots"
    assert paper.project_url == "https://robots.example.org"
    assert [topic.slug for topic in paper.topics.all()] == ["robotics"]


def test_upserting_twice_changes_nothing():
    records = [record(), record(title="Speech recognition")]

    assert counts(upsert_records(records, observed_at=NOW)) == (2, 0, 0)
    before = list(Paper.objects.order_by("pk").values())
    assert counts(upsert_records(records, observed_at=NOW)) == (0, 0, 2)
    assert list(Paper.objects.order_by("pk").values()) == before


def test_a_changed_record_updates_its_paper_only():
    first, second = record(), record()
    upsert_records([first, second])

    result = upsert_records([replace(first, title="A robot, revised"), second])

    assert counts(result) == (0, 1, 1)
    assert Paper.objects.get(arxiv_id=first.arxiv_id).title == "A robot, revised"


def test_an_empty_value_keeps_the_stored_one():
    full = record(code_url="https://github.com/a/b", machine_summary="Good.", keywords=("x",))
    upsert_records([full])

    empty = replace(full, code_url="", machine_summary="", keywords=(), abstract="", authors=())
    result = upsert_records([empty])

    assert counts(result) == (0, 0, 1)
    paper = Paper.objects.get()
    assert (paper.code_url, paper.machine_summary) == ("https://github.com/a/b", "Good.")
    assert (paper.abstract, paper.authors, paper.keywords) == (
        "It moves.",
        ["Ada Lovelace"],
        ["x"],
    )


@pytest.mark.parametrize("days", [4, -4])
def test_a_paper_that_is_listed_again_keeps_its_earliest_listing(days):
    original = record(listed_on=TODAY)
    upsert_records([original])

    upsert_records([replace(original, listed_on=TODAY + timedelta(days=days))])

    assert Paper.objects.get().listed_on == min(TODAY, TODAY + timedelta(days=days))


def test_the_earliest_reported_publication_date_is_kept():
    original = record(published_on=TODAY - timedelta(days=2))
    upsert_records([original])

    upsert_records([replace(original, published_on=TODAY)])
    upsert_records([replace(original, published_on=TODAY - timedelta(days=9))])

    assert Paper.objects.get().published_on == TODAY - timedelta(days=9)


def test_two_records_of_one_paper_in_a_batch_become_one_paper():
    once = record(arxiv_id="2604.00001", code_url="https://github.com/a/b")
    revised = replace(once, arxiv_id="2604.00001v2", title="A robot, version two", code_url="")

    assert counts(upsert_records([once, revised])) == (1, 0, 0)
    paper = Paper.objects.get()
    assert (paper.title, paper.code_url) == ("A robot, version two", "https://github.com/a/b")


def test_invalid_records_are_rejected_with_a_reason_and_the_others_stored():
    nameless = record(arxiv_id="", title=" \n")
    result = upsert_records([record(arxiv_id="nonsense"), nameless, record(title=""), record()])

    assert counts(result) == (1, 0, 0)
    assert result.rejected == ["not an arXiv id", "no title", "unknown paper"]


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "ftp://example.org/x",
        "//example.org",
        "example.org",
        "https://huggingface.co@evil.example/x",
        "https://example.org/a b",
        "https://example.org/" + "x" * 500,
        "not a url",
    ],
)
def test_an_unsafe_url_is_left_out(url):
    upsert_records([record(code_url=url, project_url=url)])

    paper = Paper.objects.get()
    assert (paper.code_url, paper.project_url) == ("", "")


def test_values_are_cut_to_the_length_of_their_columns():
    long = "word " * 10_000
    upsert_records(
        [record(title=long, abstract=long, organization=long, authors=(long, *["x"] * 6000))]
    )

    paper = Paper.objects.get()
    assert paper.title == f"{'word ' * 99}word…"
    assert len(paper.organization) <= 200
    assert len(paper.abstract) <= cleaning.MAX_TEXT_CHARS
    assert len(paper.authors) == cleaning.MAX_NAMES
    assert len(paper.authors[0]) <= 200


def test_characters_that_a_database_refuses_are_removed():
    unstorable = "a\x00b\ud800c\x1b"
    upsert_records(
        [
            record(
                title=unstorable,
                abstract=unstorable,
                authors=(unstorable,),
                organization=unstorable,
                keywords=(unstorable,),
            )
        ]
    )

    paper = Paper.objects.get()
    assert [paper.title, paper.abstract, paper.organization] == ["abc"] * 3
    assert paper.authors == paper.keywords == ["abc"]


def test_topics_change_with_the_text():
    original = record(title="Robots")
    upsert_records([original])

    upsert_records([replace(original, title="Speech Recognition", abstract="Of voices.")])

    assert [topic.slug for topic in Paper.objects.get().topics.all()] == ["speech-audio"]


def test_topics_are_updated_to_the_current_rules():
    original = record(title="Robots")
    upsert_records([original])
    Paper.objects.get().topics.set([factories.topic("alchemy")])

    result = upsert_records([original])

    assert counts(result) == (0, 0, 1)
    assert [topic.slug for topic in Paper.objects.get().topics.all()] == ["robotics"]


def count_queries(records: list[Any]) -> int:
    with CaptureQueriesContext(connection) as queries:
        upsert_records(records)
    return len(queries)


def test_forty_papers_take_the_same_queries_as_one():
    sync.sync_topics()
    # Forty is the most that SQLite accepts in one statement.
    one, many = [record()], [record() for _ in range(40)]

    assert count_queries(one) == 11
    assert count_queries(many) == 11
    assert count_queries(many) == 6


def test_updating_fifty_papers_does_not_query_each():
    fifty = [record() for _ in range(50)]
    upsert_records(fifty)

    assert count_queries([replace(old, title=f"{old.title}!") for old in fifty]) <= 10


def test_many_records_are_stored_in_batches():
    many = [record() for _ in range(2 * upsert.UPSERT_BATCH_SIZE + 1)]

    assert counts(upsert_records(many)) == (len(many), 0, 0)
    assert Paper.objects.filter(topics__slug="robotics").count() == len(many)


def test_a_paper_that_another_import_inserts_first_gets_the_values_of_both(monkeypatch):
    contested = record(project_url="https://robots.example.org")
    bulk_create = Paper.objects.bulk_create

    def insert_after_another_import(papers: list[Paper], **options: Any) -> list[Paper]:
        monkeypatch.undo()
        upsert_records([replace(contested, title="The title", project_url="")], source="arxiv")
        return bulk_create(papers, **options)

    monkeypatch.setattr(Paper.objects, "bulk_create", insert_after_another_import)
    result = upsert_records([contested])

    assert counts(result) == (0, 1, 0)
    paper = Paper.objects.get()
    assert (paper.title, paper.project_url) == ("The title", "https://robots.example.org")


def test_a_record_that_never_gets_its_own_paper_is_rejected_after_the_retry(monkeypatch):
    monkeypatch.setattr(Paper.objects, "bulk_create", lambda papers, **options: [])

    result = upsert_records([record()])

    assert counts(result) == (0, 0, 0)
    assert result.rejected == ["conflicts with another paper"]

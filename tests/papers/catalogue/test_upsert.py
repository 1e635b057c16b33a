"""Taking in is an upsert: repeatable, careful, and a few queries long."""

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


def counts(added: upsert.UpsertResult) -> tuple[int, int, int]:
    return added.created, added.updated, added.unchanged


def test_a_record_becomes_a_paper_as_people_read_it():
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


def test_adding_twice_changes_nothing():
    records = [record(), record(title="Speech recognition")]

    assert counts(upsert_records(records, observed_at=NOW)) == (2, 0, 0)
    before = list(Paper.objects.order_by("pk").values())
    assert counts(upsert_records(records, observed_at=NOW)) == (0, 0, 2)
    assert list(Paper.objects.order_by("pk").values()) == before


def test_news_of_a_known_paper_updates_it_and_it_alone():
    first, second = record(), record()
    upsert_records([first, second])

    added = upsert_records([replace(first, title="A robot, revised"), second])

    assert counts(added) == (0, 1, 1)
    assert Paper.objects.get(arxiv_id=first.arxiv_id).title == "A robot, revised"


def test_silence_about_a_value_keeps_it():
    told = record(code_url="https://github.com/a/b", machine_summary="Good.", keywords=("x",))
    upsert_records([told])

    silent = replace(told, code_url="", machine_summary="", keywords=(), abstract="", authors=())
    added = upsert_records([silent])

    assert counts(added) == (0, 0, 1)
    paper = Paper.objects.get()
    assert (paper.code_url, paper.machine_summary) == ("https://github.com/a/b", "Good.")
    assert (paper.abstract, paper.authors, paper.keywords) == (
        "It moves.",
        ["Ada Lovelace"],
        ["x"],
    )


@pytest.mark.parametrize("days", [4, -4])
def test_a_paper_that_is_listed_again_keeps_its_first_day(days):
    known = record(listed_on=TODAY)
    upsert_records([known])

    upsert_records([replace(known, listed_on=TODAY + timedelta(days=days))])

    assert Paper.objects.get().listed_on == min(TODAY, TODAY + timedelta(days=days))


def test_a_paper_was_published_on_the_earliest_day_that_was_told():
    known = record(published_on=TODAY - timedelta(days=2))
    upsert_records([known])

    upsert_records([replace(known, published_on=TODAY)])
    upsert_records([replace(known, published_on=TODAY - timedelta(days=9))])

    assert Paper.objects.get().published_on == TODAY - timedelta(days=9)


def test_a_paper_told_twice_in_one_answer_is_one_paper():
    once = record(arxiv_id="2604.00001", code_url="https://github.com/a/b")
    again = replace(once, arxiv_id="2604.00001v2", title="A robot, told again", code_url="")

    assert counts(upsert_records([once, again])) == (1, 0, 0)
    paper = Paper.objects.get()
    assert (paper.title, paper.code_url) == ("A robot, told again", "https://github.com/a/b")


def test_what_is_no_paper_is_rejected_by_name_and_the_rest_is_taken():
    nameless = record(arxiv_id="", title=" \n")
    added = upsert_records([record(arxiv_id="nonsense"), nameless, record(title=""), record()])

    assert counts(added) == (1, 0, 0)
    assert added.rejected == ["not an arXiv id", "no title", "unknown paper"]


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
def test_an_address_that_no_reader_should_be_sent_to_is_left_out(url):
    upsert_records([record(code_url=url, project_url=url)])

    paper = Paper.objects.get()
    assert (paper.code_url, paper.project_url) == ("", "")


def test_texts_are_cut_to_what_their_columns_hold():
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


def test_what_a_database_refuses_to_store_does_not_get_there():
    nasty = "a\x00b\ud800c\x1b"
    upsert_records(
        [
            record(
                title=nasty, abstract=nasty, authors=(nasty,), organization=nasty, keywords=(nasty,)
            )
        ]
    )

    paper = Paper.objects.get()
    assert [paper.title, paper.abstract, paper.organization] == ["abc"] * 3
    assert paper.authors == paper.keywords == ["abc"]


def test_topics_follow_the_text():
    known = record(title="Robots")
    upsert_records([known])

    upsert_records([replace(known, title="Speech Recognition", abstract="Of voices.")])

    assert [topic.slug for topic in Paper.objects.get().topics.all()] == ["speech-audio"]


def test_topics_that_todays_rules_do_not_give_are_taken_away_and_given_back():
    known = record(title="Robots")
    upsert_records([known])
    Paper.objects.get().topics.set([factories.topic("alchemy")])

    added = upsert_records([known])

    assert counts(added) == (0, 0, 1)
    assert [topic.slug for topic in Paper.objects.get().topics.all()] == ["robotics"]


def queries_of(records: list[Any]) -> int:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        upsert_records(records)
    return len(queries)


def test_a_day_takes_as_few_queries_as_a_paper():
    sync.sync_topics()
    # SQLite takes no more than these in one statement.
    one, many = [record()], [record() for _ in range(40)]

    assert queries_of(one) == 11
    assert queries_of(many) == 11
    assert queries_of(many) == 6


def test_changing_a_day_does_not_ask_paper_by_paper():
    fifty = [record() for _ in range(50)]
    upsert_records(fifty)

    assert queries_of([replace(each, title=f"{each.title}!") for each in fifty]) <= 10


def test_a_year_is_taken_in_batches():
    many = [record() for _ in range(2 * upsert.UPSERT_BATCH_SIZE + 1)]

    assert counts(upsert_records(many)) == (len(many), 0, 0)
    assert Paper.objects.filter(topics__slug="robotics").count() == len(many)


def test_a_paper_that_another_intake_added_meanwhile_loses_neithers_news(monkeypatch):
    both = record(project_url="https://robots.example.org")
    bulk_create = Paper.objects.bulk_create

    def beaten(papers: list[Paper], **options: Any) -> list[Paper]:
        monkeypatch.undo()
        upsert_records([replace(both, title="The title", project_url="")], source="arxiv")
        return bulk_create(papers, **options)

    monkeypatch.setattr(Paper.objects, "bulk_create", beaten)
    added = upsert_records([both])

    assert counts(added) == (0, 1, 0)
    paper = Paper.objects.get()
    assert (paper.title, paper.project_url) == ("The title", "https://robots.example.org")

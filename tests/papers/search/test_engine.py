"""The same papers are found on both databases, for whatever is typed."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from papers.models import Paper, SearchText
from papers.search import engine
from papers.search.query import parse_query
from tests import factories
from tests.factories import TODAY
from tests.papers import recordings
from tests.papers.record_factories import record, upsert_records

pytestmark = pytest.mark.django_db


def indexed(**fields):
    paper = factories.paper(**fields)
    engine.update_index([paper])
    return paper


def found(typed, **page):
    return [paper.title for paper in engine.search(parse_query(typed), **page).papers]


@pytest.mark.parametrize(
    "typed",
    [
        "L2NAS",
        "l²nas",
        "Erdos",
        "erdős",
        '"graph neural network"',
        "NETWORK graph",
        "state-of-the-art",
        "author:erdos",
        'author:"Paul Erdős"',
        "topic:robotics",
        'topic:"robots that act"',
        "category:cs.RO",
        "category:cs",
        "cs.RO",
        "topic:act",
        "topic:that-act",
        "author:ada author:paul",
        'graph -"graph transformer" -author:gauss -topic:speech -category:cs.LG',
        "2605.09999",
        "https://arxiv.org/abs/2605.09999v2",
        "graph -survey",
        "graph since:2026-05-11",
    ],
)
def test_a_paper_is_found(typed):
    factories.topic("robotics", name="Robots that act")
    indexed(title="Nothing of the kind", abstract="At all.", listed_on=TODAY - timedelta(days=9))
    indexed(
        arxiv_id="2605.09999",
        title="L²NAS: graph neural networks",
        abstract="The state of the art.",
        authors=["Ada Lovelace", "Paul Erdős"],
        categories=["cs.RO", "stat.ML"],
        topics=["robotics"],
    )

    assert found(typed) == ["L²NAS: graph neural networks"]


@pytest.mark.parametrize(
    "typed",
    [
        '"neural graph"',
        '"graph network"',
        '"nothing graph"',
        "graph survey",
        "graph -neural",
        "author:graph",
        "topic:erdos",
        "category:cs.LG",
        "author:robotics",
        '"networks ada"',
        'author:"Lovelace Paul"',
        'graph -"graph neural"',
        "graph -author:ada",
        "graph -topic:robotics",
        "graph -category:cs.RO",
        "topic:graph",
        "graph since:2026-05-12",
        "since:2026-05-01",
        "-survey",
    ],
)
def test_a_paper_is_not_found(typed):
    indexed(
        title="L²NAS: graph neural networks",
        authors=["Ada Lovelace", "Paul Erdős"],
        categories=["cs.RO"],
        topics=["robotics"],
    )

    assert found(typed) == []


def test_a_title_counts_more_than_an_abstract_and_equals_come_newest_first():
    indexed(title="Older", abstract="A robot.", listed_on=TODAY - timedelta(days=5))
    indexed(title="Newer", abstract="A robot.", listed_on=TODAY)
    indexed(title="Robot", abstract="A thing.", listed_on=TODAY - timedelta(days=9))

    assert found("robot") == ["Robot", "Newer", "Older"]


def test_pages_follow_each_other_and_all_are_counted():
    for number in range(5):
        indexed(title=f"Robot {number}")

    first, rest = (engine.search(parse_query("robot"), offset=at, limit=3) for at in (0, 3))

    assert (len(first.papers), len(rest.papers)) == (3, 2)
    assert {paper.pk for paper in [*first.papers, *rest.papers]} == {
        paper.pk for paper in Paper.objects.all()
    }
    assert (first.total, rest.total, first.is_capped) == (5, 5, False)


def test_only_the_newest_matches_are_ranked(monkeypatch):
    monkeypatch.setattr(engine, "MAX_RESULTS", 2)
    indexed(title="Robot robot", listed_on=TODAY - timedelta(days=9))
    indexed(title="A robot and more", listed_on=TODAY)
    indexed(title="Robot", listed_on=TODAY)

    result = engine.search(parse_query("robot"))

    assert {paper.title for paper in result.papers} == {"A robot and more", "Robot"}
    assert result.is_capped


@pytest.fixture
def windows(monkeypatch):
    """Looks through few papers at a time; those that are there when it is called."""

    def count(*sizes):
        monkeypatch.setattr(engine, "WINDOW_SIZES", sizes)
        seen = engine.compute_recency_windows()
        monkeypatch.setattr(engine, "cached_recency_windows", lambda: seen)
        return len(seen)

    return count


def test_windows_that_were_counted_before_leave_no_paper_out(windows):
    for weeks in (0, 1, 2, 9, 30):
        indexed(title=f"Robot {weeks}", listed_on=TODAY - timedelta(weeks=weeks))
    assert windows(0, 1, 3) == 2
    for weeks in (-30, -3, 0, 1, 5, 60):
        indexed(title=f"New robot {weeks}", listed_on=TODAY - timedelta(weeks=weeks))

    assert len(found("robot")) == 11
    assert len(found("robot -new")) == 5


def test_a_window_that_holds_enough_is_the_last_that_is_looked_through(windows, monkeypatch):
    monkeypatch.setattr(engine, "MAX_RESULTS", 2)
    for weeks in range(6):
        indexed(title=f"Robot {weeks}", listed_on=TODAY - timedelta(weeks=weeks))
    assert windows(0, 1, 3) == 2

    assert set(found("robot")) == {"Robot 0", "Robot 1"}


def test_since_looks_through_no_older_window_and_leaves_no_newer_paper_out(windows):
    for weeks in (0, 1, 2, 9):
        indexed(title=f"Robot {weeks}", listed_on=TODAY - timedelta(weeks=weeks))
    assert windows(0, 1, 2) == 2
    indexed(title="Robot to come", listed_on=TODAY + timedelta(weeks=2))

    for weeks, number in ((-99, 0), (0, 2), (1, 3), (2, 4), (9, 5), (99, 5)):
        since = TODAY - timedelta(weeks=weeks)
        assert len(found(f"robot since:{since}")) == number, weeks


def test_papers_with_a_day_to_come_do_not_make_the_windows_wide(windows):
    for weeks in (-9_999, 0, 1, 2):
        indexed(title="Robot", listed_on=TODAY - timedelta(weeks=weeks))

    assert windows(1, 2) == 1
    assert engine.cached_recency_windows()[0].stop < TODAY.toordinal() + 100


@recordings.needs_recordings
@pytest.mark.parametrize(
    ("typed", "word"),
    [("graph neural network", "graph"), ("reinforcement learning", "reinforcement")],
)
def test_real_papers_about_it_come_first(typed, word):
    real = recordings.labelled_papers()
    engine.update_index([factories.paper(title=title, abstract=text) for title, text, _ in real])

    first = found(typed)[:6]

    assert len(first) == 6
    assert [title for title in first if word not in title.lower()] == []


HOSTILE = [
    "'); drop table papers_paper; --",
    '"unbalanced phrase',
    "AND NOT (",
    "NEAR(a b, 5) OR *",
    "robot* ^robot {title} : robot",
    "a & b | !c <-> :*",
    "\\ ' '' \"' \x00 \ud7ff %s %(asked)s %",
    "x" * 10_000,
    "word " * 2_000,
    "-robot author:) category:* topic:( since:0001-01-01",
]


@pytest.mark.parametrize("typed", HOSTILE)
def test_a_hostile_query_is_only_words(typed):
    indexed(title="A robot")

    assert set(found(typed)) <= {"A robot"}
    assert Paper.objects.count() == 1


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(min_size=1, max_size=40))
def test_a_title_is_found_by_its_own_words(text):
    """Whatever letters there are: the engine takes them for words as we do."""
    paper = factories.paper(title="x", abstract="", authors=[])
    paper.title = text
    engine.update_index([paper])
    query = parse_query(text.replace('"', " "))

    if query.is_searchable and not any(term.excluded or term.field for term in query.terms):
        assert paper in engine.search(query, limit=1_000).papers


@pytest.mark.parametrize("papers", [1, 31])
def test_a_search_takes_three_queries_however_much_it_finds(papers, django_assert_num_queries):
    for _ in range(papers):
        indexed(title="Robot", topics=["robotics"])
    engine.cached_recency_windows()  # counted every ten minutes

    with django_assert_num_queries(3):
        assert engine.search(parse_query("robot")).total == papers


@pytest.mark.parametrize("papers", [1, 3])
def test_indexing_takes_three_queries_however_many_papers(papers, django_assert_num_queries):
    made = [factories.paper(topics=["robotics"]) for _ in range(papers)]

    with django_assert_num_queries(3):
        assert engine.update_index(made) == papers
    with django_assert_num_queries(2):
        assert engine.update_index(made) == 0
    with django_assert_num_queries(0):
        assert engine.update_index([]) == 0


def test_the_catalogue_keeps_the_index():
    told = {"arxiv_id": "2604.09999", "abstract": ""}
    upsert_records([record(title="Speech recognition", **told)])
    assert found("speech") == ["Speech recognition"]

    upsert_records([record(title="Robot arms", **told)])
    assert (found("speech"), found("topic:robotics")) == ([], ["Robot arms"])

    Paper.objects.all().delete()
    assert (found("robot"), SearchText.objects.count()) == ([], 0)


def test_votes_do_not_touch_the_index(django_assert_num_queries):
    upsert_records([record(title="Robot", abstract="")])
    with django_assert_num_queries(1):
        Paper.objects.update(upvotes=99)

    upsert_records([record(arxiv_id=Paper.objects.get().arxiv_id, title="Robot", upvotes=100)])
    assert found("robot") == ["Robot"]


def test_a_failed_intake_leaves_the_index_as_it_was(monkeypatch):
    upsert_records([record(arxiv_id="2604.09999", title="Robot arms")])
    index = engine.update_index

    def index_and_fail(papers):
        index(papers)
        raise RuntimeError

    monkeypatch.setattr(engine, "update_index", index_and_fail)
    with pytest.raises(RuntimeError):
        upsert_records([record(title="Robot legs")])

    assert found("robot") == ["Robot arms"]


def test_a_rebuild_finds_what_was_written_past_the_catalogue(monkeypatch):
    monkeypatch.setattr(engine, "INDEX_BATCH_SIZE", 2)
    papers = [indexed(title=f"Robot {number}") for number in range(3)]
    Paper.objects.filter(pk=papers[0].pk).update(title="Speech")
    factories.paper(title="Robot, unknown")

    assert sum(engine.rebuild_index()) == 4
    assert found("speech") == ["Speech"]
    assert len(found("robot")) == 3


def test_the_migration_gives_keys_to_papers_that_were_indexed_before():
    paper = factories.paper(title="Robot", topics=["speech"])
    engine.update_index([paper])
    SearchText.objects.update(keys="")
    migration = import_module("papers.migrations.0009_quicker_search")
    migration.add_keys(apps, SimpleNamespace(connection=connection))

    assert found("robot topic:speech") == ["Robot"]
    assert engine.update_index([paper]) == 0


def test_a_rebuild_of_nothing_is_nothing():
    assert sum(engine.rebuild_index()) == 0


def test_a_paper_with_thousands_of_authors_is_indexed():
    names = [f"Firstname{number} Lastname{number}" for number in range(5_000)]
    indexed(title="Collider", authors=names, abstract="word " * 4_000)

    assert found("collider author:lastname7") == ["Collider"]


def test_the_index_is_the_engines_own():
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT indexdef FROM pg_indexes WHERE tablename = 'papers_searchtext'")
            assert any("USING gin (document)" in row[0] for row in cursor.fetchall())
        else:
            cursor.execute("SELECT sql FROM sqlite_master WHERE name = 'papers_searchtext_fts'")
            assert "fts5" in cursor.fetchone()[0]

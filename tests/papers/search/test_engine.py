"""Search finds the same papers on both databases, whatever is typed."""

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
from papers.search import engine, windows
from papers.search.query import parse_query
from tests import factories
from tests.factories import TODAY
from tests.papers import recordings
from tests.papers.record_factories import record, upsert_records

pytestmark = pytest.mark.django_db


def indexed_paper(**fields):
    paper = factories.paper(**fields)
    engine.update_index([paper])
    return paper


def search_titles(typed):
    return [paper.title for paper in engine.search(parse_query(typed)).papers]


MATCHING_QUERIES = [
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
]
OTHER_QUERIES = [
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
]


def test_a_query_finds_a_paper_that_meets_every_condition(subtests):
    factories.topic("robotics", name="Robots that act")
    indexed_paper(title="Another subject", abstract="At all.", listed_on=TODAY - timedelta(days=9))
    indexed_paper(
        arxiv_id="2605.09999",
        title="L²NAS: graph neural networks",
        abstract="The state of the art.",
        authors=["Ada Lovelace", "Paul Erdős"],
        categories=["cs.RO", "stat.ML"],
        topics=["robotics"],
    )

    for typed in MATCHING_QUERIES:
        with subtests.test(typed):
            assert search_titles(typed) == ["L²NAS: graph neural networks"]


def test_a_query_does_not_find_a_paper_that_fails_a_condition(subtests):
    indexed_paper(
        title="L²NAS: graph neural networks",
        authors=["Ada Lovelace", "Paul Erdős"],
        categories=["cs.RO"],
        topics=["robotics"],
    )

    for typed in OTHER_QUERIES:
        with subtests.test(typed):
            assert search_titles(typed) == []


def test_a_title_counts_more_than_an_abstract_and_ties_come_newest_first():
    indexed_paper(title="Older", abstract="A robot.", listed_on=TODAY - timedelta(days=5))
    indexed_paper(title="Newer", abstract="A robot.", listed_on=TODAY)
    indexed_paper(title="Robot", abstract="A thing.", listed_on=TODAY - timedelta(days=9))

    assert search_titles("robot") == ["Robot", "Newer", "Older"]


def test_pages_do_not_overlap_and_the_total_counts_every_match():
    for number in range(5):
        indexed_paper(title=f"Robot {number}")

    first, rest = (engine.search(parse_query("robot"), offset=at, limit=3) for at in (0, 3))

    assert (len(first.papers), len(rest.papers)) == (3, 2)
    assert {paper.pk for paper in [*first.papers, *rest.papers]} == {
        paper.pk for paper in Paper.objects.all()
    }
    assert (first.total, rest.total, first.is_capped) == (5, 5, False)


def test_only_the_newest_matches_are_ranked(monkeypatch):
    monkeypatch.setattr(engine, "MAX_RESULTS", 2)
    indexed_paper(title="Robot robot", listed_on=TODAY - timedelta(days=9))
    indexed_paper(title="A robot and more", listed_on=TODAY)
    indexed_paper(title="Robot", listed_on=TODAY)

    result = engine.search(parse_query("robot"))

    assert {paper.title for paper in result.papers} == {"A robot and more", "Robot"}
    assert result.is_capped


@pytest.fixture
def freeze_windows(monkeypatch):
    """Compute small windows for the papers stored now and keep them for the test."""

    def freeze(*sizes):
        monkeypatch.setattr(windows, "WINDOW_SIZES", sizes)
        windows.clear_cache()
        return len(windows.cached_windows())

    yield freeze
    windows.clear_cache()


def test_outdated_windows_leave_no_paper_out(freeze_windows):
    for weeks in (0, 1, 2, 9, 30):
        indexed_paper(title=f"Robot {weeks}", listed_on=TODAY - timedelta(weeks=weeks))
    assert freeze_windows(0, 1, 3) == 2
    for weeks in (-30, -3, 0, 1, 5, 60):
        indexed_paper(title=f"New robot {weeks}", listed_on=TODAY - timedelta(weeks=weeks))

    assert len(search_titles("robot")) == 11
    assert len(search_titles("robot -new")) == 5


def test_search_stops_at_the_window_that_has_enough_matches(freeze_windows, monkeypatch):
    monkeypatch.setattr(engine, "MAX_RESULTS", 2)
    for weeks in range(6):
        indexed_paper(title=f"Robot {weeks}", listed_on=TODAY - timedelta(weeks=weeks))
    assert freeze_windows(0, 1, 3) == 2

    assert set(search_titles("robot")) == {"Robot 0", "Robot 1"}


def test_since_finds_every_paper_from_that_day_on_in_outdated_windows(freeze_windows):
    for weeks in (0, 1, 2, 9):
        indexed_paper(title=f"Robot {weeks}", listed_on=TODAY - timedelta(weeks=weeks))
    assert freeze_windows(0, 1, 2) == 2
    indexed_paper(title="Robot to come", listed_on=TODAY + timedelta(weeks=2))

    for weeks, count in ((-99, 0), (0, 2), (1, 3), (2, 4), (9, 5), (99, 5)):
        since = TODAY - timedelta(weeks=weeks)
        assert len(search_titles(f"robot since:{since}")) == count, weeks


def test_papers_with_a_future_date_do_not_widen_the_windows(freeze_windows):
    for weeks in (-9_999, 0, 1, 2):
        indexed_paper(title="Robot", listed_on=TODAY - timedelta(weeks=weeks))

    assert freeze_windows(1, 2) == 1
    assert windows.cached_windows()[0].stop < TODAY.toordinal() + 100


@recordings.needs_recordings
def test_real_papers_with_the_words_in_their_title_come_first(subtests):
    recorded = recordings.labelled_papers()
    engine.update_index(
        [factories.paper(title=title, abstract=abstract) for title, abstract, _ in recorded]
    )

    for typed, word in (
        ("graph neural network", "graph"),
        ("reinforcement learning", "reinforcement"),
    ):
        with subtests.test(typed):
            titles = search_titles(typed)[:6]
            assert len(titles) == 6
            assert [title for title in titles if word not in title.lower()] == []


HOSTILE_QUERIES = [
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


def test_a_hostile_query_is_treated_as_words(subtests):
    indexed_paper(title="A robot")

    for number, typed in enumerate(HOSTILE_QUERIES):
        with subtests.test(number=number):
            assert set(search_titles(typed)) <= {"A robot"}
            assert Paper.objects.count() == 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(min_size=1, max_size=40))
def test_a_title_is_found_by_its_own_words(text):
    """The database must split any text into the same words as papers.text.tokens."""
    paper = factories.paper(title="x", abstract="", authors=[])
    paper.title = text
    engine.update_index([paper])
    query = parse_query(text.replace('"', " "))

    if query.is_searchable and not any(term.excluded or term.field for term in query.terms):
        assert paper in engine.search(query, limit=1_000).papers


@pytest.mark.parametrize("count", [1, 31])
def test_a_search_takes_three_queries_for_any_number_of_results(count, django_assert_num_queries):
    for _ in range(count):
        indexed_paper(title="Robot", topics=["robotics"])
    windows.cached_windows()  # Computed once in ten minutes, in queries of their own.

    with django_assert_num_queries(3):
        assert engine.search(parse_query("robot")).total == count


@pytest.mark.parametrize("count", [1, 3])
def test_indexing_takes_three_queries_for_any_number_of_papers(count, django_assert_num_queries):
    papers = [factories.paper(topics=["robotics"]) for _ in range(count)]

    with django_assert_num_queries(3):
        assert engine.update_index(papers) == count
    with django_assert_num_queries(2):
        assert engine.update_index(papers) == 0
    with django_assert_num_queries(0):
        assert engine.update_index([]) == 0


def test_upserting_and_deleting_papers_updates_the_index():
    fields = {"arxiv_id": "2604.09999", "abstract": ""}
    upsert_records([record(title="Speech recognition", **fields)])
    assert search_titles("speech") == ["Speech recognition"]

    upsert_records([record(title="Robot arms", **fields)])
    assert (search_titles("speech"), search_titles("topic:robotics")) == ([], ["Robot arms"])

    Paper.objects.all().delete()
    assert (search_titles("robot"), SearchText.objects.count()) == ([], 0)


def test_votes_do_not_change_the_index(django_assert_num_queries):
    upsert_records([record(title="Robot", abstract="")])
    with django_assert_num_queries(1):
        Paper.objects.update(upvotes=99)

    upsert_records([record(arxiv_id=Paper.objects.get().arxiv_id, title="Robot", upvotes=100)])
    assert search_titles("robot") == ["Robot"]


def test_a_failed_upsert_leaves_the_index_unchanged(monkeypatch):
    upsert_records([record(arxiv_id="2604.09999", title="Robot arms")])
    update_index = engine.update_index

    def index_and_fail(papers):
        update_index(papers)
        raise RuntimeError

    monkeypatch.setattr(engine, "update_index", index_and_fail)
    with pytest.raises(RuntimeError):
        upsert_records([record(title="Robot legs")])

    assert search_titles("robot") == ["Robot arms"]


def test_a_rebuild_finds_papers_that_were_changed_in_the_database(monkeypatch):
    monkeypatch.setattr(engine, "INDEX_BATCH_SIZE", 2)
    papers = [indexed_paper(title=f"Robot {number}") for number in range(3)]
    Paper.objects.filter(pk=papers[0].pk).update(title="Speech")
    factories.paper(title="Robot, unknown")

    assert sum(engine.rebuild_index()) == 4
    assert search_titles("speech") == ["Speech"]
    assert len(search_titles("robot")) == 3


def test_the_migration_adds_index_terms_to_papers_indexed_before():
    paper = factories.paper(title="Robot", topics=["speech"])
    engine.update_index([paper])
    SearchText.objects.update(keys="")
    migration = import_module("papers.migrations.0009_quicker_search")
    migration.add_keys(apps, SimpleNamespace(connection=connection))

    assert search_titles("robot topic:speech") == ["Robot"]
    assert engine.update_index([paper]) == 0


def test_a_rebuild_without_papers_yields_nothing():
    assert sum(engine.rebuild_index()) == 0


def test_a_paper_with_thousands_of_authors_is_indexed():
    names = [f"Firstname{number} Lastname{number}" for number in range(5_000)]
    indexed_paper(title="Collider", authors=names, abstract="word " * 4_000)

    assert search_titles("collider author:lastname7") == ["Collider"]


def test_the_index_is_the_database_engines_own():
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT indexdef FROM pg_indexes WHERE tablename = 'papers_searchtext'")
            assert any("USING gin (document)" in row[0] for row in cursor.fetchall())
        else:
            cursor.execute("SELECT sql FROM sqlite_master WHERE name = 'papers_searchtext_fts'")
            assert "fts5" in cursor.fetchone()[0]

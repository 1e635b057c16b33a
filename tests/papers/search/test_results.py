"""A search returns matching papers, similar papers, or suggestions."""

from __future__ import annotations

import pytest

from papers.search import embeddings, encoder, engine, results
from papers.search.query import parse_query
from tests import factories
from tests.papers import semantic

pytestmark = pytest.mark.django_db


def indexed_paper(**fields):
    paper = factories.paper(**{"abstract": "", "authors": []} | fields)
    engine.update_index([paper])
    return paper


def search_papers(typed):
    return results.search_papers(parse_query(typed), offset=0, limit=20)


def titles(papers):
    return [paper.title for paper in papers]


@pytest.fixture
def fake_encoder(monkeypatch):
    semantic.install_fake_encoder(monkeypatch)


@pytest.mark.usefixtures("fake_encoder")
def test_few_results_are_followed_by_similar_papers():
    indexed_paper(title="Robot arms grasp")
    indexed_paper(title="Robot arms that throw")
    indexed_paper(title="Cooking of rice")
    sum(embeddings.embed_missing())

    search_results = search_papers("robot arms grasp")

    assert titles(search_results.page.papers) == ["Robot arms grasp"]
    assert titles(search_results.similar) == ["Robot arms that throw"]


@pytest.mark.usefixtures("fake_encoder")
@pytest.mark.parametrize("condition", ["author:ada", "-rice", "since:2026-05-01", "topic:code"])
def test_a_query_with_a_filter_gets_no_similar_papers(condition):
    indexed_paper(title="Robot arms that throw")
    sum(embeddings.embed_missing())

    assert list(search_papers(f"robot arms catch {condition}").similar) == []


@pytest.mark.usefixtures("fake_encoder")
def test_enough_results_are_not_followed_by_similar_papers():
    for number in range(results.FEW_RESULTS):
        indexed_paper(title=f"Robot {number}")
    indexed_paper(title="Robots' arms", abstract="")
    sum(embeddings.embed_missing())

    assert list(search_papers("robot").similar) == []


@pytest.mark.usefixtures("fake_encoder")
def test_a_similar_paper_moves_up_among_the_results():
    indexed_paper(title="Robot arms", abstract="rice rice rice rice", listed_on=factories.TODAY)
    indexed_paper(title="Robot arms", abstract="one thing among others")
    sum(embeddings.embed_missing())

    lexical = engine.search(parse_query("robot arms")).papers
    assert [paper.abstract for paper in lexical] == [
        "rice rice rice rice",
        "one thing among others",
    ]
    assert search_papers("robot arms").page.papers == lexical[::-1]


@pytest.mark.usefixtures("fake_encoder")
def test_pages_of_a_fused_ranking_do_not_overlap():
    for number in range(7):
        indexed_paper(title=f"Robot {number}")
    sum(embeddings.embed_missing())
    query = parse_query("robot")

    pages = [
        results.search_papers(query, offset=offset, limit=3).page.papers for offset in (0, 3, 6)
    ]

    assert len({paper.pk for page in pages for paper in page}) == 7
    assert [len(page) for page in pages] == [3, 3, 1]


@pytest.mark.usefixtures("fake_encoder")
def test_related_papers_are_on_the_same_subject():
    paper = indexed_paper(title="Robot arms grasp")
    other = indexed_paper(title="Robot arms that throw")
    indexed_paper(title="Cooking of rice")
    sum(embeddings.embed_missing())

    assert results.related_papers(paper) == [other]


@pytest.mark.usefixtures("fake_encoder")
def test_a_model_that_fails_leaves_the_lexical_results(monkeypatch):
    def fail(text):
        raise encoder.EncoderUnavailableError("It is broken.")

    monkeypatch.setattr(encoder, "encode", fail)
    indexed_paper(title="Robot")

    assert titles(search_papers("robot").page.papers) == ["Robot"]


def test_without_the_extra_there_are_no_related_or_similar_papers(monkeypatch):
    monkeypatch.setattr(encoder, "is_installed", lambda: False)
    paper = indexed_paper(title="Robot")

    assert (results.related_papers(paper), list(search_papers("robot").similar)) == ([], [])


@pytest.mark.parametrize(
    ("typed", "unmatched", "remaining"),
    [
        ("robot xyzzy", ["xyzzy"], "robot"),
        (
            'robot xyzzy author:"Ada Lovelace" since:2026-05-01',
            ["xyzzy"],
            'robot author:"Ada Lovelace" since:2026-05-01',
        ),
        ("xyzzy plugh", ["xyzzy", "plugh"], ""),
        ("xyzzy -robot", ["xyzzy"], ""),
        ('"robot rice"', [], '"robot rice"'),
    ],
)
def test_without_results_the_words_that_no_paper_has_are_named(typed, unmatched, remaining):
    indexed_paper(title="Robot")
    indexed_paper(title="Rice")

    assert search_papers(typed).suggestions == results.Suggestions(unmatched, remaining, [])


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("reinforcment lerning", ["Reinforcement learning"]),
        ("topic:robtics", ["Robotics"]),
        ("xyzzy", []),
    ],
)
def test_without_results_topics_with_a_similar_name_are_suggested(typed, names):
    for slug in ("robotics", "reinforcement-learning"):
        factories.topic(slug)

    suggestions = search_papers(typed).suggestions
    assert [topic.name for topic in suggestions.topics] == names


def test_a_query_that_selects_nothing_gets_no_suggestions(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert search_papers("-survey").suggestions == results.Suggestions()

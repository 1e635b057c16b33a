"""What a reader gets: what has the words, what is about the same, or help."""

from __future__ import annotations

import pytest

from papers.search import embeddings, encoder, engine
from papers.search import results as search_results
from papers.search.query import parse_query
from tests import factories
from tests.papers import semantic

pytestmark = pytest.mark.django_db


def indexed(**fields):
    paper = factories.paper(**{"abstract": "", "authors": []} | fields)
    engine.update_index([paper])
    return paper


def results(typed):
    return search_results.search_papers(parse_query(typed), offset=0, limit=20)


def titles(papers):
    return [paper.title for paper in papers]


@pytest.fixture
def meaning_known(monkeypatch):
    semantic.install_fake_encoder(monkeypatch)


@pytest.mark.usefixtures("meaning_known")
def test_where_little_is_found_those_about_the_same_are_shown_too():
    indexed(title="Robot arms grasp")
    indexed(title="Robot arms that throw")
    indexed(title="Cooking of rice")
    sum(embeddings.embed_missing())

    answer = results("robot arms grasp")

    assert titles(answer.page.papers) == ["Robot arms grasp"]
    assert titles(answer.similar) == ["Robot arms that throw"]


@pytest.mark.usefixtures("meaning_known")
@pytest.mark.parametrize("condition", ["author:ada", "-rice", "since:2026-05-01", "topic:code"])
def test_who_sets_a_condition_gets_only_what_meets_it(condition):
    indexed(title="Robot arms that throw")
    sum(embeddings.embed_missing())

    assert list(results(f"robot arms catch {condition}").similar) == []


@pytest.mark.usefixtures("meaning_known")
def test_where_enough_is_found_the_words_decide():
    for number in range(search_results.FEW_RESULTS):
        indexed(title=f"Robot {number}")
    indexed(title="Robots' arms", abstract="")
    sum(embeddings.embed_missing())

    assert list(results("robot").similar) == []


@pytest.mark.usefixtures("meaning_known")
def test_meaning_moves_what_has_the_words():
    indexed(title="Robot arms", abstract="rice rice rice rice", listed_on=factories.TODAY)
    indexed(title="Robot arms", abstract="one thing among others")
    sum(embeddings.embed_missing())

    lexical = engine.search(parse_query("robot arms")).papers
    assert [paper.abstract for paper in lexical] == [
        "rice rice rice rice",
        "one thing among others",
    ]
    assert results("robot arms").page.papers == lexical[::-1]


@pytest.mark.usefixtures("meaning_known")
def test_pages_by_meaning_follow_each_other():
    for number in range(7):
        indexed(title=f"Robot {number}")
    sum(embeddings.embed_missing())
    wanted = parse_query("robot")

    pages = [
        search_results.search_papers(wanted, offset=at, limit=3).page.papers for at in (0, 3, 6)
    ]

    assert len({paper.pk for page in pages for paper in page}) == 7
    assert [len(page) for page in pages] == [3, 3, 1]


@pytest.mark.usefixtures("meaning_known")
def test_related_papers_are_those_about_the_same():
    paper = indexed(title="Robot arms grasp")
    other = indexed(title="Robot arms that throw")
    indexed(title="Cooking of rice")
    sum(embeddings.embed_missing())

    assert search_results.related_papers(paper) == [other]


@pytest.mark.usefixtures("meaning_known")
def test_a_model_that_fails_takes_nothing_from_the_words(monkeypatch):
    def fail(text):
        raise encoder.EncoderUnavailableError("It is broken.")

    monkeypatch.setattr(encoder, "encode", fail)
    indexed(title="Robot")

    assert titles(results("robot").page.papers) == ["Robot"]


def test_without_the_extra_nothing_is_related(monkeypatch):
    monkeypatch.setattr(encoder, "is_installed", lambda: False)
    paper = indexed(title="Robot")

    assert (search_results.related_papers(paper), list(results("robot").similar)) == ([], [])


@pytest.mark.parametrize(
    ("typed", "unknown", "without"),
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
def test_nothing_found_says_which_words_no_paper_has(typed, unknown, without):
    indexed(title="Robot")
    indexed(title="Rice")

    assert results(typed).suggestions == search_results.Suggestions(unknown, without, [])


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("reinforcment lerning", ["Reinforcement learning"]),
        ("topic:robtics", ["Robotics"]),
        ("xyzzy", []),
    ],
)
def test_nothing_found_names_topics_that_are_written_alike(typed, names):
    for slug in ("robotics", "reinforcement-learning"):
        factories.topic(slug)

    found = results(typed).suggestions
    assert [topic.name for topic in found.topics] == names


def test_a_question_for_nothing_gets_no_guesses(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert results("-survey").suggestions == search_results.Suggestions()

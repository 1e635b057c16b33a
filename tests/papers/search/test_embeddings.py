"""Each paper has one vector, of its present text; the nearest are found among the newest."""

from __future__ import annotations

from datetime import timedelta

import pytest

from papers.models import Embedding, Paper
from papers.search import embeddings, encoder, engine
from tests import factories
from tests.papers import semantic
from tests.papers.record_factories import add, record

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def standin(monkeypatch):
    semantic.use(monkeypatch)


def near(text, **limits):
    ids = embeddings.near_text(text, **{"most": 10, "least": 0.3} | limits)
    return [Paper.objects.get(pk=each).title for each in ids]


def test_each_paper_gets_one_vector_once():
    for number in range(3):
        factories.paper(title=f"Robot {number}")

    assert (sum(embeddings.embed()), sum(embeddings.embed())) == (3, 0)
    assert Embedding.objects.count() == 3


def test_the_newest_papers_come_first_and_have_the_highest_numbers():
    for age, title in enumerate(["New", "Old", "Oldest"]):
        factories.paper(title=title, listed_on=factories.TODAY - timedelta(days=age))

    sum(embeddings.embed(most=2))

    in_order = Embedding.objects.order_by("pk").values_list("paper__title", flat=True)
    assert list(in_order) == ["Old", "New"]


def test_the_nearest_come_first_and_what_is_far_does_not_come():
    factories.paper(title="Cooking of rice", abstract="")
    factories.paper(title="Robot arms that grasp", abstract="")
    factories.paper(title="Robot arms", abstract="")
    sum(embeddings.embed())

    assert near("robot arms") == ["Robot arms", "Robot arms that grasp"]
    assert near("robot arms", most=1) == ["Robot arms"]
    assert near("") == []


def test_a_paper_is_not_near_itself():
    paper = factories.paper(title="Robot arms", abstract="")
    other = factories.paper(title="Robot arms that grasp", abstract="")
    sum(embeddings.embed())

    assert embeddings.near_paper(paper, most=5, least=0.3) == [other.pk]
    assert embeddings.near_paper(factories.paper(), most=5) == []


def test_what_came_later_is_found_too_and_only_that_is_loaded(django_assert_num_queries):
    factories.paper(title="Robot arms", abstract="")
    sum(embeddings.embed())
    embeddings.space.refresh()
    factories.paper(title="Robot legs", abstract="")
    sum(embeddings.embed())

    with django_assert_num_queries(1):
        embeddings.space.refresh()
    assert set(near("robot")) == {"Robot arms", "Robot legs"}
    assert len(embeddings.space.rows) == 2


def test_only_the_newest_are_kept_in_memory(monkeypatch):
    monkeypatch.setattr(embeddings, "MOST", 2)
    for title in ("Robot arms", "Robot legs"):
        factories.paper(title=title, abstract="")
    sum(embeddings.embed())
    embeddings.space.refresh()
    factories.paper(title="Robot hands", abstract="", listed_on=factories.TODAY)
    sum(embeddings.embed())

    assert set(near("robot")) == {"Robot legs", "Robot hands"}


def test_a_paper_with_other_words_gets_another_vector():
    told = {"arxiv_id": "2604.09999", "abstract": ""}
    add([record(title="Robot arms", **told)])
    sum(embeddings.embed())
    assert near("robot arms") == ["Robot arms"]

    add([record(title="Speech recognition", **told)])
    assert Embedding.objects.count() == 0
    sum(embeddings.embed())

    assert (near("robot arms"), near("speech")) == ([], ["Speech recognition"])


def test_votes_and_topics_leave_the_vector_as_it_is():
    paper = factories.paper(title="Robot arms")
    engine.index([paper])
    sum(embeddings.embed())
    paper.topics.add(factories.topic("robotics"))

    assert engine.index([paper]) == 1
    assert Embedding.objects.count() == 1


def test_a_text_that_changed_meanwhile_waits_for_the_next_time():
    paper = factories.paper(title="Robot arms")

    made = embeddings.store(
        {paper.pk: "Another text", paper.pk + 1: "Gone"}, {paper.pk: b"x" * 384}
    )

    assert made == 0
    assert embeddings.missing().count() == 1


def test_vectors_of_another_model_are_replaced():
    paper = factories.paper(title="Robot arms")
    Embedding.objects.create(paper=paper, model="another", vector=b"\0" * 10)

    assert sum(embeddings.embed()) == 1
    assert Embedding.objects.get().model == encoder.MODEL


def test_without_the_extra_nothing_is_near(monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(encoder, "is_installed", lambda: False)

    with django_assert_num_queries(0):
        assert embeddings.near_text("robot", most=5) == []
        assert embeddings.near_paper(Paper(pk=1), most=5) == []


def test_a_signed_byte_keeps_a_direction():
    vector = encoder.vector("graph neural networks for molecules")
    (unpacked,) = embeddings.unpacked([embeddings.packed(vector)])

    assert unpacked @ vector == pytest.approx(1, abs=1e-3)

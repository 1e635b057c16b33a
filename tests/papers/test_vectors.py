"""Each paper has one vector, of its present text; the nearest are found among the newest."""

from __future__ import annotations

from datetime import timedelta

import pytest

from papers import encoder, search, vectors
from papers.models import Embedding, Paper
from tests import make
from tests.papers import meaning
from tests.papers.records import add, record

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def standin(monkeypatch):
    meaning.use(monkeypatch)


def near(text, **limits):
    ids = vectors.near_text(text, **{"most": 10, "least": 0.3} | limits)
    return [Paper.objects.get(pk=each).title for each in ids]


def test_each_paper_gets_one_vector_once():
    for number in range(3):
        make.paper(title=f"Robot {number}")

    assert (sum(vectors.embed()), sum(vectors.embed())) == (3, 0)
    assert Embedding.objects.count() == 3


def test_the_newest_papers_come_first_and_have_the_highest_numbers():
    for age, title in enumerate(["New", "Old", "Oldest"]):
        make.paper(title=title, listed_on=make.TODAY - timedelta(days=age))

    sum(vectors.embed(most=2))

    in_order = Embedding.objects.order_by("pk").values_list("paper__title", flat=True)
    assert list(in_order) == ["Old", "New"]


def test_the_nearest_come_first_and_what_is_far_does_not_come():
    make.paper(title="Cooking of rice", abstract="")
    make.paper(title="Robot arms that grasp", abstract="")
    make.paper(title="Robot arms", abstract="")
    sum(vectors.embed())

    assert near("robot arms") == ["Robot arms", "Robot arms that grasp"]
    assert near("robot arms", most=1) == ["Robot arms"]
    assert near("") == []


def test_a_paper_is_not_near_itself():
    paper = make.paper(title="Robot arms", abstract="")
    other = make.paper(title="Robot arms that grasp", abstract="")
    sum(vectors.embed())

    assert vectors.near_paper(paper, most=5, least=0.3) == [other.pk]
    assert vectors.near_paper(make.paper(), most=5) == []


def test_what_came_later_is_found_too_and_only_that_is_loaded(django_assert_num_queries):
    make.paper(title="Robot arms", abstract="")
    sum(vectors.embed())
    vectors.space.refresh()
    make.paper(title="Robot legs", abstract="")
    sum(vectors.embed())

    with django_assert_num_queries(1):
        vectors.space.refresh()
    assert set(near("robot")) == {"Robot arms", "Robot legs"}
    assert len(vectors.space.rows) == 2


def test_only_the_newest_are_kept_in_memory(monkeypatch):
    monkeypatch.setattr(vectors, "MOST", 2)
    for title in ("Robot arms", "Robot legs"):
        make.paper(title=title, abstract="")
    sum(vectors.embed())
    vectors.space.refresh()
    make.paper(title="Robot hands", abstract="", listed_on=make.TODAY)
    sum(vectors.embed())

    assert set(near("robot")) == {"Robot legs", "Robot hands"}


def test_a_paper_with_other_words_gets_another_vector():
    told = {"arxiv_id": "2604.09999", "abstract": ""}
    add([record(title="Robot arms", **told)])
    sum(vectors.embed())
    assert near("robot arms") == ["Robot arms"]

    add([record(title="Speech recognition", **told)])
    assert Embedding.objects.count() == 0
    sum(vectors.embed())

    assert (near("robot arms"), near("speech")) == ([], ["Speech recognition"])


def test_votes_and_topics_leave_the_vector_as_it_is():
    paper = make.paper(title="Robot arms")
    search.index([paper])
    sum(vectors.embed())
    paper.topics.add(make.topic("robotics"))

    assert search.index([paper]) == 1
    assert Embedding.objects.count() == 1


def test_a_text_that_changed_meanwhile_waits_for_the_next_time():
    paper = make.paper(title="Robot arms")

    made = vectors.store({paper.pk: "Another text", paper.pk + 1: "Gone"}, {paper.pk: b"x" * 384})

    assert made == 0
    assert vectors.missing().count() == 1


def test_vectors_of_another_model_are_replaced():
    paper = make.paper(title="Robot arms")
    Embedding.objects.create(paper=paper, model="another", vector=b"\0" * 10)

    assert sum(vectors.embed()) == 1
    assert Embedding.objects.get().model == encoder.MODEL


def test_without_the_extra_nothing_is_near(monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(encoder, "is_installed", lambda: False)

    with django_assert_num_queries(0):
        assert vectors.near_text("robot", most=5) == []
        assert vectors.near_paper(Paper(pk=1), most=5) == []


def test_a_signed_byte_keeps_a_direction():
    vector = encoder.vector("graph neural networks for molecules")
    (unpacked,) = vectors.unpacked([vectors.packed(vector)])

    assert unpacked @ vector == pytest.approx(1, abs=1e-3)

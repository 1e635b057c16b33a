"""Each paper has one vector of its current text; the nearest are found among the newest."""

from __future__ import annotations

from datetime import timedelta

import pytest

from papers.models import Embedding, Paper
from papers.search import embeddings, encoder, engine
from tests import factories
from tests.papers import semantic
from tests.papers.record_factories import record, upsert_records

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fake_encoder(monkeypatch):
    semantic.install_fake_encoder(monkeypatch)


def nearest_titles(text, limit=10):
    paper_ids = embeddings.nearest_to_text(text, limit=limit, min_similarity=0.3)
    return [Paper.objects.get(pk=paper_id).title for paper_id in paper_ids]


def test_each_paper_is_embedded_once():
    for number in range(3):
        factories.paper(title=f"Robot {number}")

    assert (sum(embeddings.embed_missing()), sum(embeddings.embed_missing())) == (3, 0)
    assert Embedding.objects.count() == 3


def test_the_newest_papers_are_chosen_and_get_the_highest_ids():
    for age, title in enumerate(["New", "Old", "Oldest"]):
        factories.paper(title=title, listed_on=factories.TODAY - timedelta(days=age))

    sum(embeddings.embed_missing(limit=2))

    titles = Embedding.objects.order_by("pk").values_list("paper__title", flat=True)
    assert list(titles) == ["Old", "New"]


def test_the_nearest_papers_come_first_and_dissimilar_ones_are_left_out():
    factories.paper(title="Cooking of rice", abstract="")
    factories.paper(title="Robot arms that grasp", abstract="")
    factories.paper(title="Robot arms", abstract="")
    sum(embeddings.embed_missing())

    assert nearest_titles("robot arms") == ["Robot arms", "Robot arms that grasp"]
    assert nearest_titles("robot arms", limit=1) == ["Robot arms"]
    assert nearest_titles("") == []


def test_the_papers_nearest_to_a_paper_exclude_itself():
    paper = factories.paper(title="Robot arms", abstract="")
    other = factories.paper(title="Robot arms that grasp", abstract="")
    sum(embeddings.embed_missing())

    assert embeddings.nearest_to_paper(paper, limit=5, min_similarity=0.3) == [other.pk]
    assert embeddings.nearest_to_paper(factories.paper(), limit=5) == []


def test_later_papers_are_found_and_only_their_vectors_are_loaded(django_assert_num_queries):
    factories.paper(title="Robot arms", abstract="")
    sum(embeddings.embed_missing())
    embeddings.index.refresh()
    factories.paper(title="Robot legs", abstract="")
    sum(embeddings.embed_missing())

    with django_assert_num_queries(1):
        embeddings.index.refresh()
    assert set(nearest_titles("robot")) == {"Robot arms", "Robot legs"}
    assert len(embeddings.index.unit_vectors) == 2


def test_only_the_newest_are_kept_in_memory(monkeypatch):
    monkeypatch.setattr(embeddings, "MAX_INDEXED_PAPERS", 2)
    for title in ("Robot arms", "Robot legs"):
        factories.paper(title=title, abstract="")
    sum(embeddings.embed_missing())
    embeddings.index.refresh()
    factories.paper(title="Robot hands", abstract="", listed_on=factories.TODAY)
    sum(embeddings.embed_missing())

    assert set(nearest_titles("robot")) == {"Robot legs", "Robot hands"}


def test_a_paper_whose_text_changes_is_embedded_again():
    fields = {"arxiv_id": "2604.09999", "abstract": ""}
    upsert_records([record(title="Robot arms", **fields)])
    sum(embeddings.embed_missing())
    assert nearest_titles("robot arms") == ["Robot arms"]

    upsert_records([record(title="Speech recognition", **fields)])
    assert Embedding.objects.count() == 0
    sum(embeddings.embed_missing())

    assert (nearest_titles("robot arms"), nearest_titles("speech")) == ([], ["Speech recognition"])


def test_a_new_topic_keeps_the_vector():
    paper = factories.paper(title="Robot arms")
    engine.update_index([paper])
    sum(embeddings.embed_missing())
    paper.topics.add(factories.topic("robotics"))

    assert engine.update_index([paper]) == 1
    assert Embedding.objects.count() == 1


def test_a_vector_of_an_outdated_text_is_not_stored():
    paper = factories.paper(title="Robot arms")

    saved = embeddings.save_embeddings(
        {paper.pk: "Another text", paper.pk + 1: "Gone"}, {paper.pk: b"x" * 384}
    )

    assert saved == 0
    assert embeddings.papers_without_embedding().count() == 1


def test_vectors_of_another_model_are_replaced():
    paper = factories.paper(title="Robot arms")
    Embedding.objects.create(paper=paper, model="another", vector=b"\0" * 10)

    assert sum(embeddings.embed_missing()) == 1
    assert Embedding.objects.get().model == encoder.MODEL_NAME


def test_without_the_extra_nothing_is_found_and_nothing_queried(
    monkeypatch, django_assert_num_queries
):
    monkeypatch.setattr(encoder, "is_installed", lambda: False)

    with django_assert_num_queries(0):
        assert embeddings.nearest_to_text("robot", limit=5) == []
        assert embeddings.nearest_to_paper(Paper(pk=1), limit=5) == []


def test_quantising_keeps_the_direction():
    vector = encoder.encode("graph neural networks for molecules")
    (restored,) = embeddings.dequantise([embeddings.quantise(vector)])

    assert restored @ vector == pytest.approx(1, abs=1e-3)

"""subscribers/preferences/votes.py"""

from __future__ import annotations

import pytest

from subscribers.models import Vote
from subscribers.preferences import votes
from tests import factories

pytestmark = pytest.mark.django_db


def test_the_latest_vote_on_a_paper_counts():
    ada, paper = factories.subscriber(), factories.paper()

    votes.cast(ada, paper, "more", now=factories.NOW)
    votes.cast(ada, paper, "less", now=factories.NOW)

    assert Vote.objects.get().verb == "less"


def test_only_their_own_votes_are_forgotten():
    ada, ben, paper = factories.subscriber(), factories.subscriber(), factories.paper()
    for reader in (ada, ben):
        votes.cast(reader, paper, "more", now=factories.NOW)

    votes.delete_votes(ada)

    assert Vote.objects.get().subscriber == ben


@pytest.mark.parametrize("readers", [1, 3])
def test_what_many_have_taught_is_one_query(readers, django_assert_num_queries):
    chosen = [factories.subscriber() for _ in range(readers)]
    for reader in chosen:
        factories.vote(reader, factories.paper(topics=["robotics", "speech"]), "more")
        factories.vote(reader, factories.paper(topics=["robotics"]), "more")
        factories.vote(reader, factories.paper(), "less")

    with django_assert_num_queries(1):
        found = votes.topic_adjustments_by_subscriber(chosen)

    taught = {"robotics": 0.25 * 2 / 4, "speech": 0.25 * 1 / 3}
    assert found == {reader.pk: taught for reader in chosen}

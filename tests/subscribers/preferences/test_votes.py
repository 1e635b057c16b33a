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


def test_deleting_votes_leaves_those_of_other_readers():
    ada, ben, paper = factories.subscriber(), factories.subscriber(), factories.paper()
    for reader in (ada, ben):
        votes.cast(reader, paper, "more", now=factories.NOW)

    votes.delete_votes(ada)

    assert Vote.objects.get().subscriber == ben


@pytest.mark.parametrize("reader_count", [1, 3])
def test_the_adjustments_of_many_readers_take_one_query(reader_count, django_assert_num_queries):
    readers = [factories.subscriber() for _ in range(reader_count)]
    for reader in readers:
        factories.vote(reader, factories.paper(topics=["robotics", "speech"]), "more")
        factories.vote(reader, factories.paper(topics=["robotics"]), "more")
        factories.vote(reader, factories.paper(), "less")

    with django_assert_num_queries(1):
        adjustments = votes.topic_adjustments_by_subscriber(readers)

    expected = {"robotics": 0.25 * 2 / 4, "speech": 0.25 * 1 / 3}
    assert adjustments == {reader.pk: expected for reader in readers}

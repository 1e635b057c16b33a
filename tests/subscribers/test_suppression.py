"""subscribers/suppression.py"""

from __future__ import annotations

import hashlib
from itertools import permutations

import pytest

from subscribers import suppression
from subscribers.models import Suppression
from tests import factories

pytestmark = pytest.mark.django_db

Reason = Suppression.Reason
NOW = factories.NOW
ADA, BEN = "ada@example.org", "ben@example.org"


@pytest.mark.parametrize("reason", Reason)
def test_an_address_is_suppressed_until_it_is_removed(reason):
    suppression.suppress(ADA, reason, NOW)

    assert suppression.is_suppressed(ADA)
    assert not suppression.is_suppressed(BEN)

    suppression.remove_suppression(ADA)

    assert not suppression.is_suppressed(ADA)


def test_the_table_does_not_reveal_the_address(settings):
    suppression.suppress(ADA, Reason.BOUNCED, NOW)

    [row] = Suppression.objects.values()
    assert row == {
        "id": row["id"],
        "address_hash": suppression.address_hash(ADA),
        "reason": "bounced",
        "created_at": NOW,
    }
    assert len(row["address_hash"]) == 64
    assert row["address_hash"] != hashlib.sha256(ADA.encode()).hexdigest()


def test_the_hash_depends_on_the_secret_key(settings):
    before = suppression.address_hash(ADA)

    settings.SECRET_KEY = "another"

    assert suppression.address_hash(ADA) != before


def test_a_suppression_survives_a_key_change_while_the_old_key_is_a_fallback(settings):
    suppression.suppress(ADA, Reason.BOUNCED, NOW)

    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "new"
    assert suppression.is_suppressed(ADA)
    assert suppression.suppressed_emails([ADA, BEN]) == {ADA}

    suppression.remove_suppression(ADA)
    assert not suppression.is_suppressed(ADA)


@pytest.mark.parametrize("count", [1, 3, 500])
def test_many_addresses_are_looked_up_in_one_query(count, django_assert_num_queries):
    suppression.suppress(ADA, Reason.ERASED, NOW)

    with django_assert_num_queries(1):
        suppressed = suppression.suppressed_emails(
            [ADA, *(f"reader{n}@example.org" for n in range(count))]
        )

    assert suppressed == {ADA}


@pytest.mark.parametrize("reasons", list(permutations(Reason)))
def test_the_most_severe_reason_persists_in_any_order(reasons):
    for reason in reasons * 2:
        suppression.suppress(ADA, reason, NOW)

    assert [row.reason for row in Suppression.objects.all()] == [Reason.COMPLAINED]


def test_every_reason_has_a_severity():
    assert sorted(suppression.REASONS_BY_SEVERITY) == sorted(Reason)

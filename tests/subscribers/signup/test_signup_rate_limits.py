"""The sign-up limits, through the pages: what an attacker gets, and what others get meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from django.utils import timezone

from papers.web import ratelimit
from subscribers import tasks
from subscribers.signup import abuse_protection, confirmations, proof_of_work
from tests import factories
from tests.subscribers.pow_solver import solve_challenge

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("cheap_proof_of_work")]

NOW = factories.NOW
HOUR = timedelta(hours=1)
ACCEPTED = 200
HTMX = {"HX-Request": "true"}  # Renders the form alone, which is faster than the whole page.
VICTIM, PERSON = "victim@example.org", "person@example.com"


@pytest.fixture(autouse=True)
def _noon():
    with time_machine.travel(NOW, tick=False):
        yield


def post_signup(email: str, ip: str, *, has_proof: bool = False) -> int:
    proof = solve_challenge(proof_of_work.create_challenge(now=timezone.now())) if has_proof else ""
    form = factories.signup_form_data(email, proof=proof)
    return Client(REMOTE_ADDR=ip).post("/subscribe/", form, headers=HTMX).status_code


def addresses(network: int) -> Iterator[str]:
    while True:
        yield from (f"198.18.{network}.{host}" for host in range(1, 255))


def sent_to(outbox: list[EmailMultiAlternatives]) -> list[str]:
    """Run the sweep and return the recipients."""
    tasks.send_due_confirmations()
    return [message.to[0] for message in outbox]


@pytest.mark.parametrize(
    ("times", "has_proof", "limit"),
    [
        (100, False, abuse_protection.PER_NETWORK_LIMIT_WITHOUT_POW),
        (70, True, abuse_protection.PER_NETWORK_LIMIT),
    ],
    ids=["without proof", "with proof"],
)
def test_a_flood_from_one_network_does_not_block_other_networks(
    mailoutbox, times, has_proof, limit
):
    hosts = addresses(1)
    statuses = [
        post_signup(f"flood{number}@example.org", next(hosts), has_proof=has_proof)
        for number in range(times)
    ]
    assert post_signup(PERSON, "203.0.113.9", has_proof=has_proof) == ACCEPTED

    sent = sent_to(mailoutbox)

    allowed = int(limit.partition("/")[0])
    assert (statuses.count(ACCEPTED), statuses.count(429)) == (allowed, times - allowed)
    assert len(sent) == allowed + 1
    assert sent[-1] == PERSON


def test_one_household_cannot_use_up_its_network_s_limit(mailoutbox):
    statuses = [post_signup(f"flood{number}@example.org", "198.18.1.7") for number in range(50)]
    assert post_signup(PERSON, "198.18.1.8") == ACCEPTED

    assert statuses.count(ACCEPTED) == 3
    assert len(sent_to(mailoutbox)) == 4


def test_requests_from_many_networks_send_one_victim_three_mails_a_day(mailoutbox):
    for network in range(20):
        post_signup(VICTIM, f"198.18.{network}.1", has_proof=True)
    post_signup(PERSON, "203.0.113.9", has_proof=True)
    assert sorted(sent_to(mailoutbox)) == [PERSON, VICTIM]

    for hour in range(1, 24):
        with time_machine.travel(NOW + hour * HOUR, tick=False):
            post_signup(VICTIM, f"198.19.{hour}.1", has_proof=True)
            tasks.send_due_confirmations()

    assert [message.to for message in mailoutbox].count([VICTIM]) == confirmations.MAX_BURST


def test_one_mailbox_with_many_addresses_gets_five_mails_a_day(mailoutbox):
    addresses_of_mailbox = [f"v.ictim+{number}@gmail.com" for number in range(4)]
    addresses_of_mailbox += [f"vic.tim+{number}@gmail.com" for number in range(4)]

    statuses = {
        post_signup(email, f"198.18.{number}.1", has_proof=True)
        for number, email in enumerate(addresses_of_mailbox)
    }

    assert statuses == {ACCEPTED}
    assert len(sent_to(mailoutbox)) == 5


def test_requests_without_proof_share_a_limit_of_their_own(mailoutbox, monkeypatch):
    monkeypatch.setattr(abuse_protection, "TOTAL_LIMIT_WITHOUT_POW", "10/hour")

    statuses = [post_signup(f"flood{n}@example.org", f"100.64.{n}.1") for n in range(20)]

    assert statuses.count(ACCEPTED) == 10
    assert post_signup("late@example.com", "203.0.113.8") == 429
    assert post_signup(PERSON, "203.0.113.9", has_proof=True) == ACCEPTED
    assert len(sent_to(mailoutbox)) == 11


def test_the_hourly_limit_delays_mails_and_loses_none(mailoutbox, settings, caplog):
    settings.CONFIRMATIONS_PER_HOUR = 5
    for _ in range(8):
        factories.subscriber(status="pending", confirmation_requested_at=NOW)

    assert len(sent_to(mailoutbox)) == 5
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == [
        "The hourly limit of 5 confirmation mails is used up; the next mails leave in 60 minutes:"
        " see docs/operators/signup.md."
    ]

    if not settings.REDIS_URL:  # Redis uses the real clock.
        with time_machine.travel(NOW + HOUR + timedelta(seconds=1), tick=False):
            assert len(sent_to(mailoutbox)) == 8


@pytest.mark.skipif(not settings.REDIS_URL, reason="needs a Redis: python -m tests.servers")
def test_without_the_rate_limit_storage_requests_are_accepted_and_mails_wait(mailoutbox, settings):
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    ratelimit.storage_down_until.clear()

    assert post_signup(PERSON, "203.0.113.9") == ACCEPTED
    assert sent_to(mailoutbox) == []


def test_an_ipv6_household_counts_as_one_client():
    statuses = [post_signup(f"flood{n}@example.org", f"2001:db8:1:1::{n + 1:x}") for n in range(10)]

    assert statuses.count(ACCEPTED) == 3

"""What an attacker gets out of us, and what a person gets meanwhile: real pages, real limits."""

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
ASKED = 200
HTMX = {"HX-Request": "true"}  # the form alone, which costs less than the whole page
VICTIM, PERSON = "victim@example.org", "person@example.com"


@pytest.fixture(autouse=True)
def _noon():
    with time_machine.travel(NOW, tick=False):
        yield


def press(email: str, ip: str, *, proven: bool = False) -> int:
    proof = solve_challenge(proof_of_work.create_challenge(now=timezone.now())) if proven else ""
    form = factories.signup_form_data(email, proof=proof)
    return Client(REMOTE_ADDR=ip).post("/subscribe/", form, headers=HTMX).status_code


def addresses(network: int) -> Iterator[str]:
    while True:
        yield from (f"198.18.{network}.{host}" for host in range(1, 255))


def sent_to(outbox: list[EmailMultiAlternatives]) -> list[str]:
    """The sweep, as it runs each minute; then who was written to."""
    tasks.send_due_confirmations()
    return [message.to[0] for message in outbox]


@pytest.mark.parametrize(
    ("times", "proven", "most"),
    [
        (100, False, abuse_protection.PER_NETWORK_LIMIT_WITHOUT_POW),
        (70, True, abuse_protection.PER_NETWORK_LIMIT),
    ],
    ids=["without proof", "with proof"],
)
def test_a_flood_from_one_network_gets_its_share_and_a_person_elsewhere_theirs(
    mailoutbox, times, proven, most
):
    hosts = addresses(1)
    statuses = [
        press(f"flood{number}@example.org", next(hosts), proven=proven) for number in range(times)
    ]
    assert press(PERSON, "203.0.113.9", proven=proven) == ASKED

    sent = sent_to(mailoutbox)

    allowed = int(most.partition("/")[0])
    assert (statuses.count(ASKED), statuses.count(429)) == (allowed, times - allowed)
    assert len(sent) == allowed + 1
    assert sent[-1] == PERSON


def test_one_household_cannot_use_up_its_network_s_share(mailoutbox):
    statuses = [press(f"flood{number}@example.org", "198.18.1.7") for number in range(50)]
    assert press(PERSON, "198.18.1.8") == ASKED

    assert statuses.count(ASKED) == 3
    assert len(sent_to(mailoutbox)) == 4


def test_a_victim_gets_one_mail_from_two_hundred_networks_and_three_in_a_day(mailoutbox):
    for network in range(200):
        press(VICTIM, f"198.18.{network}.1", proven=True)
    press(PERSON, "203.0.113.9", proven=True)
    assert sorted(sent_to(mailoutbox)) == [PERSON, VICTIM]

    for hour in range(1, 24):
        with time_machine.travel(NOW + hour * HOUR, tick=False):
            press(VICTIM, f"198.19.{hour}.1", proven=True)
            tasks.send_due_confirmations()

    assert [message.to for message in mailoutbox].count([VICTIM]) == confirmations.MAX_BURST


def test_one_mailbox_under_many_names_gets_five_mails_a_day(mailoutbox):
    names = [f"v.ictim+{number}@gmail.com" for number in range(4)]
    names += [f"vic.tim+{number}@gmail.com" for number in range(4)]

    statuses = {press(name, f"198.18.{number}.1", proven=True) for number, name in enumerate(names)}

    assert statuses == {ASKED}
    assert len(sent_to(mailoutbox)) == 5


def test_without_proof_a_thousand_networks_use_up_their_own_room_only(mailoutbox, monkeypatch):
    monkeypatch.setattr(abuse_protection, "TOTAL_LIMIT_WITHOUT_POW", "10/hour")

    statuses = [press(f"flood{n}@example.org", f"100.64.{n}.1") for n in range(20)]

    assert statuses.count(ASKED) == 10
    assert press("late@example.com", "203.0.113.8") == 429
    assert press(PERSON, "203.0.113.9", proven=True) == ASKED
    assert len(sent_to(mailoutbox)) == 11


def test_the_last_fuse_holds_mails_back_and_loses_none(mailoutbox, settings, caplog):
    settings.CONFIRMATIONS_PER_HOUR = 5
    for _ in range(8):
        factories.subscriber(status="pending", confirmation_requested_at=NOW)

    assert len(sent_to(mailoutbox)) == 5
    assert [each.message for each in caplog.records if each.levelname == "ERROR"] == [
        "That was the last of 5 confirmation mails for 60 minutes: see docs/joining.md."
    ]

    if not settings.REDIS_URL:  # whose windows follow the clock of its own machine
        with time_machine.travel(NOW + HOUR + timedelta(seconds=1), tick=False):
            assert len(sent_to(mailoutbox)) == 8


@pytest.mark.skipif(not settings.REDIS_URL, reason="needs a Redis: python -m tests.servers")
def test_while_the_counter_is_away_people_may_ask_and_their_mail_waits(mailoutbox, settings):
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    ratelimit.storage_down_until.clear()

    assert press(PERSON, "203.0.113.9") == ASKED
    assert sent_to(mailoutbox) == []


def test_a_household_has_2_to_the_64_addresses_and_is_one():
    statuses = [press(f"flood{n}@example.org", f"2001:db8:1:1::{n + 1:x}") for n in range(10)]

    assert statuses.count(ASKED) == 3

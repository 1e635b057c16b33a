"""Tokens and links made at revision 2de9db3 (version 0.2.0 was not yet cut) still work.

They stand in mails that were sent, on pages that are open and in programs' cursors, so the signing
salts and layouts behind them must never change with the name of a module. The tokens were recorded
in recorded_tokens.json with this SECRET_KEY, at this time, for these rows.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.test import Client
from limits import parse

from newsletter.models import Clicks
from papers.web import ratelimit
from subscribers import suppression
from subscribers.models import Subscriber, Suppression, TopicChoice, Vote
from subscribers.signup import proof_of_work
from tests import factories

RECORDED: dict[str, Any] = json.loads(
    Path(__file__).with_name("recorded_tokens.json").read_text(encoding="utf-8")
)
LINKS: dict[str, str] = RECORDED["links"]
SECRET_KEY = "recorded-at-2de9db3-0123456789-abcdefghijklmnop"
RECORDED_AT = datetime(2026, 5, 12, 6, 0, tzinfo=UTC)
Status = Subscriber.Status

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def five_minutes_later(settings):
    settings.SECRET_KEY = SECRET_KEY
    settings.SITE_URL = "https://papers.example.org"
    settings.INBOUND_DOMAIN = "in.example.org"
    settings.EMAIL_PROVIDER = "postmark"
    settings.CLICKS = True
    with time_machine.travel(RECORDED_AT.replace(minute=5), tick=False):
        yield


@pytest.fixture
def papers():
    factories.topic("robotics", pk=41)
    return [
        factories.paper(
            pk=70 + number,
            arxiv_id=f"2605.0100{number}",
            title=f"Recorded paper {number}",
            listed_on=date(2026, 5, 11 - number % 3),
            published_on=date(2026, 5, 10),
            topics=["robotics"],
            upvotes=40 - number,
        )
        for number in range(5)
    ]


def make_reader(**fields: Any) -> Subscriber:
    return factories.subscriber(
        email="ada@example.org",
        public_id=UUID("6f1c2f0e-3a57-4c8e-9b1d-0d6c5a1e2b3f"),
        confirmation_nonce=UUID("d1a7f1b2-8a3e-4d9a-8f57-2b1f0c9e7a64"),
        **fields,
    )


def path(url: str) -> str:
    return url.removeprefix("https://papers.example.org")


def test_confirm(client: Client):
    reader = make_reader(status=Status.PENDING)

    assert client.get(f"/confirm/{LINKS['confirm']}/").status_code == 200
    assert client.post(f"/confirm/{LINKS['confirm']}/").status_code == 303

    reader.refresh_from_db()
    assert reader.status == Status.ACTIVE


def test_preferences(client: Client):
    make_reader()

    assert client.get(f"/preferences/{LINKS['preferences']}/").status_code == 200


def test_unsubscribe_by_link(client: Client):
    reader = make_reader()

    assert client.post(f"/unsubscribe/{LINKS['unsubscribe']}/").status_code == 200

    reader.refresh_from_db()
    assert reader.status == Status.LEFT


def test_unsubscribe_by_mail_address():
    from subscribers.mail import links  # noqa: PLC0415 -- the one function without an address

    reader = make_reader()

    assert links.unsubscribe_address(reader) == RECORDED["mailbox"]
    assert links.read_unsubscribe_address(RECORDED["mailbox"]) == reader


def test_resubscribe(client: Client):
    reader = make_reader(status=Status.LEFT, left_at=RECORDED_AT, confirmed_at=RECORDED_AT)

    assert client.post(f"/resubscribe/{LINKS['resubscribe']}/").status_code == 303

    reader.refresh_from_db()
    assert reader.status == Status.ACTIVE


def test_farewell(client: Client):
    make_reader(status=Status.LEFT, left_at=RECORDED_AT)

    response = client.post(f"/farewell/{LINKS['farewell']}/", {"reason": "no_time"})

    assert (response.status_code, response["Location"]) == (303, "/farewell/")


@pytest.mark.parametrize("action", ["more", "less", "mute"])
def test_feedback(action, client: Client, papers):
    reader = make_reader()
    address = path(RECORDED["feedback"][action])

    page = client.get(address).content.decode()

    assert ("Robotics" if action == "mute" else "Recorded paper 0") in page
    assert client.post(address, {"word": action}).status_code in (200, 303)
    assert Vote.objects.filter(subscriber=reader).count() == (action != "mute")
    assert TopicChoice.objects.filter(attitude="mute").count() == (action == "mute")


def test_clicks(client: Client, papers):
    edition = factories.edition()
    factories.entry(edition=edition, paper=papers[0], pk=90)

    response = client.get(path(RECORDED["click"]))

    assert (response.status_code, response["Location"]) == (302, papers[0].pdf_url)
    assert Clicks.objects.get().kind == "pdf"


def test_an_expired_link_gets_a_fresh_one(client: Client, mailoutbox):
    make_reader()

    with time_machine.travel(RECORDED_AT.replace(year=2027), tick=False):
        assert client.get(f"/preferences/{LINKS['preferences']}/").status_code == 400
        assert client.post(f"/fresh-link/{LINKS['preferences']}/").status_code == 303

    reader = Subscriber.objects.get()
    assert reader.confirmation_requested_at is not None


@pytest.mark.parametrize(
    ("form", "address"), [("page", "/subscribe/"), ("embed", "/subscribe/embed/")]
)
def test_form_tokens(form, address, client: Client):
    fields = {"email": "new@example.org", "seal": RECORDED["forms"][form]}

    assert client.post(address, fields).status_code == 303
    assert Subscriber.objects.get().consents.get().form == form


def test_the_proof_of_work_that_a_page_is_solving():
    assert proof_of_work.verify_proof(RECORDED["solution"])
    assert not proof_of_work.verify_proof(RECORDED["solution"])  # once


def test_cursors(client: Client, papers):
    for day in (date(2026, 5, 12), date(2026, 5, 11)):
        factories.edition(day=day, papers=[])

    for next_page in RECORDED["api"].values():
        assert client.get(path(next_page)).status_code == 200


def test_suppressed_addresses_stay_suppressed():
    Suppression.objects.create(address_hash=RECORDED["suppression"], reason="complained")

    assert suppression.is_suppressed("ada@example.org")


def test_rate_limits_go_on_counting():
    key = ratelimit.storage_key(parse("5/hour"), ("signup", "203.0.113.9"))

    assert key == RECORDED["ratelimit"]

"""newsletter/digest/click_tracking.py and the address that its links lead to"""

from __future__ import annotations

import re
from typing import Any

import pytest
import time_machine
from django.conf import settings as project
from django.core.signing import Signer
from django.db import IntegrityError, transaction
from django.test import Client

from newsletter.digest import cards, click_tracking
from newsletter.digest.click_tracking import LinkKind
from newsletter.models import Clicks, Entry
from tests import factories

pytestmark = pytest.mark.django_db

NOW = factories.NOW
CODE = "https://github.com/example/project"


@pytest.fixture
def entry() -> Entry:
    paper = factories.paper(code_url=CODE, project_url="https://example.org/")
    return factories.entry(edition=factories.edition(), paper=paper)


@pytest.fixture
def counting(settings: Any) -> None:
    settings.CLICKS = True


def path(entry: Entry, kind: LinkKind) -> str:
    return click_tracking.tracking_url(entry, kind).removeprefix(project.SITE_URL)


def counts() -> list[tuple[str, int]]:
    return list(Clicks.objects.order_by("kind").values_list("kind", "count"))


def shown(entry: Entry) -> set[str]:
    card = cards.card_context(entry, {}, "full")["card"]
    return {address for name, address in card.items() if name.endswith("_url") and address}


def test_it_is_off_and_links_lead_straight_to_the_paper(entry: Entry) -> None:
    assert not project.CLICKS
    assert shown(entry) == set(filter(None, click_tracking.target_urls(entry.paper).values()))


@pytest.mark.usefixtures("counting")
def test_with_it_on_every_link_leads_through_us_to_where_it_led(entry: Entry) -> None:
    addresses = shown(entry)
    answers = [Client().get(each.removeprefix(project.SITE_URL)) for each in addresses]

    assert {re.sub(r"[^/]+/$", "", each) for each in addresses} == {f"{project.SITE_URL}/go/"}
    assert {answer.status_code for answer in answers} == {302}
    assert {answer["Location"] for answer in answers} == set(
        filter(None, click_tracking.target_urls(entry.paper).values())
    )
    assert {answer["Referrer-Policy"] for answer in answers} == {"no-referrer"}
    assert not any(answer.cookies for answer in answers)


@pytest.mark.usefixtures("counting")
def test_clicks_are_counted_by_link_and_day_and_nothing_else(entry: Entry) -> None:
    for day in (12, 12, 13):
        with time_machine.travel(NOW.replace(day=day), tick=False):
            Client().get(path(entry, LinkKind.CODE))
    Client().get(path(entry, LinkKind.PDF))

    assert sorted(counts()) == [("code", 1), ("code", 2), ("pdf", 1)]
    fields = {field.name for field in Clicks._meta.concrete_fields}
    assert fields == {"id", "entry", "kind", "day", "count"}


@pytest.mark.usefixtures("counting")
def test_who_only_looks_where_a_link_leads_is_not_counted(entry: Entry) -> None:
    answer = Client().head(path(entry, LinkKind.CODE))

    assert (answer.status_code, answer["Location"], counts()) == (302, CODE, [])
    assert Client().post(path(entry, LinkKind.CODE)).status_code == 405


def test_links_of_mails_from_before_still_lead_on_uncounted(entry: Entry) -> None:
    assert Client().get(path(entry, LinkKind.CODE))["Location"] == CODE
    assert counts() == []


@pytest.mark.usefixtures("counting")
def test_what_we_did_not_sign_leads_nowhere(entry: Entry) -> None:
    token = path(entry, LinkKind.CODE).split("/")[2]
    foreign = Signer(salt="subscribers.links.preferences", sep=".").sign(token.split(".")[0])
    other = path(entry, LinkKind.PDF).split("/")[2]
    mixed = f"{token.split('.')[0]}.{other.split('.')[1]}"
    forged = [mixed, token[:-1], f"x{token}", foreign, "https:example.org", "é", "x" * 5000, "."]

    assert {Client().get(f"/go/{each}/").status_code for each in forged} == {404}
    assert counts() == []


def test_a_link_outlives_a_change_of_the_key(entry: Entry, settings: Any) -> None:
    address = path(entry, LinkKind.CODE)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another"

    assert Client().get(address)["Location"] == CODE


def test_a_link_to_what_has_gone_is_a_page_that_is_not_there(entry: Entry) -> None:
    code, page = path(entry, LinkKind.CODE), path(entry, LinkKind.PAGE)
    entry.paper.code_url = ""
    entry.paper.save()
    gone = [Client().get(code).status_code]
    entry.delete()

    assert [*gone, Client().get(page).status_code] == [404, 404]


def test_the_links_are_the_same_in_everybody_s_mail(entry: Entry) -> None:
    assert click_tracking.tracking_url(entry, LinkKind.PDF) == click_tracking.tracking_url(
        entry, LinkKind.PDF
    )
    assert set(click_tracking.KIND_CODES) == set(LinkKind)


@pytest.mark.parametrize("changed", [{"kind": "smile"}, {}])
def test_the_schema_refuses_an_unknown_kind_and_a_second_count(
    entry: Entry, changed: dict[str, str]
) -> None:
    row = {"entry": entry, "kind": "pdf", "day": NOW.date()}
    Clicks.objects.create(**row)

    with pytest.raises(IntegrityError), transaction.atomic():
        Clicks.objects.create(**row | changed)

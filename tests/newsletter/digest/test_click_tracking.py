"""newsletter/digest/click_tracking.py and the view behind its links"""

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
def clicks_on(settings: Any) -> None:
    settings.CLICKS = True


def path(entry: Entry, kind: LinkKind) -> str:
    return click_tracking.tracking_url(entry, kind).removeprefix(project.SITE_URL)


def counts() -> list[tuple[str, int]]:
    return list(Clicks.objects.order_by("kind").values_list("kind", "count"))


def card_urls(entry: Entry) -> set[str]:
    card = cards.card_context(entry, {}, "full")["card"]
    return {url for name, url in card.items() if name.endswith("_url") and url}


def test_by_default_links_lead_directly_to_the_paper(entry: Entry) -> None:
    assert not project.CLICKS
    assert card_urls(entry) == set(filter(None, click_tracking.target_urls(entry.paper).values()))


@pytest.mark.usefixtures("clicks_on")
def test_tracked_links_redirect_to_the_same_targets(entry: Entry) -> None:
    urls = card_urls(entry)
    responses = [Client().get(url.removeprefix(project.SITE_URL)) for url in urls]

    assert {re.sub(r"[^/]+/$", "", url) for url in urls} == {f"{project.SITE_URL}/go/"}
    assert {response.status_code for response in responses} == {302}
    assert {response["Location"] for response in responses} == set(
        filter(None, click_tracking.target_urls(entry.paper).values())
    )
    assert {response["Referrer-Policy"] for response in responses} == {"no-referrer"}
    assert not any(response.cookies for response in responses)


@pytest.mark.usefixtures("clicks_on")
def test_clicks_are_counted_by_link_and_day_only(entry: Entry) -> None:
    for day in (12, 12, 13):
        with time_machine.travel(NOW.replace(day=day), tick=False):
            Client().get(path(entry, LinkKind.CODE))
    Client().get(path(entry, LinkKind.PDF))

    assert sorted(counts()) == [("code", 1), ("code", 2), ("pdf", 1)]
    fields = {field.name for field in Clicks._meta.concrete_fields}
    assert fields == {"id", "entry", "kind", "day", "count"}


@pytest.mark.usefixtures("clicks_on")
def test_a_head_request_is_not_counted(entry: Entry) -> None:
    response = Client().head(path(entry, LinkKind.CODE))

    assert (response.status_code, response["Location"], counts()) == (302, CODE, [])
    assert Client().post(path(entry, LinkKind.CODE)).status_code == 405


def test_tracked_links_of_old_mails_still_redirect_uncounted_after_clicks_are_turned_off(
    entry: Entry,
) -> None:
    assert Client().get(path(entry, LinkKind.CODE))["Location"] == CODE
    assert counts() == []


@pytest.mark.usefixtures("clicks_on")
def test_a_forged_token_is_not_found(entry: Entry) -> None:
    token = path(entry, LinkKind.CODE).split("/")[2]
    foreign = Signer(salt="subscribers.links.preferences", sep=".").sign(token.split(".")[0])
    other = path(entry, LinkKind.PDF).split("/")[2]
    mixed = f"{token.split('.')[0]}.{other.split('.')[1]}"
    forged = [mixed, token[:-1], f"x{token}", foreign, "https:example.org", "é", "x" * 5000, "."]

    assert {Client().get(f"/go/{text}/").status_code for text in forged} == {404}
    assert counts() == []


def test_a_link_still_works_after_a_key_rotation(entry: Entry, settings: Any) -> None:
    code_path = path(entry, LinkKind.CODE)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another"

    assert Client().get(code_path)["Location"] == CODE


def test_a_link_to_a_deleted_target_or_entry_is_not_found(entry: Entry) -> None:
    code, page = path(entry, LinkKind.CODE), path(entry, LinkKind.PAGE)
    entry.paper.code_url = ""
    entry.paper.save()
    statuses = [Client().get(code).status_code]
    entry.delete()
    statuses.append(Client().get(page).status_code)

    assert statuses == [404, 404]


def test_a_link_is_the_same_for_every_reader(entry: Entry) -> None:
    assert click_tracking.tracking_url(entry, LinkKind.PDF) == click_tracking.tracking_url(
        entry, LinkKind.PDF
    )
    assert set(click_tracking.KIND_CODES) == set(LinkKind)


@pytest.mark.parametrize("changed", [{"kind": "smile"}, {}])
def test_the_database_rejects_an_unknown_kind_and_a_second_row(
    entry: Entry, changed: dict[str, str]
) -> None:
    row = {"entry": entry, "kind": "pdf", "day": NOW.date()}
    Clicks.objects.create(**row)

    with pytest.raises(IntegrityError), transaction.atomic():
        Clicks.objects.create(**row | changed)

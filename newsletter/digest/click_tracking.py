"""Which links of a digest are followed, counted for everybody together; only if the operator wants it.

A link names an entry and what of it, signed; it holds no reader and no address to go to, so it can
neither tell on anybody nor lead anywhere but to that paper.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime

from django.conf import settings
from django.core.signing import b62_decode, b62_encode
from django.db import transaction
from django.db.models import F
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac

from newsletter.models import Clicks, Entry
from papers.models import Paper

Kind = Clicks.Kind

# A token is one number, of the entry's row and the place of its kind among these, and its proof. It
# is short: twenty papers have a hundred links, and Gmail cuts long mails.
CODES = [Kind.PAGE, Kind.ARXIV, Kind.PDF, Kind.SOURCE, Kind.CODE, Kind.PROJECT, Kind.DISCUSSION]
PROOF_BYTES = 12
LONGEST = 40


class BadLink(ValueError):
    """Not one of ours, or its paper has gone, or no longer has what it led to."""


def targets(paper: Paper) -> dict[Kind, str]:
    """Where each link of a card leads; empty where there is none."""
    page = f"{settings.SITE_URL}{paper.get_absolute_url()}"
    return {
        Kind.PAGE: page,
        Kind.ARXIV: paper.arxiv_url,
        Kind.PDF: paper.pdf_url,
        Kind.SOURCE: paper.doi_url or page,
        Kind.CODE: paper.code_url,
        Kind.PROJECT: paper.project_url,
        Kind.DISCUSSION: paper.discussion_url,
    }


def urls(entry: Entry) -> Mapping[Kind, str]:
    """The addresses that a card shows: the targets or, with counting on, ours in their place."""
    found = targets(entry.paper)
    if not settings.CLICKS:
        return found
    return {kind: url(entry, kind) if target else "" for kind, target in found.items()}


def url(entry: Entry, kind: Kind) -> str:
    content = b62_encode(entry.pk * len(CODES) + CODES.index(kind))
    token = f"{content}.{proof(content, settings.SECRET_KEY)}"
    return settings.SITE_URL + reverse("newsletter:go", args=[token])


def proof(content: str, key: str) -> str:
    digest = salted_hmac("newsletter.clicks", content, secret=key, algorithm="sha256").digest()
    return urlsafe_b64encode(digest[:PROOF_BYTES]).decode()


def signed(token: str) -> str:
    """What a token holds, if we signed it."""
    content, _, shown = token.partition(".")
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    if len(token) > LONGEST or not any(
        constant_time_compare(shown, proof(content, key)) for key in keys
    ):
        raise BadLink
    return content


def read(token: str) -> tuple[Entry, Kind, str]:
    """The entry, what of it, and the address that this leads to."""
    number, code = divmod(b62_decode(signed(token)), len(CODES))
    entry = Entry.objects.select_related("paper").filter(pk=number).first()
    if entry is None:
        raise BadLink
    kind = CODES[code]
    if not (target := targets(entry.paper)[kind]):
        raise BadLink
    return entry, kind, target


@transaction.atomic
def count(entry: Entry, kind: Kind, *, now: datetime) -> None:
    """One more on this day; nothing about who it was."""
    row, _ = Clicks.objects.get_or_create(entry=entry, kind=kind, day=now.date())
    Clicks.objects.filter(pk=row.pk).update(count=F("count") + 1)

"""Which links of a digest are followed, counted for everybody together; only if the operator wants it.

A link names an entry and what of it, signed; it holds no reader and no address to go to, so it can
neither tell on anybody nor lead anywhere but to that paper.
"""

from __future__ import annotations

import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.db import transaction
from django.db.models import F
from django.urls import reverse

from newsletter.models import Clicks, Entry
from papers.models import Paper

Kind = Clicks.Kind

# A token holds the place of its kind among these, and the number of the entry's row.
CODES = [Kind.PAGE, Kind.ARXIV, Kind.PDF, Kind.SOURCE, Kind.CODE, Kind.PROJECT, Kind.DISCUSSION]
LAYOUT = struct.Struct(">BQ")
LONGEST = 100


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
    content = urlsafe_b64encode(LAYOUT.pack(CODES.index(kind), entry.pk)).decode()
    return settings.SITE_URL + reverse("newsletter:go", args=[signer().sign(content)])


def signer() -> Signer:
    return Signer(salt="newsletter.clicks", sep=".")


def read(token: str) -> tuple[Entry, Kind, str]:
    """The entry, what of it, and the address that this leads to."""
    if len(token) > LONGEST or not token.isascii():
        raise BadLink
    try:
        code, number = LAYOUT.unpack(urlsafe_b64decode(signer().unsign(token)))
        entry = Entry.objects.select_related("paper").get(pk=number)
    except (BadSignature, Entry.DoesNotExist):
        raise BadLink from None
    kind = CODES[code]
    if not (target := targets(entry.paper)[kind]):
        raise BadLink
    return entry, kind, target


@transaction.atomic
def count(entry: Entry, kind: Kind, *, now: datetime) -> None:
    """One more on this day; nothing about who it was."""
    row, _ = Clicks.objects.get_or_create(entry=entry, kind=kind, day=now.date())
    Clicks.objects.filter(pk=row.pk).update(count=F("count") + 1)

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

from newsletter.models import Clicks, Entry
from papers.models import Paper
from papers.web import signatures

LinkKind = Clicks.LinkKind

SALT = "newsletter.clicks"

# A token is one number, of the entry's row and the place of its kind among these, and its proof. It
# is short: twenty papers have a hundred links, and Gmail cuts long mails.
KIND_CODES = [
    LinkKind.PAGE,
    LinkKind.ARXIV,
    LinkKind.PDF,
    LinkKind.SOURCE,
    LinkKind.CODE,
    LinkKind.PROJECT,
    LinkKind.DISCUSSION,
]
MAX_TOKEN_CHARS = 40


class InvalidTrackingLinkError(ValueError):
    """Not one of ours, or its paper has gone, or no longer has what it led to."""


def target_urls(paper: Paper) -> dict[LinkKind, str]:
    """Where each link of a card leads; empty where there is none."""
    page = f"{settings.SITE_URL}{paper.get_absolute_url()}"
    return {
        LinkKind.PAGE: page,
        LinkKind.ARXIV: paper.arxiv_url,
        LinkKind.PDF: paper.pdf_url,
        LinkKind.SOURCE: paper.doi_url or page,
        LinkKind.CODE: paper.code_url,
        LinkKind.PROJECT: paper.project_url,
        LinkKind.DISCUSSION: paper.discussion_url,
    }


def card_urls(entry: Entry) -> Mapping[LinkKind, str]:
    """The addresses that a card shows: the targets or, with counting on, ours in their place."""
    found = target_urls(entry.paper)
    if not settings.CLICKS:
        return found
    return {kind: tracking_url(entry, kind) if target else "" for kind, target in found.items()}


def tracking_url(entry: Entry, kind: LinkKind) -> str:
    content = b62_encode(entry.pk * len(KIND_CODES) + KIND_CODES.index(kind))
    token = f"{content}.{encode_signature(signatures.short_signature(SALT, content))}"
    return settings.SITE_URL + reverse("newsletter:go", args=[token])


def encode_signature(signature: bytes) -> str:
    return urlsafe_b64encode(signature).decode()


def unsign(token: str) -> str:
    """What a token holds, if we signed it."""
    content, _, shown = token.partition(".")
    if len(token) > MAX_TOKEN_CHARS or not signatures.verify_short_signature(
        SALT, content, shown, encode=encode_signature
    ):
        raise InvalidTrackingLinkError
    return content


def resolve_token(token: str) -> tuple[Entry, LinkKind, str]:
    """The entry, what of it, and the address that this leads to."""
    number, code = divmod(b62_decode(unsign(token)), len(KIND_CODES))
    entry = Entry.objects.select_related("paper").filter(pk=number).first()
    if entry is None:
        raise InvalidTrackingLinkError
    kind = KIND_CODES[code]
    if not (target := target_urls(entry.paper)[kind]):
        raise InvalidTrackingLinkError
    return entry, kind, target


@transaction.atomic
def record_click(entry: Entry, kind: LinkKind, *, now: datetime) -> None:
    """One more on this day; nothing about who it was."""
    row, _ = Clicks.objects.get_or_create(entry=entry, kind=kind, day=now.date())
    Clicks.objects.filter(pk=row.pk).update(count=F("count") + 1)

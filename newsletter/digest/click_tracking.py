"""Count clicks on the links of digests, in total and never per reader; off by default.

A tracked link holds a signed entry and link kind. It holds no reader and no target URL, so it cannot
identify anybody and cannot be turned into an open redirect.
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

LinkKind = Clicks.LinkKind

# A token is a number (the entry's id and the index of its kind in this list) and a short signature:
# twenty papers have a hundred links, and Gmail clips long mails. Append only: the order is in sent
# mails.
KIND_CODES = [
    LinkKind.PAGE,
    LinkKind.ARXIV,
    LinkKind.PDF,
    LinkKind.SOURCE,
    LinkKind.CODE,
    LinkKind.PROJECT,
    LinkKind.DISCUSSION,
]
SIGNATURE_BYTES = 12
MAX_TOKEN_CHARS = 40


class InvalidTrackingLinkError(ValueError):
    """The token is not signed by us, or the paper or its link no longer exists."""


def target_urls(paper: Paper) -> dict[LinkKind, str]:
    """Return the target of each link of a card; empty where there is none."""
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
    """Return the links that a card shows: the targets, or tracked links if CLICKS is on."""
    targets = target_urls(entry.paper)
    if not settings.CLICKS:
        return targets
    return {kind: tracking_url(entry, kind) if target else "" for kind, target in targets.items()}


def tracking_url(entry: Entry, kind: LinkKind) -> str:
    content = b62_encode(entry.pk * len(KIND_CODES) + KIND_CODES.index(kind))
    token = f"{content}.{signature(content, settings.SECRET_KEY)}"
    return settings.SITE_URL + reverse("newsletter:go", args=[token])


def signature(content: str, key: str) -> str:
    digest = salted_hmac("newsletter.clicks", content, secret=key, algorithm="sha256").digest()
    return urlsafe_b64encode(digest[:SIGNATURE_BYTES]).decode()


def unsign(token: str) -> str:
    """Return the content of a token; raise InvalidTrackingLinkError if it is not ours."""
    content, _, given_signature = token.partition(".")
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    if len(token) > MAX_TOKEN_CHARS or not any(
        constant_time_compare(given_signature, signature(content, key)) for key in keys
    ):
        raise InvalidTrackingLinkError
    return content


def resolve_token(token: str) -> tuple[Entry, LinkKind, str]:
    """Return the entry, the link kind and the target URL of a token."""
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
    """Add one click on this day; store nothing about the reader."""
    row, _ = Clicks.objects.get_or_create(entry=entry, kind=kind, day=now.date())
    Clicks.objects.filter(pk=row.pk).update(count=F("count") + 1)

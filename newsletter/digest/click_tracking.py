"""Count clicks on a digest's links, for all readers together, if the setting CLICKS is on.

A link is a signed reference to an entry and a kind of link. It identifies no reader, and it holds
no target URL, so it cannot be used as an open redirect: it leads to that paper's links only.
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

# Never change the salt: links of mails that were sent would stop working.
SALT = "newsletter.clicks"

# A token is one number, made of the entry's primary key and the position of the link's kind in this
# list, and a short signature: twenty papers have a hundred links, and Gmail truncates long mails.
# Append only: reordering breaks the links of mails that were sent.
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
    """The token has no valid signature, or its entry or target no longer exists."""


def target_urls(paper: Paper) -> dict[LinkKind, str]:
    """Return the target of each kind of link; empty if the paper has none."""
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
    """Return the URLs of a card's links: the targets, or tracking URLs if CLICKS is on."""
    targets = target_urls(entry.paper)
    if not settings.CLICKS:
        return targets
    return {kind: tracking_url(entry, kind) if target else "" for kind, target in targets.items()}


def tracking_url(entry: Entry, kind: LinkKind) -> str:
    """Return the absolute URL that counts a click and redirects; the same for every reader."""
    content = b62_encode(entry.pk * len(KIND_CODES) + KIND_CODES.index(kind))
    token = f"{content}.{encode_signature(signatures.short_signature(SALT, content))}"
    return settings.SITE_URL + reverse("newsletter:go", args=[token])


def encode_signature(signature: bytes) -> str:
    return urlsafe_b64encode(signature).decode()


def unsign(token: str) -> str:
    """Return a token's content; raise InvalidTrackingLinkError if we did not sign it."""
    content, _, token_signature = token.partition(".")
    if len(token) > MAX_TOKEN_CHARS or not signatures.verify_short_signature(
        SALT, content, token_signature, encode=encode_signature
    ):
        raise InvalidTrackingLinkError
    return content


def resolve_token(token: str) -> tuple[Entry, LinkKind, str]:
    """Return a token's entry, its kind of link and the target URL.

    Raise InvalidTrackingLinkError if the token is forged or its target no longer exists.
    """
    entry_id, code = divmod(b62_decode(unsign(token)), len(KIND_CODES))
    entry = Entry.objects.select_related("paper").filter(pk=entry_id).first()
    if entry is None:
        raise InvalidTrackingLinkError
    kind = KIND_CODES[code]
    if not (target := target_urls(entry.paper)[kind]):
        raise InvalidTrackingLinkError
    return entry, kind, target


@transaction.atomic
def record_click(entry: Entry, kind: LinkKind, *, now: datetime) -> None:
    """Add one to the day's count of a link; record nothing about the reader."""
    row, _ = Clicks.objects.get_or_create(entry=entry, kind=kind, day=now.date())
    Clicks.objects.filter(pk=row.pk).update(count=F("count") + 1)

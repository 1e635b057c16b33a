"""Build every message to a reader, so that none lacks a text body, an HTML body or a way to leave.

No other module may build or send mail to a reader.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from anymail.message import AnymailMessage
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from subscribers import suppression
from subscribers.mail import links
from subscribers.models import Subscriber

Status = Subscriber.Status

# The status that a kind of message requires; all others require an active reader.
REQUIRED_STATUS = {"confirmation": Status.PENDING}
# These have no metadata, and Anymail raises an error rather than drop it.
PROVIDERS_WITHOUT_METADATA = {"mailersend", "postal"}
# One address, as normalise_address returns it. Nothing that could be parsed as two addresses matches.
ONE_ADDRESS = re.compile(r"""[^\s\x00-\x1f\x7f@,;:<>()\[\]\\"]+@[a-z0-9.-]+""")
CONTROL_CHARS = re.compile(r"[\x00-\x1f\x7f]")


class CannotSendError(Exception):
    """The message must not be sent; the text is a sentence that says why."""


def build_message(
    kind: str,
    subscriber: Subscriber,
    context: Mapping[str, Any],
    *,
    message_id: str | None = None,
) -> EmailMultiAlternatives:
    """Render emails/<kind>/{subject.txt,body.txt,body.html} for one subscriber.

    Raise CannotSendError for a suppressed address, except for a confirmation. Digests do not come
    through here: their suppression is checked when they are claimed.
    """
    if kind not in REQUIRED_STATUS and suppression.is_suppressed(subscriber.email):
        raise CannotSendError(f"The address of {subscriber} is suppressed.")
    context = {
        "site_name": settings.SITE_NAME,
        "site_url": settings.SITE_URL,
        "postal_address": settings.POSTAL_ADDRESS,
        "unsubscribe_url": links.signed_url(links.Purpose.UNSUBSCRIBE, subscriber),
        **context,
    }
    return compose_message(
        subscriber,
        kind=kind,
        subject=render_to_string(f"emails/{kind}/subject.txt", context, using="text"),
        text=render_to_string(f"emails/{kind}/body.txt", context, using="text"),
        html=render_to_string(f"emails/{kind}/body.html", context, using="html"),
        message_id=message_id,
    )


def compose_message(
    subscriber: Subscriber,
    *,
    kind: str,
    subject: str,
    text: str,
    html: str,
    headers: Mapping[str, str] | None = None,
    metadata: Mapping[str, str] | None = None,
    message_id: str | None = None,
) -> EmailMultiAlternatives:
    """Return a message with both bodies and the headers of list mail, or raise CannotSendError."""
    if reason := reason_not_to_send(subscriber, kind):
        raise CannotSendError(reason)
    message = AnymailMessage(
        subject=one_line(subject),
        body=text,
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[subscriber.email],
        headers={
            "Message-ID": message_id or f"<{kind}-{uuid4().hex}@{settings.SITE_HOST}>",
            "List-Id": f"{settings.SITE_NAME} <daily.{settings.SITE_HOST}>",
            "List-Unsubscribe": list_unsubscribe_header(subscriber),
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            # Suppress automatic replies: one header for the standard, one for Exchange.
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "OOF",
            **(headers or {}),
        },
        tags=[kind],
    )
    if settings.EMAIL_PROVIDER not in PROVIDERS_WITHOUT_METADATA:
        own_metadata = {"kind": kind, "subscriber": str(subscriber.public_id)}
        message.metadata = {**own_metadata, **(metadata or {})}
    message.attach_alternative(html, "text/html")
    return message


def list_unsubscribe_header(subscriber: Subscriber) -> str:
    """Return the List-Unsubscribe header: a URL (RFC 8058) and, with INBOUND_DOMAIN, an address."""
    url = f"<{links.signed_url(links.Purpose.UNSUBSCRIBE, subscriber)}>"
    address = links.unsubscribe_address(subscriber)
    return f"{url}, <mailto:{address}>" if address else url


def reason_not_to_send(subscriber: Subscriber, kind: str) -> str:
    """Return why a message of this kind must not be sent to them; empty if it may."""
    required = REQUIRED_STATUS.get(kind, Status.ACTIVE)
    if subscriber.status != required:
        return f"A {kind} message requires a subscriber who is {required}, and {subscriber} is not."
    if not ONE_ADDRESS.fullmatch(subscriber.email):
        return f"The address of {subscriber} is invalid."
    return ""


def one_line(subject: str) -> str:
    return " ".join(CONTROL_CHARS.sub(" ", subject).split())

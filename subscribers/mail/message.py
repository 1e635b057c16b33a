"""Build the messages to readers.

Guarantee: every message to a reader is composed here, so each goes to one valid address of a
subscriber in the right state, in text and HTML, with List-Unsubscribe headers. Build no message to
a reader elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.utils import formataddr
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

# The status that a kind of message requires; every other kind requires ACTIVE.
REQUIRED_STATUS = {"confirmation": Status.PENDING}
# For these, Anymail raises an error if a message has metadata.
PROVIDERS_WITHOUT_METADATA = {"mailersend", "postal"}
# One mailbox as normalise_address returns it. It must not match anything that a mail server could
# read as two addresses or as a header.
ONE_ADDRESS = re.compile(r"""[^\s\x00-\x1f\x7f@,;:<>()\[\]\\"]+@[a-z0-9.-]+""")
CONTROL_CHARS = re.compile(r"[\x00-\x1f\x7f]")


class CannotSendError(Exception):
    """The message must not be sent; the error's text is a sentence that says why."""


def build_message(
    kind: str,
    subscriber: Subscriber,
    context: Mapping[str, Any],
    *,
    message_id: str | None = None,
) -> EmailMultiAlternatives:
    """Render emails/<kind>/{subject.txt,body.txt,body.html} for one subscriber.

    Raise CannotSendError if the address is suppressed, unless the message asks for confirmation.
    Digests do not pass through here: their addresses are checked in bulk when they are claimed.
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
    """Return a message with both bodies and the headers of list mail.

    Raise CannotSendError for a subscriber in the wrong state or with an unsafe address.
    """
    if reason := reason_not_to_send(subscriber, kind):
        raise CannotSendError(reason)
    message: EmailMultiAlternatives = AnymailMessage(
        subject=one_line(subject),
        body=text,
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[subscriber.email],
        headers={
            "Message-ID": message_id or f"<{kind}-{uuid4().hex}@{settings.SITE_HOST}>",
            "List-Id": formataddr((settings.SITE_NAME, f"daily.{settings.SITE_HOST}")),
            "List-Unsubscribe": list_unsubscribe_header(subscriber),
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            # No out-of-office replies: RFC 3834, and Exchange's own header.
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "OOF",
            **(headers or {}),
        },
        tags=[kind],
        **metadata_option(subscriber, kind, metadata or {}),
    )
    message.attach_alternative(html, "text/html")
    return message


def metadata_option(
    subscriber: Subscriber, kind: str, metadata: Mapping[str, str]
) -> dict[str, dict[str, str]]:
    """Return Anymail's metadata option, which the provider includes in its reports."""
    if settings.EMAIL_PROVIDER in PROVIDERS_WITHOUT_METADATA:
        return {}
    return {"metadata": {"kind": kind, "subscriber": str(subscriber.public_id), **metadata}}


def list_unsubscribe_header(subscriber: Subscriber) -> str:
    """Return the one-click URL (RFC 8058) and, if we receive mail, the unsubscribe address."""
    url = links.signed_url(links.Purpose.UNSUBSCRIBE, subscriber)
    address = links.unsubscribe_address(subscriber)
    return f"<{url}>, <mailto:{address}>" if address else f"<{url}>"


def reason_not_to_send(subscriber: Subscriber, kind: str) -> str:
    """Return why this kind of message must not be sent to the subscriber; empty if it may."""
    required_status = REQUIRED_STATUS.get(kind, Status.ACTIVE)
    if subscriber.status != required_status:
        return f"A {kind} message is for {required_status} subscribers, not for {subscriber}."
    if not ONE_ADDRESS.fullmatch(subscriber.email):
        return f"The address of {subscriber} is not a single valid address."
    return ""


def one_line(subject: str) -> str:
    return " ".join(CONTROL_CHARS.sub(" ", subject).split())

"""The one door out: every message to a reader is made here, so none lacks a way to stop."""

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

# Whom a kind of message may be sent to; whatever is not named here goes to active readers.
REQUIRED_STATUS = {"confirmation": Status.PENDING}
# They have no metadata, and Anymail refuses a message rather than drop it.
PROVIDERS_WITHOUT_METADATA = {"mailersend", "postal"}
# One mailbox as addresses.normalise() leaves it. What could be read as two never passes.
ONE_ADDRESS = re.compile(r"""[^\s\x00-\x1f\x7f@,;:<>()\[\]\\"]+@[a-z0-9.-]+""")
CONTROL_CHARS = re.compile(r"[\x00-\x1f\x7f]")


class CannotSendError(Exception):
    """Why no message was made, as a sentence."""


def build_message(
    kind: str,
    subscriber: Subscriber,
    context: Mapping[str, Any],
    *,
    message_id: str | None = None,
) -> EmailMultiAlternatives:
    """Render emails/<name>/{subject.txt,body.txt,body.html} for one subscriber.

    One whose address must not be written to is only ever asked to confirm. (Digests, which are
    composed by the thousand, are looked at when they are claimed.)
    """
    if kind not in REQUIRED_STATUS and suppression.is_suppressed(subscriber.email):
        raise CannotSendError(f"The address of {subscriber} must not be written to.")
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
    """A message to one subscriber with both bodies and the headers of list mail, or Refused."""
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
            # Nobody's holiday reply: the one for standards, the other for Exchange.
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "OOF",
            **(headers or {}),
        },
        tags=[kind],
    )
    if settings.EMAIL_PROVIDER not in PROVIDERS_WITHOUT_METADATA:
        about = {"kind": kind, "subscriber": str(subscriber.public_id)}
        message.metadata = {**about, **(metadata or {})}
    message.attach_alternative(html, "text/html")
    return message


def list_unsubscribe_header(subscriber: Subscriber) -> str:
    """By one POST, which RFC 8058 asks for, and where mail is taken by writing one, too."""
    ways = f"<{links.signed_url(links.Purpose.UNSUBSCRIBE, subscriber)}>"
    mailbox = links.unsubscribe_address(subscriber)
    return f"{ways}, <mailto:{mailbox}>" if mailbox else ways


def reason_not_to_send(subscriber: Subscriber, kind: str) -> str:
    """Why a message of this kind must not go to them; empty when it may."""
    wanted = REQUIRED_STATUS.get(kind, Status.ACTIVE)
    if subscriber.status != wanted:
        return f"A {kind} message is for {wanted} subscribers, and {subscriber} is not one."
    if not ONE_ADDRESS.fullmatch(subscriber.email):
        return f"The address of {subscriber} is not one that can be written to."
    return ""


def one_line(subject: str) -> str:
    return " ".join(CONTROL_CHARS.sub(" ", subject).split())

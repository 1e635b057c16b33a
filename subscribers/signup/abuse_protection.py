"""Protect signup from abuse, for our page, the embedded form and the API alike.

Limits per IP address and network, proof of work, a honeypot and a signed form timestamp; the numbers
are in docs/operators/signup.md. Limits per email address and mailbox follow in confirmations.py.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_network

from django.conf import settings
from django.core.signing import BadSignature, SignatureExpired, TimestampSigner, b62_encode

from papers.web import ratelimit
from papers.web.client_ip import network_prefix
from subscribers.models import Subscriber
from subscribers.signup import consent, lifecycle, proof_of_work
from subscribers.signup.consent import ConsentContext, FormKind

logger = logging.getLogger(__name__)

# Requests from one IP address (IPv6: one /64), with and without proof of work.
PER_IP_LIMIT, PER_IP_LIMIT_WITHOUT_POW = "20/hour", "3/hour"
# Requests from one network (IPv4: /24, IPv6: /48).
PER_NETWORK_LIMIT, PER_NETWORK_LIMIT_WITHOUT_POW = "60/hour", "6/hour"
# Requests without proof of work in total: many networks must not use up the hourly mail limit.
TOTAL_LIMIT_WITHOUT_POW = "100/hour"

# A person takes longer than MIN_FILL_TIME to fill in the form, and less than MAX_FORM_AGE.
MIN_FILL_TIME, MAX_FORM_AGE = timedelta(seconds=2), timedelta(days=2)


class ResubmitRequiredError(Exception):
    """Show the filled-in form again with this sentence; a person presses the button again."""


class RateLimitedError(Exception):
    """A limit is reached: a sentence that says when to try again, and the seconds until then."""

    def __init__(self, message_template: str, retry_after_seconds: int) -> None:
        minutes = max(1, -(-retry_after_seconds // 60))
        super().__init__(message_template.format(f"{minutes} minute{'s' if minutes > 1 else ''}"))
        self.retry_after_seconds = retry_after_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class SignupRequest:
    """A validated signup (subscribers/signup/forms.py)."""

    email: str
    topics: Iterable[str] = ()
    timezone: str = ""


def request_signup(
    signup_request: SignupRequest,
    consent_context: ConsentContext,
    *,
    has_proof_of_work: bool,
    now: datetime,
) -> Subscriber:
    """Record a signup within the limits; return the subscriber, whose mail the caller enqueues.

    Raise RateLimitedError if a limit is reached. This module does not call Celery.
    """
    enforce_limits(consent_context.ip, has_proof_of_work=has_proof_of_work)
    return lifecycle.request_confirmation(
        signup_request.email,
        signup_request.topics,
        signup_request.timezone,
        now,
        consent_context=consent_context,
    )


def enforce_limits(ip: str, *, has_proof_of_work: bool) -> None:
    """Count a request against each limit, the narrowest first; raise RateLimitedError.

    A request that a narrow limit stops does not count against a wider one.
    """
    ip_network_key, network = (
        network_prefix(ip, ipv4_prefix_length=32, ipv6_prefix_length=64),
        network_prefix(ip),
    )
    if not has_proof_of_work:
        enforce_limit(
            PER_IP_LIMIT_WITHOUT_POW,
            "unproven",
            ip_network_key,
            message_template=RATE_LIMITED_WITHOUT_POW_MESSAGE,
        )
        enforce_limit(
            PER_NETWORK_LIMIT_WITHOUT_POW,
            "unproven network",
            network,
            message_template=RATE_LIMITED_WITHOUT_POW_MESSAGE,
        )
    enforce_limit(PER_IP_LIMIT, "household", ip_network_key, message_template=RATE_LIMITED_MESSAGE)
    enforce_limit(PER_NETWORK_LIMIT, "network", network, message_template=RATE_LIMITED_MESSAGE)
    if not has_proof_of_work:
        enforce_limit(
            TOTAL_LIMIT_WITHOUT_POW,
            "unproven in all",
            message_template=RATE_LIMITED_WITHOUT_POW_MESSAGE,
        )


RATE_LIMITED_MESSAGE = (
    "Too many sign-ups from your network in the last hour. Please try again in {}."
)
RATE_LIMITED_WITHOUT_POW_MESSAGE = (
    "Too many sign-ups without JavaScript in the last hour. Turn JavaScript on and reload the page,"
    " or try again in {}."
)


def enforce_limit(rate: str, *key_parts: str, message_template: str) -> None:
    result = ratelimit.hit(rate, "signup", *key_parts)
    if not result.allowed:
        logger.info("sign-ups are limited: %s", key_parts[0])
        if not settings.DEBUG and is_loopback(key_parts[-1]):
            logger.error("All visitors have a loopback address: set TRUSTED_PROXIES.")
        raise RateLimitedError(message_template, result.retry_after_seconds)


def is_loopback(network: str) -> bool:
    try:
        return ip_network(network).is_loopback
    except ValueError:
        return not network  # a Unix socket


def is_valid_proof(proof: str) -> bool:
    return proof_of_work.verify_proof(proof)


class BackdatedSigner(TimestampSigner):
    """Sign a form that is shown again as old enough: correcting a letter takes no time."""

    def timestamp(self) -> str:
        return b62_encode(int(time.time() - MIN_FILL_TIME.total_seconds()) - 1)


def form_token(form_kind: FormKind, *, skip_min_age: bool = False) -> str:
    """Return the signed token of a form: its time, its kind and the consent text it shows.

    A token can be used many times, so that pages with a form can be cached and need no cookie.
    """
    return form_signer(BackdatedSigner if skip_min_age else TimestampSigner).sign(
        f"{form_kind}~{consent.CURRENT_VERSION}"
    )


def read_form_token(token: str, *, honeypot: str, ip: str) -> ConsentContext:
    """Return what a form token says; raise ResubmitRequiredError if a program may have sent it."""
    if honeypot:
        raise ResubmitRequiredError(HONEYPOT_MESSAGE)
    try:
        content = form_signer().unsign(token, max_age=MAX_FORM_AGE)
    except SignatureExpired:
        raise ResubmitRequiredError(STALE_FORM_MESSAGE) from None
    except BadSignature:
        raise ResubmitRequiredError(INVALID_TOKEN_MESSAGE) from None
    if is_too_fresh(token, MIN_FILL_TIME):
        raise ResubmitRequiredError(TOO_QUICK_MESSAGE)
    form, _, version = content.partition("~")
    return ConsentContext(form=FormKind(form), version=version, ip=ip)


HONEYPOT_MESSAGE = (
    "A hidden field was filled in, perhaps by your browser. It is empty now: please press the button"
    " again."
)
STALE_FORM_MESSAGE = "This form was open for days. Please press the button again."
INVALID_TOKEN_MESSAGE = "Please press the button again, here on our own page."
TOO_QUICK_MESSAGE = "That was submitted very quickly. Please press the button again."


def is_too_fresh(token: str, min_age: timedelta) -> bool:
    try:
        form_signer().unsign(token, max_age=min_age)
    except SignatureExpired:
        return False
    return True


def form_signer(signer_class: type[TimestampSigner] = TimestampSigner) -> TimestampSigner:
    return signer_class(salt="subscribers.doors", sep=".")

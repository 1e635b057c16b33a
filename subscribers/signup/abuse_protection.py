"""Abuse protection shared by all sign-up forms: our page, the embedded form and the API.

Every request passes the same rate limits, so a client that is refused by one form is refused by
all. The limits on mail (per address, per mailbox, per hour) come later and hold for every caller:
see subscribers/signup/confirmations.py. docs/operators/signup.md lists all numbers.
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

# Per IPv4 address or IPv6 /64 (one household).
PER_IP_LIMIT, PER_IP_LIMIT_WITHOUT_POW = "20/hour", "3/hour"
# Per IPv4 /24 or IPv6 /48.
PER_NETWORK_LIMIT, PER_NETWORK_LIMIT_WITHOUT_POW = "60/hour", "6/hour"
# Over all clients: a thousand networks that do no work must not use up the hourly mail limit.
TOTAL_LIMIT_WITHOUT_POW = "100/hour"

# People need longer than the first to fill in a form, and do not keep it open for the second.
MIN_FILL_TIME, MAX_FORM_AGE = timedelta(seconds=2), timedelta(days=2)

RATE_LIMITED_MESSAGE = (
    "Too many sign-ups from your network in the last hour. Please try again in {}."
)
RATE_LIMITED_WITHOUT_POW_MESSAGE = (
    "Too many sign-ups without JavaScript in the last hour. Please turn JavaScript on and reload"
    " this page, or try again in {}."
)
HONEYPOT_MESSAGE = (
    "A hidden field was filled in, perhaps by your browser. We have cleared it. Please press the"
    " button again."
)
STALE_FORM_MESSAGE = "This form was open for more than two days. Please press the button again."
INVALID_TOKEN_MESSAGE = "Please press the button once more to send this form from our own page."
TOO_QUICK_MESSAGE = "That was very fast. Please press the button again."


class ResubmitRequiredError(Exception):
    """The form looks automated; its message asks a person to submit it again.

    Show the form again with its values: a program rarely resubmits, a person loses nothing.
    """


class RateLimitedError(Exception):
    """Too many requests; its message names the reason and the waiting time."""

    def __init__(self, message_template: str, retry_after_seconds: int) -> None:
        minutes = max(1, -(-retry_after_seconds // 60))
        super().__init__(message_template.format(f"{minutes} minute{'s' if minutes > 1 else ''}"))
        self.retry_after_seconds = retry_after_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class SignupRequest:
    """The validated values of a sign-up form (subscribers/signup/forms.py)."""

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
    """Enforce the rate limits, record the request and return its subscriber.

    Raise RateLimitedError before anything is stored. The caller enqueues the confirmation mail;
    this module must not call Celery.
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
    """Count a request against every limit, narrowest first; raise RateLimitedError.

    Keep the order: a request that one address's limit refuses must not count against its network,
    nor one that a network's limit refuses against everybody.
    """
    household = network_prefix(ip, ipv4_prefix_length=32, ipv6_prefix_length=64)
    network = network_prefix(ip)
    if not has_proof_of_work:
        enforce_limit(
            PER_IP_LIMIT_WITHOUT_POW,
            "unproven",
            household,
            message_template=RATE_LIMITED_WITHOUT_POW_MESSAGE,
        )
        enforce_limit(
            PER_NETWORK_LIMIT_WITHOUT_POW,
            "unproven network",
            network,
            message_template=RATE_LIMITED_WITHOUT_POW_MESSAGE,
        )
    enforce_limit(PER_IP_LIMIT, "household", household, message_template=RATE_LIMITED_MESSAGE)
    enforce_limit(PER_NETWORK_LIMIT, "network", network, message_template=RATE_LIMITED_MESSAGE)
    if not has_proof_of_work:
        enforce_limit(
            TOTAL_LIMIT_WITHOUT_POW,
            "unproven in all",
            message_template=RATE_LIMITED_WITHOUT_POW_MESSAGE,
        )


def enforce_limit(rate: str, *key_parts: str, message_template: str) -> None:
    result = ratelimit.hit(rate, "signup", *key_parts)
    if not result.allowed:
        logger.info("sign-up rate limit reached: %s", key_parts[0])
        if not settings.DEBUG and is_loopback(key_parts[-1]):
            logger.error("All visitors seem to share one local address: set TRUSTED_PROXIES.")
        raise RateLimitedError(message_template, result.retry_after_seconds)


def is_loopback(network: str) -> bool:
    try:
        return ip_network(network).is_loopback
    except ValueError:
        return not network  # A Unix socket has no address.


def is_valid_proof(proof: str) -> bool:
    return proof_of_work.verify_proof(proof)


class BackdatedSigner(TimestampSigner):
    """Signs as if the form were old enough, for a form that is shown again.

    A person who corrects one letter resubmits in less than MIN_FILL_TIME.
    """

    def timestamp(self) -> str:
        return b62_encode(int(time.time() - MIN_FILL_TIME.total_seconds()) - 1)


def form_token(form_kind: FormKind, *, skip_min_age: bool = False) -> str:
    """Return a signed token with the form's kind, its consent text version and the current time.

    It names no visitor, so pages that contain it stay cacheable and need no cookie.
    """
    return form_signer(BackdatedSigner if skip_min_age else TimestampSigner).sign(
        f"{form_kind}~{consent.CURRENT_VERSION}"
    )


def read_form_token(token: str, *, honeypot: str, ip: str) -> ConsentContext:
    """Return the consent context of a form that a person seems to have filled in.

    Raise ResubmitRequiredError otherwise.
    """
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
    form_kind, _, version = content.partition("~")
    return ConsentContext(form=FormKind(form_kind), version=version, ip=ip)


def is_too_fresh(token: str, min_age: timedelta) -> bool:
    try:
        form_signer().unsign(token, max_age=min_age)
    except SignatureExpired:
        return False
    return True


def form_signer(signer_class: type[TimestampSigner] = TimestampSigner) -> TimestampSigner:
    # Never change the salt: cached pages hold tokens that were signed with it.
    return signer_class(salt="subscribers.doors", sep=".")

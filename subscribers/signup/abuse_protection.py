"""The one protection of every way in: our form, the form within other sites, and the API.

What it lets through is in docs/joining.md, with the numbers. The last limits are further in: so
many emails to an address, a mailbox, and in all (subscribers/signup/confirmations.py), whoever asks.
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

# Requests with proof of work and without, from one address (IPv6: one household's /64).
PER_IP_LIMIT, PER_IP_LIMIT_WITHOUT_POW = "20/hour", "3/hour"
# From one network: a /24, or IPv6's /48.
PER_NETWORK_LIMIT, PER_NETWORK_LIMIT_WITHOUT_POW = "60/hour", "6/hour"
# From everywhere together, without proof: a thousand networks must not use up everybody's mail.
TOTAL_LIMIT_WITHOUT_POW = "100/hour"

# A person takes longer than this to fill in a form, and does not keep it open for longer than that.
MIN_FILL_TIME, MAX_FORM_AGE = timedelta(seconds=2), timedelta(days=2)


class ResubmitRequiredError(Exception):
    """Show the form again, filled in: why, as a sentence. A person presses the button again."""


class RateLimitedError(Exception):
    """Why not now, and when again, as a sentence; and after how many seconds."""

    def __init__(self, message_template: str, retry_after_seconds: int) -> None:
        minutes = max(1, -(-retry_after_seconds // 60))
        super().__init__(message_template.format(f"{minutes} minute{'s' if minutes > 1 else ''}"))
        self.retry_after_seconds = retry_after_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class SignupRequest:
    """What somebody asks for, checked (subscribers/signup/forms.py)."""

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
    """Enforce the limits, record the request and return its subscriber.

    The caller enqueues the confirmation mail. Raise RateLimitedError before anything is stored.
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
    """Count a request, from the near to the far: what stops nearby costs the others nothing."""
    household, network = (
        network_prefix(ip, ipv4_prefix_length=32, ipv6_prefix_length=64),
        network_prefix(ip),
    )
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


RATE_LIMITED_MESSAGE = (
    "Many people on your network have asked within the hour. Please try again in {}."
)
RATE_LIMITED_WITHOUT_POW_MESSAGE = (
    "Many have asked without the proof that a script on this page makes. Turn JavaScript on, open"
    " the page anew, and there is room for you; or try again in {}."
)


def enforce_limit(rate: str, *key_parts: str, message_template: str) -> None:
    verdict = ratelimit.hit(rate, "signup", *key_parts)
    if not verdict.allowed:
        logger.info("signups are limited: %s", key_parts[0])
        if not settings.DEBUG and is_loopback(key_parts[-1]):
            logger.error("All visitors seem to come from here: set TRUSTED_PROXIES.")
        raise RateLimitedError(message_template, verdict.retry_after_seconds)


def is_loopback(network: str) -> bool:
    try:
        return ip_network(network).is_loopback
    except ValueError:
        return not network  # a socket file


def is_valid_proof(proof: str) -> bool:
    return proof_of_work.verify_proof(proof)


class BackdatedSigner(TimestampSigner):
    """For a form that is shown again: who corrects one letter is quick, and is a person."""

    def timestamp(self) -> str:
        return b62_encode(int(time.time() - MIN_FILL_TIME.total_seconds()) - 1)


def form_token(form_kind: FormKind, *, skip_min_age: bool = False) -> str:
    """Goes into a form: signed, when it was made, which form it is and what text stands on it.

    It is good for many, so pages that hold it may be cached and need no cookie.
    """
    return form_signer(BackdatedSigner if skip_min_age else TimestampSigner).sign(
        f"{form_kind}~{consent.CURRENT_VERSION}"
    )


def read_form_token(token: str, *, honeypot: str, ip: str) -> ConsentContext:
    """What a form's seal says, if a person seems to have filled it in; else OnceMore."""
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
    "A field that nobody sees had been filled in, perhaps by your browser. It is empty again:"
    " press the button once more."
)
STALE_FORM_MESSAGE = "This form had been open for days. Press the button once more."
INVALID_TOKEN_MESSAGE = "One more press, here on our own page, and you are on your way."
TOO_QUICK_MESSAGE = "That was quicker than people type. Press the button once more."


def is_too_fresh(token: str, min_age: timedelta) -> bool:
    try:
        form_signer().unsign(token, max_age=min_age)
    except SignatureExpired:
        return False
    return True


def form_signer(signer_class: type[TimestampSigner] = TimestampSigner) -> TimestampSigner:
    return signer_class(salt="subscribers.doors", sep=".")

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
from subscribers import tasks
from subscribers.signup import consent, lifecycle, proof_of_work
from subscribers.signup.consent import Form, Given

logger = logging.getLogger(__name__)

# Requests with proof of work and without, from one address (IPv6: one household's /64).
PER_HOUSEHOLD, UNPROVEN_PER_HOUSEHOLD = "20/hour", "3/hour"
# From one network: a /24, or IPv6's /48.
PER_NETWORK, UNPROVEN_PER_NETWORK = "60/hour", "6/hour"
# From everywhere together, without proof: a thousand networks must not use up everybody's mail.
UNPROVEN_IN_ALL = "100/hour"

# A person takes longer than this to fill in a form, and does not keep it open for longer than that.
QUICKEST, SLOWEST = timedelta(seconds=2), timedelta(days=2)


class OnceMore(Exception):
    """Show the form again, filled in: why, as a sentence. A person presses the button again."""


class TooMany(Exception):
    """Why not now, and when again, as a sentence; and after how many seconds."""

    def __init__(self, sentence: str, retry_after: int) -> None:
        minutes = max(1, -(-retry_after // 60))
        super().__init__(sentence.format(f"{minutes} minute{'s' if minutes > 1 else ''}"))
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody asks for, checked (subscribers/signup/forms.py)."""

    email: str
    topics: Iterable[str] = ()
    timezone: str = ""


def ask(wish: Wish, given: Given, *, proven: bool, now: datetime) -> None:
    """Have the address asked whether it was them; TooMany if others have to come first."""
    limit(given.ip, proven=proven)
    subscriber = lifecycle.ask(wish.email, wish.topics, wish.timezone, now, given=given)
    tasks.ring(subscriber.pk)


def limit(ip: str, *, proven: bool) -> None:
    """Count a request, from the near to the far: what stops nearby costs the others nothing."""
    household, network = (
        network_prefix(ip, ipv4_prefix_length=32, ipv6_prefix_length=64),
        network_prefix(ip),
    )
    if not proven:
        check(UNPROVEN_PER_HOUSEHOLD, "unproven", household, sentence=UNPROVEN)
        check(UNPROVEN_PER_NETWORK, "unproven network", network, sentence=UNPROVEN)
    check(PER_HOUSEHOLD, "household", household, sentence=PROVEN)
    check(PER_NETWORK, "network", network, sentence=PROVEN)
    if not proven:
        check(UNPROVEN_IN_ALL, "unproven in all", sentence=UNPROVEN)


PROVEN = "Many people on your network have asked within the hour. Please try again in {}."
UNPROVEN = (
    "Many have asked without the proof that a script on this page makes. Turn JavaScript on, open"
    " the page anew, and there is room for you; or try again in {}."
)


def check(rate: str, *who: str, sentence: str) -> None:
    verdict = ratelimit.hit(rate, "signup", *who)
    if not verdict.allowed:
        logger.info("signups are limited: %s", who[0])
        if not settings.DEBUG and is_local(who[-1]):
            logger.error("All visitors seem to come from here: set TRUSTED_PROXIES.")
        raise TooMany(sentence, verdict.retry_after_seconds)


def is_local(network: str) -> bool:
    try:
        return ip_network(network).is_loopback
    except ValueError:
        return not network  # a socket file


def is_proven(proof: str) -> bool:
    return proof_of_work.is_done(proof)


class RipeSigner(TimestampSigner):
    """For a form that is shown again: who corrects one letter is quick, and is a person."""

    def timestamp(self) -> str:
        return b62_encode(int(time.time() - QUICKEST.total_seconds()) - 1)


def seal(form: Form, *, ripe: bool = False) -> str:
    """Goes into a form: signed, when it was made, which form it is and what text stands on it.

    It is good for many, so pages that hold it may be cached and need no cookie.
    """
    return signer(RipeSigner if ripe else TimestampSigner).sign(f"{form}~{consent.CURRENT}")


def opened(seal: str, *, trap: str, ip: str) -> Given:
    """What a form's seal says, if a person seems to have filled it in; else OnceMore."""
    if trap:
        raise OnceMore(TRAPPED)
    try:
        content = signer().unsign(seal, max_age=SLOWEST)
    except SignatureExpired:
        raise OnceMore(STALE) from None
    except BadSignature:
        raise OnceMore(NOT_OURS) from None
    if is_younger(seal, QUICKEST):
        raise OnceMore(TOO_QUICK)
    form, _, version = content.partition("~")
    return Given(form=Form(form), version=version, ip=ip)


TRAPPED = (
    "A field that nobody sees had been filled in, perhaps by your browser. It is empty again:"
    " press the button once more."
)
STALE = "This form had been open for days. Press the button once more."
NOT_OURS = "One more press, here on our own page, and you are on your way."
TOO_QUICK = "That was quicker than people type. Press the button once more."


def is_younger(seal: str, age: timedelta) -> bool:
    try:
        signer().unsign(seal, max_age=age)
    except SignatureExpired:
        return False
    return True


def signer(kind: type[TimestampSigner] = TimestampSigner) -> TimestampSigner:
    return kind(salt="subscribers.doors", sep=".")

"""Proof of work: a second of a computer's time for each request, which only a flood cannot spare.

By ALTCHA, made and checked here: no third party, and nothing that a person has to solve. The
script static/js/signup.js does the work while somebody types; each proof is good once.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

import altcha
from django.utils.crypto import salted_hmac

from papers.web import ratelimit

ALGORITHM = "PBKDF2/SHA-256"
# Rounds for one try, and how many tries it takes: 0.3 s of a desktop's processor, 1 to 3 s of a
# phone's. Native code is hardly faster than a browser's own, and no lucky draw is cheap.
ROUNDS = 5_000
FEWEST, MOST = 100, 300
# How long a challenge may be solved and handed in; the script makes a new one before that.
LIFETIME = timedelta(minutes=10)
# Longer than LIFETIME: what was handed in once is remembered until it is too old anyway.
ONCE = "1/hour"
LONGEST = 2_000


def challenge(*, now: datetime) -> dict[str, Any]:
    """A new one, as JSON."""
    made = altcha.create_challenge(
        ALGORITHM,
        ROUNDS,
        counter=FEWEST + secrets.randbelow(MOST - FEWEST + 1),
        expires_at=now + LIFETIME,
        hmac_secret=key("challenge"),
        hmac_key_secret=key("solution"),
    )
    return made.to_dict()


def is_done(proof: str) -> bool:
    """Whether this proves work that was done for us, lately, and was not handed in before."""
    if not proof or len(proof) > LONGEST:
        return False
    verdict = altcha.verify_solution(
        proof, hmac_secret=key("challenge"), hmac_key_secret=key("solution")
    )
    return verdict.verified and is_new(altcha.Payload.from_base64(proof))


def is_new(payload: altcha.Payload) -> bool:
    nonce = payload.challenge.parameters.nonce
    return ratelimit.hit(ONCE, "proof of work", nonce, on_failure="refuse").allowed


def key(purpose: str) -> str:
    return salted_hmac(f"subscribers.work.{purpose}", "", algorithm="sha256").hexdigest()

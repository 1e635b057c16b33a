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
PBKDF2_ITERATIONS = 5_000
MIN_COUNTER, MAX_COUNTER = 100, 300
# How long a challenge may be solved and handed in; the script makes a new one before that.
CHALLENGE_LIFETIME = timedelta(minutes=10)
# Longer than LIFETIME: what was handed in once is remembered until it is too old anyway.
REPLAY_LIMIT = "1/hour"
MAX_PROOF_CHARS = 2_000


def create_challenge(*, now: datetime) -> dict[str, Any]:
    """A new one, as JSON."""
    made = altcha.create_challenge(
        ALGORITHM,
        PBKDF2_ITERATIONS,
        counter=MIN_COUNTER + secrets.randbelow(MAX_COUNTER - MIN_COUNTER + 1),
        expires_at=now + CHALLENGE_LIFETIME,
        hmac_secret=hmac_key("challenge"),
        hmac_key_secret=hmac_key("solution"),
    )
    return made.to_dict()


def verify_proof(proof: str) -> bool:
    """Whether this proves work that was done for us, lately, and was not handed in before."""
    if not proof or len(proof) > MAX_PROOF_CHARS:
        return False
    verdict = altcha.verify_solution(
        proof, hmac_secret=hmac_key("challenge"), hmac_key_secret=hmac_key("solution")
    )
    return verdict.verified and claim_nonce(altcha.Payload.from_base64(proof))


def claim_nonce(payload: altcha.Payload) -> bool:
    nonce = payload.challenge.parameters.nonce
    return ratelimit.hit(REPLAY_LIMIT, "proof of work", nonce, on_failure="refuse").allowed


def hmac_key(purpose: str) -> str:
    return salted_hmac(f"subscribers.work.{purpose}", "", algorithm="sha256").hexdigest()

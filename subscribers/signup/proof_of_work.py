"""Proof of work (ALTCHA): each signup costs a second of computing, which only a flood notices.

No third party and no puzzle: static/js/signup.js solves the challenge while a person types. Each
solution is accepted once.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

import altcha
from django.utils.crypto import salted_hmac

from papers.web import ratelimit

ALGORITHM = "PBKDF2/SHA-256"
# Iterations of one attempt, and the number of attempts: 0.3 s on a desktop, 1 to 3 s on a phone. Native
# code is hardly faster than a browser's own, and the minimum keeps lucky draws from being cheap.
PBKDF2_ITERATIONS = 5_000
MIN_COUNTER, MAX_COUNTER = 100, 300
# How long a challenge can be solved; the script fetches a new one before that.
CHALLENGE_LIFETIME = timedelta(minutes=10)
# The window exceeds CHALLENGE_LIFETIME, so a nonce is remembered until its challenge has expired.
REPLAY_LIMIT = "1/hour"
MAX_PROOF_CHARS = 2_000


def create_challenge(*, now: datetime) -> dict[str, Any]:
    """Return a new signed challenge as JSON data."""
    challenge = altcha.create_challenge(
        ALGORITHM,
        PBKDF2_ITERATIONS,
        counter=MIN_COUNTER + secrets.randbelow(MAX_COUNTER - MIN_COUNTER + 1),
        expires_at=now + CHALLENGE_LIFETIME,
        hmac_secret=hmac_key("challenge"),
        hmac_key_secret=hmac_key("solution"),
    )
    return challenge.to_dict()


def verify_proof(proof: str) -> bool:
    """Return whether a solution is valid, fresh and not replayed; a valid one is used up."""
    if not proof or len(proof) > MAX_PROOF_CHARS:
        return False
    result = altcha.verify_solution(
        proof, hmac_secret=hmac_key("challenge"), hmac_key_secret=hmac_key("solution")
    )
    return result.verified and claim_nonce(altcha.Payload.from_base64(proof))


def claim_nonce(payload: altcha.Payload) -> bool:
    nonce = payload.challenge.parameters.nonce
    return ratelimit.hit(REPLAY_LIMIT, "proof of work", nonce, on_failure="refuse").allowed


def hmac_key(purpose: str) -> str:
    return salted_hmac(f"subscribers.work.{purpose}", "", algorithm="sha256").hexdigest()

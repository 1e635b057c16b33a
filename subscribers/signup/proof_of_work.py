"""Proof of work: one second of computing per sign-up, affordable for a person but not for a flood.

Uses the ALTCHA protocol, issued and verified here: no third party, and no puzzle to solve by hand.
static/js/signup.js solves the challenge while somebody fills in the form. Each proof works once.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

import altcha
from django.utils.crypto import salted_hmac

from papers.web import ratelimit

ALGORITHM = "PBKDF2/SHA-256"
# Iterations per attempt, and the number of attempts: 0.3 s of CPU on a desktop, 1 to 3 s on a
# phone. Native code is hardly faster than a browser, and MIN_COUNTER rules out cheap lucky draws.
PBKDF2_ITERATIONS = 5_000
MIN_COUNTER, MAX_COUNTER = 100, 300
# The script requests a new challenge before the old one expires.
CHALLENGE_LIFETIME = timedelta(minutes=10)
# One use per nonce. The window must stay longer than CHALLENGE_LIFETIME, or proofs can be replayed.
REPLAY_LIMIT = "1/hour"
MAX_PROOF_CHARS = 2_000


def create_challenge(*, now: datetime) -> dict[str, Any]:
    """Return a new signed challenge, ready for JSON."""
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
    """Return whether a proof solves a challenge of ours, is not expired and was not used before.

    Verifying uses the proof up: a second call returns False.
    """
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

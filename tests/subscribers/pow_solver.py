"""A stand-in for the script that does the work of proof (static/js/signup.js)."""

from __future__ import annotations

from typing import Any

import altcha


def solve_challenge(challenge: dict[str, Any]) -> str:
    made = altcha.Challenge.from_dict(challenge)
    solution = altcha.solve_challenge(made)
    assert solution
    return altcha.Payload(made, solution).to_base64()

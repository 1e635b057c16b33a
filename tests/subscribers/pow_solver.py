"""Solve proof-of-work challenges like the page's script (static/js/signup.js)."""

from __future__ import annotations

from typing import Any

import altcha


def solve_challenge(challenge: dict[str, Any]) -> str:
    parsed = altcha.Challenge.from_dict(challenge)
    solution = altcha.solve_challenge(parsed)
    assert solution
    return altcha.Payload(parsed, solution).to_base64()

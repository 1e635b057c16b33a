"""newsletter/digest/reasons.py"""

from __future__ import annotations

import pytest

from newsletter.digest.reasons import Reasons, personal_reasons


def test_every_reason_has_a_phrase() -> None:
    reasons = Reasons(
        upvotes=87, gain=34, comments=12, has_code=True, topic_rank=2, topic="Robotics"
    )

    assert reasons.phrases() == [
        "#2 in Robotics",
        "87 upvotes",
        "+34 since yesterday",
        "12 comments",
        "with code",
    ]


@pytest.mark.parametrize("gain", [None, 0, -3])
def test_a_gain_is_shown_only_if_positive(gain: int | None) -> None:
    assert Reasons(upvotes=1, gain=gain).phrases() == ["1 upvote"]


def test_one_upvote_and_one_comment_are_singular() -> None:
    assert Reasons(upvotes=1, comments=1).phrases() == ["1 upvote", "1 comment"]


def test_matching_follows_are_shown_as_the_reader_typed_them() -> None:
    labels = {
        "author:lovelace a": "Ada Lovelace",
        "author:noether e": "E. Noether",
        "keyword:state space model": "state-space models",
        "category:cs.RO": "cs.RO",
    }
    matched = frozenset({"keyword:state space model", "author:lovelace a", "category:cs.RO", "x:y"})

    assert personal_reasons(matched, labels) == [
        "by Ada Lovelace, whom you follow",
        "mentions state-space models",
        "in cs.RO, which you follow",
    ]

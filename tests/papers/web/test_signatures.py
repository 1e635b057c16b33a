"""papers/web/signatures.py"""

from __future__ import annotations

from typing import Any

import pytest

from papers.web import signatures

SALT = "tests.signatures"


def test_a_signature_is_twelve_bytes_and_the_same_each_time() -> None:
    first, second = (signatures.short_signature(SALT, "value") for _ in range(2))

    assert first == second
    assert len(first) == 12


@pytest.mark.parametrize(("salt", "value"), [("tests.other", "value"), (SALT, "other")])
def test_a_signature_is_valid_for_its_salt_and_value_only(salt: str, value: str) -> None:
    signature = signatures.short_signature(SALT, "value")

    assert signatures.verify_short_signature(SALT, "value", signature)
    assert not signatures.verify_short_signature(salt, value, signature)


def test_a_text_form_is_compared_as_text() -> None:
    signature = signatures.short_signature(SALT, "value").hex()

    assert signatures.verify_short_signature(SALT, "value", signature, encode=bytes.hex)
    assert not signatures.verify_short_signature(SALT, "value", signature.upper(), encode=bytes.hex)


def test_a_replaced_key_stays_valid_as_a_fallback(settings: Any) -> None:
    old_key = settings.SECRET_KEY
    signature = signatures.short_signature(SALT, "value")
    settings.SECRET_KEY = "another key, " * 5

    assert not signatures.verify_short_signature(SALT, "value", signature)

    settings.SECRET_KEY_FALLBACKS = [old_key]

    assert signatures.verify_short_signature(SALT, "value", signature)

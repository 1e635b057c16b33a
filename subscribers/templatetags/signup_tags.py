"""What every signup form holds, on whichever page it stands."""

from __future__ import annotations

from django import template

from subscribers.signup import abuse_protection, consent
from subscribers.signup.consent import Form

register = template.Library()


@register.simple_tag
def seal(form: str, *, again: object = False) -> str:
    """When this form was made, signed; `again` if it is shown once more, with what was typed."""
    return abuse_protection.seal(Form(form or Form.PAGE), ripe=bool(again))


@register.simple_tag
def consent_text() -> str:
    """The sentence that people say yes to."""
    return consent.TEXTS[consent.CURRENT]

"""What every signup form holds, on whichever page it stands."""

from __future__ import annotations

from django import template

from subscribers.signup import abuse_protection, consent
from subscribers.signup.consent import FormKind

register = template.Library()


@register.simple_tag
def seal(form_kind: str, *, is_redisplayed: object = False) -> str:
    """When this form was made, signed; `again` if it is shown once more, with what was typed."""
    return abuse_protection.form_token(
        FormKind(form_kind or FormKind.PAGE), skip_min_age=bool(is_redisplayed)
    )


@register.simple_tag
def consent_text() -> str:
    """The sentence that people say yes to."""
    return consent.CONSENT_TEXTS[consent.CURRENT_VERSION]

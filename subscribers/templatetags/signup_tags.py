"""Template tags for the hidden token and the consent text of a sign-up form."""

from __future__ import annotations

from django import template

from subscribers.signup import abuse_protection, consent
from subscribers.signup.consent import FormKind

register = template.Library()


@register.simple_tag
def seal(form_kind: str, *, is_redisplayed: object = False) -> str:
    """Return the form's signed token; a form that is shown again may be resubmitted at once."""
    return abuse_protection.form_token(
        FormKind(form_kind or FormKind.PAGE), skip_min_age=bool(is_redisplayed)
    )


@register.simple_tag
def consent_text() -> str:
    """Return the current consent text."""
    return consent.CONSENT_TEXTS[consent.CURRENT_VERSION]

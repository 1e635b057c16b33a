"""Normalise email addresses to the one spelling that is stored, compared and written to."""

from __future__ import annotations

import unicodedata

from email_validator import EmailNotValidError, validate_email

# The limit of RFC 5321 (erratum 1690), and of our column.
MAX_ADDRESS_CHARS = 254
# Role accounts of abuse desks and machines, without dots and dashes.
ROLE_ACCOUNTS = frozenset(
    {
        *("abuse", "bounce", "bounces", "donotreply", "hostmaster", "mailerdaemon", "noreply"),
        *("postmaster", "spam"),
    }
)


class InvalidAddressError(ValueError):
    """The address is invalid; the message is a sentence for the person who typed it."""


def normalise_address(text: str) -> str:
    """Return the ASCII, lower-case spelling of an address; raise InvalidAddressError. Idempotent.

    Compatibility characters are folded (NFKC), and an international domain becomes its ASCII form. The
    local part is lowered too: servers may distinguish Ada from ada, but no relevant one does, and two
    rows for one person would mean two digests. A local part beyond ASCII is refused: few providers
    deliver to it, and look-alike letters are used to imitate addresses.
    """
    text = text.strip()
    if len(text) > MAX_ADDRESS_CHARS:
        raise InvalidAddressError(
            f"That is too long for an email address: at most {MAX_ADDRESS_CHARS} characters."
        )
    if not text.isprintable():
        raise InvalidAddressError(
            "An email address has no line breaks and no invisible characters."
        )
    text = unicodedata.normalize("NFKC", text)
    try:
        parsed = validate_email(text, allow_smtputf8=False, strict=True, check_deliverability=False)
    except EmailNotValidError as error:
        raise InvalidAddressError(validation_message(text, error)) from None
    return f"{parsed.local_part}@{parsed.ascii_domain}".lower()


def reject_role_account(email: str) -> None:
    """Raise InvalidAddressError for a role account, where nobody reads a newsletter."""
    local = email.rpartition("@")[0]
    if local.translate(str.maketrans("", "", "-._")) in ROLE_ACCOUNTS:
        raise InvalidAddressError(
            "That is a role address, where nobody reads a newsletter. Please give your own."
        )


def validation_message(text: str, error: EmailNotValidError) -> str:
    """Return the message for an invalid address; a list of addresses gets its own."""
    if text.count("@") > 1 and any(mark in text for mark in ",; "):
        return "Please give one address, not several."
    return str(error)

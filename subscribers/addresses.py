"""One address, one spelling: what a person typed, as we store, compare and write to it."""

from __future__ import annotations

import unicodedata

from email_validator import EmailNotValidError, validate_email

# The longest that a mailbox can have, by RFC 5321 (erratum 1690), and our column.
MAX_ADDRESS_CHARS = 254


# Mailboxes of people who work against unwanted mail, and of machines, without their dots and dashes.
ROLE_ACCOUNTS = frozenset(
    {
        *("abuse", "bounce", "bounces", "donotreply", "hostmaster", "mailerdaemon", "noreply"),
        *("postmaster", "spam"),
    }
)


class InvalidAddressError(ValueError):
    """What is wrong with an address, as a sentence for whoever typed it."""


def normalise_address(text: str) -> str:
    """The one spelling of an address: ASCII and lower case; the same again for its own result.

    Compatible characters become one (NFKC), an international domain its ASCII form. The part
    before the @ is lowered too: servers may tell Ada from ada, but none that matter do, and two
    rows for one person would mean two digests. Letters beyond ASCII before the @ are refused:
    few providers carry them, and some are there only to look like another address.
    """
    text = text.strip()
    if len(text) > MAX_ADDRESS_CHARS:
        raise InvalidAddressError(
            f"That is too long for an address: {MAX_ADDRESS_CHARS} characters at most."
        )
    if not text.isprintable():
        raise InvalidAddressError("An address has no line breaks and no invisible characters.")
    text = unicodedata.normalize("NFKC", text)
    try:
        found = validate_email(text, allow_smtputf8=False, strict=True, check_deliverability=False)
    except EmailNotValidError as error:
        raise InvalidAddressError(validation_message(text, error)) from None
    return f"{found.local_part}@{found.ascii_domain}".lower()


def reject_role_account(email: str) -> None:
    """BadAddress for where nobody reads a newsletter, and a stranger's joke does most harm."""
    local = email.rpartition("@")[0]
    if local.translate(str.maketrans("", "", "-._")) in ROLE_ACCOUNTS:
        raise InvalidAddressError(
            "At that address nobody reads a newsletter. Please give your own."
        )


def validation_message(text: str, error: EmailNotValidError) -> str:
    """What to tell the person; a list of addresses deserves better than its first odd character."""
    if text.count("@") > 1 and any(mark in text for mark in ",; "):
        return "Please give one address, not several."
    return str(error)

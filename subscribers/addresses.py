"""Email addresses: one spelling for each, in which we store, compare and write to it."""

from __future__ import annotations

import unicodedata

from email_validator import EmailNotValidError, validate_email

# The maximum of RFC 5321 (erratum 1690), and of our column.
MAX_ADDRESS_CHARS = 254


# Mailboxes of programs and of abuse teams, without dots, dashes and underscores.
ROLE_ACCOUNTS = frozenset(
    {
        *("abuse", "bounce", "bounces", "donotreply", "hostmaster", "mailerdaemon", "noreply"),
        *("postmaster", "spam"),
    }
)


class InvalidAddressError(ValueError):
    """An invalid address; the message is a sentence for the person who typed it."""


def normalise_address(text: str) -> str:
    """Return the canonical spelling of an address: ASCII and lower case. Idempotent.

    Compatibility characters are replaced (NFKC), an international domain becomes its ASCII form.
    The part before the @ is lowered too: servers may distinguish Ada from ada, but none that
    matter do, and two rows for one person would mean two digests. Non-ASCII characters before the
    @ raise InvalidAddressError: few providers support them, and some only imitate other addresses.
    """
    text = text.strip()
    if len(text) > MAX_ADDRESS_CHARS:
        raise InvalidAddressError(
            f"This address is too long: at most {MAX_ADDRESS_CHARS} characters are allowed."
        )
    if not text.isprintable():
        raise InvalidAddressError("An address cannot contain line breaks or invisible characters.")
    text = unicodedata.normalize("NFKC", text)
    try:
        address = validate_email(
            text, allow_smtputf8=False, strict=True, check_deliverability=False
        )
    except EmailNotValidError as error:
        raise InvalidAddressError(validation_message(text, error)) from None
    return f"{address.local_part}@{address.ascii_domain}".lower()


def reject_role_account(email: str) -> None:
    """Raise InvalidAddressError for a mailbox of a program or an abuse team.

    Nobody reads a newsletter there, and a prank sign-up would hurt our reputation as a sender.
    """
    local = email.rpartition("@")[0]
    if local.translate(str.maketrans("", "", "-._")) in ROLE_ACCOUNTS:
        raise InvalidAddressError(
            "This address does not belong to a person. Please enter your own address."
        )


def validation_message(text: str, error: EmailNotValidError) -> str:
    """Return the validator's message, or a clearer one for a list of addresses."""
    if text.count("@") > 1 and any(separator in text for separator in ",; "):
        return "Please enter one address, not several."
    return str(error)

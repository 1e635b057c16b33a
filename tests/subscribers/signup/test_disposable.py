"""subscribers/signup/disposable.py"""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers.addresses import InvalidAddressError
from subscribers.signup import disposable
from subscribers.signup.forms import SignupForm
from tests.papers.recordings import RECORDINGS_DIR, needs_recordings

LISTED_DOMAIN = "mailinator.com"


@pytest.fixture
def write_operator_file(settings, tmp_path):
    """Return a function that writes the operator's file."""
    path = tmp_path / "disposable.txt"
    settings.DISPOSABLE_DOMAINS_FILE = str(path)

    def write(text: str, *, at: int = 1) -> None:
        path.write_text(text)
        os.utime(path, ns=(at, at))

    return write


@pytest.mark.parametrize(
    ("domain", "is_listed"),
    [
        (LISTED_DOMAIN, True),
        (f"inbox.{LISTED_DOMAIN}", True),
        (f"{LISTED_DOMAIN}.example.org", False),
        ("example.org", False),
        ("com", False),
        ("", False),
    ],
)
def test_a_listed_domain_includes_its_subdomains(domain, is_listed):
    assert disposable.is_disposable(domain) is is_listed


def test_disposable_addresses_are_refused_only_if_enabled(settings):
    disposable.reject_disposable(f"ada@{LISTED_DOMAIN}")
    settings.REFUSE_DISPOSABLE = True

    with pytest.raises(InvalidAddressError, match="an address that you"):
        disposable.reject_disposable(f"ada@{LISTED_DOMAIN}")


@pytest.mark.django_db
@pytest.mark.parametrize("is_enabled", [False, True])
def test_the_form_explains_the_refusal(settings, is_enabled):
    settings.REFUSE_DISPOSABLE = is_enabled

    form = SignupForm({"email": "Ada@MAILINATOR.com"})

    assert form.errors.get("email", []) == ([disposable.REFUSAL_MESSAGE] if is_enabled else [])


def test_the_operator_s_file_adds_and_removes_domains(write_operator_file):
    write_operator_file(f"# ours\nSpam.example  # since May\n\n-{LISTED_DOMAIN}\n- other.example\n")

    assert disposable.is_disposable("x.spam.example")
    assert not disposable.is_disposable(LISTED_DOMAIN)
    assert disposable.operator_lists() == (
        frozenset({"spam.example"}),
        frozenset({LISTED_DOMAIN, "other.example"}),
    )


def test_a_replaced_file_takes_effect_at_once(write_operator_file):
    write_operator_file("a.example")
    assert disposable.is_disposable("a.example")

    write_operator_file("b.example", at=2)

    assert not disposable.is_disposable("a.example")
    assert disposable.is_disposable("b.example")


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_an_unreadable_file_is_logged_and_ignored(
    write_operator_file, settings, tmp_path, caplog, content
):
    settings.DISPOSABLE_DOMAINS_FILE = str(tmp_path / "other.txt")
    if content:
        (tmp_path / "other.txt").write_bytes(content)

    assert disposable.is_disposable(LISTED_DOMAIN)
    assert "cannot be read" in caplog.text


@given(st.text(max_size=60))
def test_any_text_is_accepted_as_a_domain(domain):
    assert disposable.is_disposable(domain) in {True, False}


@needs_recordings
def test_most_of_a_recorded_list_is_covered():
    [path] = (RECORDINGS_DIR / "email_addresses").glob("disposable_domains_*.txt")
    domains = [line for line in path.read_text().split() if not line.startswith("#")]
    unknown = [domain for domain in domains if not disposable.is_disposable(domain)]

    assert len(domains) > 5_000
    assert len(unknown) < len(domains) / 20

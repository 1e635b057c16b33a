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

KNOWN = "mailinator.com"


@pytest.fixture
def own(settings, tmp_path):
    """The operator's file."""
    path = tmp_path / "disposable.txt"
    settings.DISPOSABLE_DOMAINS_FILE = str(path)

    def write(text: str, *, at: int = 1) -> None:
        path.write_text(text)
        os.utime(path, ns=(at, at))

    return write


@pytest.mark.parametrize(
    ("domain", "known"),
    [
        (KNOWN, True),
        (f"inbox.{KNOWN}", True),
        (f"{KNOWN}.example.org", False),
        ("example.org", False),
        ("com", False),
        ("", False),
    ],
)
def test_a_throw_away_domain_is_known_with_all_that_is_below_it(domain, known):
    assert disposable.is_disposable(domain) is known


def test_nothing_is_refused_unless_the_operator_wants_that(settings):
    disposable.reject_disposable(f"ada@{KNOWN}")
    settings.REFUSE_DISPOSABLE = True

    with pytest.raises(InvalidAddressError, match="an address that you keep"):
        disposable.reject_disposable(f"ada@{KNOWN}")


@pytest.mark.django_db
@pytest.mark.parametrize("refused", [False, True])
def test_the_form_says_so_in_a_sentence(settings, refused):
    settings.REFUSE_DISPOSABLE = refused

    form = SignupForm({"email": "Ada@MAILINATOR.com"})

    assert form.errors.get("email", []) == ([disposable.REFUSAL_MESSAGE] if refused else [])


def test_the_operator_adds_some_and_takes_some_out(own):
    own(f"# ours\nSpam.example  # since May\n\n-{KNOWN}\n- other.example\n")

    assert disposable.is_disposable("x.spam.example")
    assert not disposable.is_disposable(KNOWN)
    assert disposable.operator_lists() == (
        frozenset({"spam.example"}),
        frozenset({KNOWN, "other.example"}),
    )


def test_a_file_that_is_replaced_counts_at_once(own):
    own("a.example")
    assert disposable.is_disposable("a.example")

    own("b.example", at=2)

    assert not disposable.is_disposable("a.example")
    assert disposable.is_disposable("b.example")


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_a_file_that_is_gone_or_garbage_is_logged_and_stops_nobody(
    own, settings, tmp_path, caplog, content
):
    settings.DISPOSABLE_DOMAINS_FILE = str(tmp_path / "other.txt")
    if content:
        (tmp_path / "other.txt").write_bytes(content)

    assert disposable.is_disposable(KNOWN)
    assert "cannot be read" in caplog.text


@given(st.text(max_size=60))
def test_any_domain_has_an_answer(domain):
    assert disposable.is_disposable(domain) in {True, False}


@needs_recordings
def test_almost_all_of_a_recorded_list_are_known():
    [path] = (RECORDINGS_DIR / "email_addresses").glob("disposable_domains_*.txt")
    domains = [line for line in path.read_text().split() if not line.startswith("#")]
    unknown = [domain for domain in domains if not disposable.is_disposable(domain)]

    assert len(domains) > 5_000
    assert len(unknown) < len(domains) / 20

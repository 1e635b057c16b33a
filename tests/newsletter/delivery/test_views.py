"""newsletter/delivery/views.py"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives
from django.test import Client

from newsletter.delivery import mailbox

pytestmark = pytest.mark.django_db


def get(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, address
    return response.content.decode()


@pytest.fixture
def on_a_laptop(settings: Any, mailbox_dir: Path) -> Path:
    settings.DEBUG = True
    return mailbox_dir


def kept(
    *, name: str = "digest-1", subject: str = "Five papers", html: str = "<p>Hello</p>"
) -> EmailMultiAlternatives:
    message = EmailMultiAlternatives(
        subject, "Hello in text", to=["ada@example.org"], headers={"Message-ID": f"<{name}@x>"}
    )
    message.attach_alternative(f"<html><head></head><body>{html}</body></html>", "text/html")
    mailbox.save_message(message)
    return message


@pytest.fixture
def letter(on_a_laptop: Path) -> None:
    on_a_laptop.mkdir()
    kept()


@pytest.mark.parametrize("show", ["", "?show=phone", "?show=nonsense"])
def test_a_kept_mail_is_shown_in_a_frame_that_runs_nothing(
    client: Client, letter: None, show: str
) -> None:
    response = client.get(f"/mailbox/digest-1/{show}")

    [frame] = re.findall(r"<iframe[^>]+>", response.content.decode())
    assert 'src="/mailbox/digest-1/body/"' in frame
    assert 'sandbox="allow-popups allow-top-navigation-by-user-activation"' in frame
    assert "frame-src 'self'" in response.headers["Content-Security-Policy"]


def test_the_body_of_a_kept_mail_may_be_framed_by_us_and_runs_nothing(
    client: Client, letter: None
) -> None:
    response = client.get("/mailbox/digest-1/body/")

    policy = response.headers["Content-Security-Policy"]
    assert sorted(policy.split("; ")) == [
        "default-src 'none'",
        "frame-ancestors 'self'",
        "img-src data:",
        "sandbox allow-popups allow-top-navigation-by-user-activation",
        "style-src 'unsafe-inline'",
    ]
    assert response.headers["X-Frame-Options"] == "SAMEORIGIN"


def test_links_of_a_kept_mail_open_in_the_whole_window(client: Client, letter: None) -> None:
    assert '<head><base target="_top">' in get(client, "/mailbox/digest-1/body/")


def test_a_kept_mail_can_be_read_as_text_and_down_to_its_headers(
    client: Client, letter: None
) -> None:
    assert "Hello in text" in get(client, "/mailbox/digest-1/?show=text")
    assert "<dt>Message-ID</dt><dd>&lt;digest-1@x&gt;</dd>" in get(
        client, "/mailbox/digest-1/?show=headers"
    )


def test_a_kept_mail_can_be_downloaded(client: Client, letter: None, on_a_laptop: Path) -> None:
    response = client.get("/mailbox/digest-1/source/")

    assert response.headers["Content-Disposition"] == 'attachment; filename="digest-1.eml"'
    assert b"".join(response) == (on_a_laptop / "digest-1.eml").read_bytes()


def test_the_mailbox_lists_mails_with_hostile_subjects_as_text(
    client: Client, on_a_laptop: Path
) -> None:
    on_a_laptop.mkdir()
    kept(subject="<b>Bold</b> & more")

    html = get(client, "/mailbox/")

    assert "&lt;b&gt;Bold&lt;/b&gt; &amp; more</a>" in html
    assert "ada@example.org" in html


def test_an_empty_mailbox_says_how_to_fill_it(client: Client, on_a_laptop: Path) -> None:
    assert "No mail yet." in get(client, "/mailbox/")


ADDRESSES = [
    "/mailbox/",
    "/mailbox/digest-1/",
    "/mailbox/digest-1/body/",
    "/mailbox/digest-1/source/",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_the_mailbox_is_never_kept_by_a_cache(client: Client, letter: None, address: str) -> None:
    response = client.get(address)

    assert response.status_code == 200
    assert "no-store" in response.headers["Cache-Control"]
    response.close()


@pytest.mark.parametrize("address", ADDRESSES)
def test_the_mailbox_answers_head_and_nothing_that_writes(
    client: Client, letter: None, address: str
) -> None:
    response = client.head(address)

    assert (response.status_code, response.getvalue()) == (200, b"")
    assert client.post(address).status_code == 405


@pytest.mark.parametrize("address", ADDRESSES)
def test_there_is_no_mailbox_without_debug(
    client: Client, letter: None, settings: Any, address: str
) -> None:
    settings.DEBUG = False

    assert client.get(address).status_code == 404


@pytest.mark.parametrize("address", ADDRESSES)
def test_there_is_no_mailbox_where_mail_is_sent(
    client: Client, letter: None, settings: Any, address: str
) -> None:
    settings.EMAIL_PROVIDER = "postmark"

    assert client.get(address).status_code == 404


@pytest.mark.parametrize("name", ["digest-2", "..", "..%2Fsecret_key", ".hidden", "a" * 300])
@pytest.mark.parametrize("part", ["", "body/", "source/"])
def test_a_mail_that_is_not_there_is_a_404(
    client: Client, letter: None, on_a_laptop: Path, name: str, part: str
) -> None:
    (on_a_laptop.parent / "secret_key").write_text("x")

    assert client.get(f"/mailbox/{name}/{part}").status_code == 404


@pytest.mark.parametrize(("debug", "shown"), [(True, 1), (False, 0)])
def test_pages_lead_to_the_mailbox_only_on_a_laptop(
    client: Client, on_a_laptop: Path, settings: Any, *, debug: bool, shown: int
) -> None:
    settings.DEBUG = debug

    assert get(client, "/").count('href="/mailbox/"') == shown

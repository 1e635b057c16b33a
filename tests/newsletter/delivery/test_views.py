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


def get(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200, url
    return response.content.decode()


@pytest.fixture
def development_mailbox(settings: Any, mailbox_dir: Path) -> Path:
    settings.DEBUG = True
    return mailbox_dir


def save_mail(
    *, name: str = "digest-1", subject: str = "Five papers", html: str = "<p>Hello</p>"
) -> EmailMultiAlternatives:
    message = EmailMultiAlternatives(
        subject, "Hello in text", to=["ada@example.org"], headers={"Message-ID": f"<{name}@x>"}
    )
    message.attach_alternative(f"<html><head></head><body>{html}</body></html>", "text/html")
    mailbox.save_message(message)
    return message


@pytest.fixture
def saved_mail(development_mailbox: Path) -> None:
    development_mailbox.mkdir()
    save_mail()


@pytest.mark.parametrize("show", ["", "?show=phone", "?show=nonsense"])
def test_a_mail_is_shown_in_a_sandboxed_frame(client: Client, saved_mail: None, show: str) -> None:
    response = client.get(f"/mailbox/digest-1/{show}")

    [frame] = re.findall(r"<iframe[^>]+>", response.content.decode())
    assert 'src="/mailbox/digest-1/body/"' in frame
    assert 'sandbox="allow-popups allow-top-navigation-by-user-activation"' in frame
    assert "frame-src 'self'" in response.headers["Content-Security-Policy"]


def test_the_body_of_a_mail_can_be_framed_by_this_site_but_runs_no_scripts(
    client: Client, saved_mail: None
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


def test_links_in_a_mail_open_in_the_whole_window(client: Client, saved_mail: None) -> None:
    assert '<head><base target="_top">' in get(client, "/mailbox/digest-1/body/")


def test_a_mail_can_be_shown_as_text_or_headers(client: Client, saved_mail: None) -> None:
    assert "Hello in text" in get(client, "/mailbox/digest-1/?show=text")
    assert "<dt>Message-ID</dt><dd>&lt;digest-1@x&gt;</dd>" in get(
        client, "/mailbox/digest-1/?show=headers"
    )


def test_a_mail_can_be_downloaded(
    client: Client, saved_mail: None, development_mailbox: Path
) -> None:
    response = client.get("/mailbox/digest-1/source/")

    assert response.headers["Content-Disposition"] == 'attachment; filename="digest-1.eml"'
    assert b"".join(response) == (development_mailbox / "digest-1.eml").read_bytes()


def test_subjects_are_escaped(client: Client, development_mailbox: Path) -> None:
    development_mailbox.mkdir()
    save_mail(subject="<b>Bold</b> & more")

    html = get(client, "/mailbox/")

    assert "&lt;b&gt;Bold&lt;/b&gt; &amp; more</a>" in html
    assert "ada@example.org" in html


def test_an_empty_mailbox_says_so(client: Client, development_mailbox: Path) -> None:
    assert "No mail yet." in get(client, "/mailbox/")


URLS = [
    "/mailbox/",
    "/mailbox/digest-1/",
    "/mailbox/digest-1/body/",
    "/mailbox/digest-1/source/",
]


@pytest.mark.parametrize("url", URLS)
def test_the_mailbox_is_not_cacheable(client: Client, saved_mail: None, url: str) -> None:
    response = client.get(url)

    assert response.status_code == 200
    assert "no-store" in response.headers["Cache-Control"]
    response.close()


@pytest.mark.parametrize("url", URLS)
def test_the_mailbox_allows_head_but_not_post(client: Client, saved_mail: None, url: str) -> None:
    response = client.head(url)

    assert (response.status_code, response.getvalue()) == (200, b"")
    assert client.post(url).status_code == 405


@pytest.mark.parametrize("url", URLS)
def test_the_mailbox_is_a_404_without_debug(
    client: Client, saved_mail: None, settings: Any, url: str
) -> None:
    settings.DEBUG = False

    assert client.get(url).status_code == 404


@pytest.mark.parametrize("url", URLS)
def test_the_mailbox_is_a_404_with_a_real_provider(
    client: Client, saved_mail: None, settings: Any, url: str
) -> None:
    settings.EMAIL_PROVIDER = "postmark"

    assert client.get(url).status_code == 404


@pytest.mark.parametrize(
    "path", ["digest-2/", "digest-2/body/", "digest-2/source/", "..%2Fsecret_key/source/"]
)
def test_an_unknown_mail_is_a_404(
    client: Client, saved_mail: None, development_mailbox: Path, path: str
) -> None:
    (development_mailbox.parent / "secret_key").write_text("x")

    assert client.get(f"/mailbox/{path}").status_code == 404


@pytest.mark.parametrize(("debug", "links"), [(True, 1), (False, 0)])
def test_pages_link_to_the_mailbox_only_with_debug(
    client: Client, development_mailbox: Path, settings: Any, *, debug: bool, links: int
) -> None:
    settings.DEBUG = debug

    assert get(client, "/").count('href="/mailbox/"') == links

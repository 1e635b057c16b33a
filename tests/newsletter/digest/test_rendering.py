"""newsletter/digest/rendering.py"""

from __future__ import annotations

import re
from datetime import date, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from django.template.loader import render_to_string

from newsletter.digest import cards, fragments, interests, rendering
from newsletter.models import Delivery, Edition
from papers.models import Paper
from subscribers.models import Subscriber
from tests import factories

pytestmark = pytest.mark.django_db


def digest_of(*papers: Paper, reader: Subscriber | None = None) -> Any:
    """The message that a reader of everything gets."""
    edition = factories.edition(papers=papers)
    return message(edition, reader or factories.subscriber(preferences={"length": 20}))


def message(edition: Edition, reader: Subscriber) -> Any:
    return render_email(rendering.Renderer(edition), reader, after=edition.date - timedelta(days=1))


def render_email(renderer: rendering.Renderer, reader: Subscriber, *, after: date) -> Any:
    reader_interests = interests.interests_by_subscriber([reader])[reader.pk]
    selection = renderer.choose_for(reader_interests, after=after)
    return renderer.message(
        Delivery(pk=1, edition=renderer.edition), reader, reader_interests, selection.papers
    )


def html_of(message: Any) -> str:
    [(html, kind)] = message.alternatives
    assert kind == "text/html"
    return str(html)


class Parsed(HTMLParser):
    """The text that a mail program shows, and the targets of its links."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag == "a":
            self.links.append(dict(attributes).get("href") or "")

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def test_each_paper_is_in_both_bodies_with_its_links() -> None:
    paper = factories.paper(
        title="Robots that fold", topics=["robotics"], code_url="https://github.com/ada/fold"
    )

    email = digest_of(paper)

    page = Parsed(html_of(email))
    for link in [paper.arxiv_url, paper.pdf_url, paper.code_url, paper.discussion_url]:
        assert link in page.links
        assert link in email.body
    assert "Robots that fold" in page.text
    assert "Robots that fold" in email.body


def test_each_reader_gets_links_of_their_own() -> None:
    edition = factories.edition(papers=[factories.paper()])
    ada, ben = factories.subscriber(), factories.subscriber()

    links = [Parsed(html_of(message(edition, reader))).links for reader in (ada, ben)]

    personal = [
        {url for url in urls if re.search(r"/(unsubscribe|preferences)/", url)} for urls in links
    ]
    assert [len(urls) for urls in personal] == [2, 2]
    assert personal[0].isdisjoint(personal[1])


def test_no_placeholder_is_left() -> None:
    email = digest_of(*[factories.paper(topics=["robotics"]) for _ in range(3)])

    for body in (email.body, html_of(email)):
        assert not re.search(r"[0-9a-f]{32}", body.replace("unsubscribe/", ""))
        assert "{{" not in body
        assert "{%" not in body


def test_papers_are_numbered_as_the_reader_sees_them() -> None:
    papers = [
        factories.paper(title=f"Paper {name}", topics=[topic])
        for name, topic in [
            ("one", "vision"),
            ("two", "speech"),
            ("three", "vision"),
            ("four", "speech"),
        ]
    ]
    edition = factories.edition(papers=papers)

    email = message(edition, factories.subscriber(topics=["speech"]))

    assert re.findall(r"(\d)\W+Paper (\w+)", email.body) == [("1", "two"), ("2", "four")]


def test_markup_in_a_paper_is_shown_and_not_run() -> None:
    email = digest_of(
        factories.paper(
            title="<script>alert(1)</script> & “quotes”",
            abstract="a < b <img src=x onerror=alert(1)> & c",
            authors=["<b>Ada</b>"],
        )
    )

    page = Parsed(html_of(email))
    assert "<script>alert(1)</script> & “quotes”" in page.text
    assert not page.tags & {"script", "b"}
    assert "onerror" not in re.sub(r"&lt;.*?&gt;", "", html_of(email))
    assert "<script>alert(1)</script> & “quotes”" in email.body
    assert "&lt;" not in email.body


def test_the_subject_is_one_line_and_names_the_first_paper() -> None:
    email = digest_of(
        factories.paper(title="First\r\nBcc: everybody@example.org"), factories.paper()
    )

    assert "\n" not in email.subject
    assert "\r" not in email.subject
    assert email.subject.startswith("First Bcc:")


@pytest.mark.parametrize(
    ("count", "line"), [(1, "1 paper picked for you"), (3, "3 papers picked for you")]
)
def test_both_bodies_say_how_many_papers_there_are(count: int, line: str) -> None:
    email = digest_of(*[factories.paper() for _ in range(count)])

    assert f": {line}\n" in email.body
    assert f"· {line}</p>" in html_of(email)


def test_a_very_long_title_does_not_fill_the_subject() -> None:
    email = digest_of(factories.paper(title="Very " * 90))

    assert len(email.subject) <= 120


@pytest.mark.parametrize(
    "text", ["Wörter über Wörter. ", "We study <things> & “others”. ", "深度学习。"]
)
@pytest.mark.parametrize("detail", ["titles", "short", "full"])
def test_the_longest_digest_stays_below_gmail_s_limit(
    detail: str, text: str, settings: Any
) -> None:
    settings.CLICKS = True  # tracking URLs are longer
    follows = [("author", "0 author", "Author Number 0")]
    reader = factories.subscriber(preferences={"length": 20, "detail": detail}, follows=follows)
    edition = factories.edition()
    for rank in range(1, 21):
        paper = factories.paper(
            title="A rather long title, as they come " * 4,
            abstract=text * 200,
            authors=[f"Author Number {number}" for number in range(573)],
            organization="University of Somewhere in the World",
            topics=["robotics", "speech", "vision"],
            code_url="https://github.com/ada/fold",
            project_url="https://ada.example/fold",
        )
        factories.entry(
            edition=edition, paper=paper, rank=rank, gain=5, comments=9, matched=["author:0 author"]
        )

    email = message(edition, reader)

    assert email.body.count("whom you follow") == 20
    assert len(html_of(email).encode()) < 90_000


def test_the_email_loads_no_remote_content() -> None:
    html = html_of(digest_of(factories.paper()))

    assert not Parsed(html).tags & {"img", "script", "link", "iframe", "object", "form"}
    assert "url(" not in html


def test_the_postal_address_and_the_unsubscribe_link_are_in_both_bodies(settings: Any) -> None:
    settings.POSTAL_ADDRESS = "1 Example Street, Bern"

    email = digest_of(factories.paper())

    for body in (email.body, html_of(email)):
        assert "1 Example Street, Bern" in body
        assert "/unsubscribe/" in body
        assert "/preferences/" in body


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("Short enough.", "Short enough."),
        ("One two three four", "One two…"),
        ("One two, three four", "One two…"),
        ("One two three", "One two three"),
        ("深度学习" * 10, "深度学习深度学习深度学习…"),
        ("", ""),
    ],
)
def test_a_long_text_ends_at_a_word(text: str, short: str) -> None:
    assert cards.truncate_words(text, 13) == short


def test_a_card_is_rendered_once_for_all_readers(monkeypatch: pytest.MonkeyPatch) -> None:
    edition = factories.edition(papers=[factories.paper(), factories.paper()])
    renderer = rendering.Renderer(edition)
    rendered: list[str] = []

    def count_and_render(template: str, *arguments: Any, **options: Any) -> str:
        rendered.append(template)
        return render_to_string(template, *arguments, **options)

    monkeypatch.setattr(fragments, "render_to_string", count_and_render)
    for _ in range(3):
        render_email(renderer, factories.subscriber(), after=edition.date - timedelta(days=1))

    assert sorted(rendered) == sorted(
        ["emails/digest/card.html", "emails/digest/card.txt"] * 2
        + ["emails/digest/body.html", "emails/digest/body.txt"]
    )


def test_the_same_digest_is_the_same_to_the_byte() -> None:
    edition, reader = (
        factories.edition(papers=[factories.paper(), factories.paper()]),
        factories.subscriber(),
    )

    first, second = message(edition, reader), message(edition, reader)

    assert (first.subject, first.body, html_of(first)) == (
        second.subject,
        second.body,
        html_of(second),
    )


def test_a_weekly_digest_holds_papers_of_every_day_of_the_week() -> None:
    monday = factories.paper(title="Of Monday")
    factories.edition(day=factories.TODAY - timedelta(days=1), papers=[monday])
    edition = factories.edition(papers=[factories.paper(title="Of Tuesday")])
    reader = factories.subscriber()

    email = render_email(
        rendering.Renderer(edition), reader, after=factories.TODAY - timedelta(days=7)
    )

    assert "Of Monday" in email.body
    assert "Of Tuesday" in email.body

"""newsletter/digest/rendering.py"""

from __future__ import annotations

import re
from datetime import date, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest

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
    return written(rendering.Renderer(edition), reader, after=edition.date - timedelta(days=1))


def written(renderer: rendering.Renderer, reader: Subscriber, *, after: date) -> Any:
    wishes = interests.interests_by_subscriber([reader])[reader.pk]
    choice = renderer.choose_for(wishes, after=after)
    return renderer.message(Delivery(pk=1, edition=renderer.edition), reader, wishes, choice.papers)


def html_of(message: Any) -> str:
    [(html, kind)] = message.alternatives
    assert kind == "text/html"
    return str(html)


class Parsed(HTMLParser):
    """What a mail program would show, and where its links go."""

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

    found = digest_of(paper)

    page = Parsed(html_of(found))
    for link in [paper.arxiv_url, paper.pdf_url, paper.code_url, paper.discussion_url]:
        assert link in page.links
        assert link in found.body
    assert "Robots that fold" in page.text
    assert "Robots that fold" in found.body


def test_what_is_personal_is_the_reader_s_own() -> None:
    edition = factories.edition(papers=[factories.paper()])
    ada, ben = factories.subscriber(), factories.subscriber()

    links = [Parsed(html_of(message(edition, reader))).links for reader in (ada, ben)]

    personal = [
        {link for link in found if re.search(r"/(unsubscribe|preferences)/", link)}
        for found in links
    ]
    assert [len(found) for found in personal] == [2, 2]
    assert personal[0].isdisjoint(personal[1])


def test_no_mark_of_the_joining_is_left() -> None:
    found = digest_of(*[factories.paper(topics=["robotics"]) for _ in range(3)])

    for body in (found.body, html_of(found)):
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

    found = message(edition, factories.subscriber(topics=["speech"]))

    assert re.findall(r"(\d)\W+Paper (\w+)", found.body) == [("1", "two"), ("2", "four")]


def test_markup_in_a_paper_is_shown_and_not_run() -> None:
    found = digest_of(
        factories.paper(
            title="<script>alert(1)</script> & “quotes”",
            abstract="a < b <img src=x onerror=alert(1)> & c",
            authors=["<b>Ada</b>"],
        )
    )

    page = Parsed(html_of(found))
    assert "<script>alert(1)</script> & “quotes”" in page.text
    assert not page.tags & {"script", "b"}
    assert "onerror" not in re.sub(r"&lt;.*?&gt;", "", html_of(found))
    assert "<script>alert(1)</script> & “quotes”" in found.body
    assert "&lt;" not in found.body


def test_a_subject_is_one_line_that_names_the_first_paper() -> None:
    found = digest_of(
        factories.paper(title="First\r\nBcc: everybody@example.org"), factories.paper()
    )

    assert "\n" not in found.subject
    assert "\r" not in found.subject
    assert found.subject.startswith("First Bcc:")


def test_a_very_long_title_does_not_fill_the_subject() -> None:
    found = digest_of(factories.paper(title="Very " * 90))

    assert len(found.subject) <= 120


@pytest.mark.parametrize(
    "text", ["Wörter über Wörter. ", "We study <things> & “others”. ", "深度学习。"]
)
@pytest.mark.parametrize("detail", ["titles", "short", "full"])
def test_the_longest_digest_stays_below_what_gmail_cuts(
    detail: str, text: str, settings: Any
) -> None:
    settings.CLICKS = True  # its links are longer
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

    found = message(edition, reader)

    assert found.body.count("whom you follow") == 20
    assert len(html_of(found).encode()) < 90_000


def test_nothing_is_loaded_from_elsewhere() -> None:
    html = html_of(digest_of(factories.paper()))

    assert not Parsed(html).tags & {"img", "script", "link", "iframe", "object", "form"}
    assert "url(" not in html


def test_the_postal_address_and_the_way_out_are_in_both_bodies(settings: Any) -> None:
    settings.POSTAL_ADDRESS = "1 Example Street, Bern"

    found = digest_of(factories.paper())

    for body in (found.body, html_of(found)):
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
    render = fragments.render_to_string

    def counted(template: str, *arguments: Any, **options: Any) -> str:
        rendered.append(template)
        return render(template, *arguments, **options)

    monkeypatch.setattr(fragments, "render_to_string", counted)
    for _ in range(3):
        written(renderer, factories.subscriber(), after=edition.date - timedelta(days=1))

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


def test_a_weekly_digest_holds_the_week_s_best_whichever_day_they_came() -> None:
    monday = factories.paper(title="Of Monday")
    factories.edition(day=factories.TODAY - timedelta(days=1), papers=[monday])
    edition = factories.edition(papers=[factories.paper(title="Of Tuesday")])
    reader = factories.subscriber()

    found = written(rendering.Renderer(edition), reader, after=factories.TODAY - timedelta(days=7))

    assert "Of Monday" in found.body
    assert "Of Tuesday" in found.body

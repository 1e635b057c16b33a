"""Papers and topics as the API tells of them: what each field means stands beside it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from typing import Annotated, Any

from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse
from django.utils.http import http_date
from ninja import Schema
from pydantic import ConfigDict, Field

from papers import models

URI_FORMAT = {"format": "uri"}
Uri = Annotated[str, Field(json_schema_extra=URI_FORMAT)]
PAPER_EXAMPLE = {
    "id": "2605.04321",
    "url": "https://papers.example.org/papers/2605.04321/",
    "arxiv_id": "2605.04321",
    "doi": None,
    "arxiv_url": "https://arxiv.org/abs/2605.04321",
    "pdf_url": "https://arxiv.org/pdf/2605.04321",
    "code_url": "https://github.com/example/grasping",
    "project_url": None,
    "discussion_url": "https://huggingface.co/papers/2605.04321",
    "title": "Grasping What Nobody Has Seen",
    "abstract": "We teach a hand to take up things that it was never shown.",
    "machine_summary": "A robot hand learns to grasp unknown things.",
    "authors": ["Ada Lovelace", "Émilie du Châtelet"],
    "organization": None,
    "categories": ["cs.RO", "cs.LG"],
    "keywords": ["grasping"],
    "topics": [{"slug": "robotics", "name": "Robotics"}],
    "withdrawn": False,
    "day": "2026-05-11",
    "published_on": "2026-05-10",
    "listed_on": "2026-05-11",
    "score": 41.3,
    "upvotes": 62,
    "comments": 4,
    "stars": 180,
    "scored_at": "2026-05-12T06:00:00Z",
}
TOPIC_EXAMPLE = {
    "slug": "robotics",
    "name": "Robotics",
    "description": "Machines that move and act in the world.",
    "trending": 17,
    "url": "https://papers.example.org/topics/robotics/",
    "feed_url": "https://papers.example.org/feeds/robotics.xml",
    "papers_url": "https://papers.example.org/api/v1/papers?topic=robotics&sort=trending",
}


def example_config(payload: dict[str, Any]) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [payload]})


class TopicName(Schema):
    slug: Annotated[str, Field(description="What a topic is called in addresses.")]
    name: str


class PaperSchema(Schema):
    """A paper and the attention it gets."""

    model_config = example_config(PAPER_EXAMPLE)

    id: Annotated[
        str,
        Field(
            description="Its arXiv id, else its DOI, else a key of its title: its address ends with it."
        ),
    ]
    url: Annotated[Uri, Field(description="The paper's page on this site.")]
    arxiv_id: Annotated[str | None, Field(description="Without its version.")]
    doi: Annotated[str | None, Field(description="Its publisher's number, not arXiv's own.")]
    arxiv_url: Uri | None
    pdf_url: Uri | None
    code_url: Annotated[Uri | None, Field(description="As its authors or a source name it.")]
    project_url: Uri | None
    discussion_url: Annotated[Uri | None, Field(description="Where people talk about it.")]
    title: str
    abstract: str
    machine_summary: Annotated[
        str | None,
        Field(
            description="One sentence written by a machine, not by the authors: it may be wrong. "
            "Show it only with that said beside it."
        ),
    ]
    authors: list[str]
    organization: str | None
    categories: Annotated[list[str], Field(description="arXiv's.")]
    keywords: list[str]
    topics: Annotated[list[TopicName], Field(description="By rules that anybody can read.")]
    withdrawn: Annotated[bool, Field(description="By its authors, or retracted by its publisher.")]
    day: Annotated[
        date,
        Field(description="Of its listing, else of its publication, else of coming here."),
    ]
    published_on: date | None
    listed_on: Annotated[
        date | None, Field(description="When a source first put it before its readers.")
    ]
    score: Annotated[
        float, Field(description="How hot it is: upvotes a day; 0 if it no longer trends.")
    ]
    upvotes: int
    comments: int
    stars: Annotated[int | None, Field(description="Its code's on GitHub, if counted.")]
    scored_at: Annotated[datetime | None, Field(description="The moment of these figures.")]

    @staticmethod
    def resolve_id(paper: models.Paper) -> str:
        return paper.identity

    @staticmethod
    def resolve_url(paper: models.Paper) -> str:
        return settings.SITE_URL + paper.get_absolute_url()

    @staticmethod
    def resolve_day(paper: models.Paper) -> date:
        return paper.sort_date

    @staticmethod
    def resolve_arxiv_id(paper: models.Paper) -> str | None:
        return paper.arxiv_id or None

    @staticmethod
    def resolve_doi(paper: models.Paper) -> str | None:
        return paper.doi or None

    @staticmethod
    def resolve_arxiv_url(paper: models.Paper) -> str | None:
        return paper.arxiv_url or None

    @staticmethod
    def resolve_pdf_url(paper: models.Paper) -> str | None:
        return paper.pdf_url or None

    @staticmethod
    def resolve_discussion_url(paper: models.Paper) -> str | None:
        return paper.discussion_url or None

    @staticmethod
    def resolve_code_url(paper: models.Paper) -> str | None:
        return paper.code_url or None

    @staticmethod
    def resolve_project_url(paper: models.Paper) -> str | None:
        return paper.project_url or None

    @staticmethod
    def resolve_machine_summary(paper: models.Paper) -> str | None:
        return paper.machine_summary or None

    @staticmethod
    def resolve_organization(paper: models.Paper) -> str | None:
        return paper.organization or None


class TopicSchema(Schema):
    """A field of research that readers can follow."""

    model_config = example_config(TOPIC_EXAMPLE)

    slug: Annotated[str, Field(description="What it is called in addresses.")]
    name: str
    description: str
    trending: Annotated[int, Field(description="How many of its papers trend this week.")]
    url: Annotated[Uri, Field(description="The topic's page on this site.")]
    feed_url: Annotated[Uri, Field(description="What trends in it, as an Atom feed.")]
    papers_url: Annotated[Uri, Field(description="What trends in it, by this API.")]

    @staticmethod
    def resolve_url(topic: models.Topic) -> str:
        return settings.SITE_URL + topic.get_absolute_url()

    @staticmethod
    def resolve_feed_url(topic: models.Topic) -> str:
        return settings.SITE_URL + reverse("papers:topic_feed", args=[topic.slug])

    @staticmethod
    def resolve_papers_url(topic: models.Topic) -> str:
        return f"{settings.API_URL}/papers?topic={topic.slug}&sort=trending"


NextPageUri = Annotated[
    Uri | None, Field(description="The next page's address; null on the last. Follow it as it is.")
]


class PaperListSchema(Schema):
    items: list[PaperSchema]
    next: NextPageUri

    model_config = example_config(
        {
            "items": [PAPER_EXAMPLE],
            "next": "https://papers.example.org/api/v1/papers?limit=1&cursor=WyI5ZjQxIiwgM10:c2lnbmVk",
        }
    )


class TopicListSchema(Schema):
    """All of them: there is no next page, and `next` stands here as in the other lists."""

    items: list[TopicSchema]
    next: None = None

    model_config = example_config({"items": [TOPIC_EXAMPLE], "next": None})


def set_last_modified(response: HttpResponse, timestamps: Iterable[datetime | None]) -> None:
    """Last-Modified: the newest moment that is known of anything in the answer."""
    if known := [each for each in timestamps if each]:
        response["Last-Modified"] = http_date(int(max(known).timestamp()))


def modification_times(paper: models.Paper) -> list[datetime | None]:
    """When it was changed, so far as that is written down."""
    return [paper.added_at, paper.scored_at]


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)

"""API response schemas of papers and topics."""

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
    "title": "Grasping Unseen Objects",
    "abstract": "We train a robot hand to grasp objects that it has not seen before.",
    "machine_summary": "A robot hand learns to grasp unknown objects.",
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
    "description": "Machines that move and act in the physical world.",
    "trending": 17,
    "url": "https://papers.example.org/topics/robotics/",
    "feed_url": "https://papers.example.org/feeds/robotics.xml",
    "papers_url": "https://papers.example.org/api/v1/papers?topic=robotics&sort=trending",
}


def example_config(payload: dict[str, Any]) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [payload]})


class TopicName(Schema):
    slug: Annotated[str, Field(description="The topic's name in URLs.")]
    name: str


class PaperSchema(Schema):
    """A paper and the attention it gets."""

    model_config = example_config(PAPER_EXAMPLE)

    id: Annotated[
        str,
        Field(
            description="The arXiv id, else the DOI, else a hash of title and first author; "
            "the last part of the paper's URL."
        ),
    ]
    url: Annotated[Uri, Field(description="The paper's page on this site.")]
    arxiv_id: Annotated[str | None, Field(description="The arXiv id without version.")]
    doi: Annotated[
        str | None, Field(description="The publisher's DOI, not the one that arXiv assigns.")
    ]
    arxiv_url: Uri | None
    pdf_url: Uri | None
    code_url: Annotated[
        Uri | None,
        Field(description="The code repository, as reported by the authors or a source."),
    ]
    project_url: Uri | None
    discussion_url: Annotated[Uri | None, Field(description="The page where people discuss it.")]
    title: str
    abstract: str
    machine_summary: Annotated[
        str | None,
        Field(
            description="One sentence written by a language model, not by the authors; it may be "
            "wrong. Always label it as machine-written."
        ),
    ]
    authors: list[str]
    organization: str | None
    categories: Annotated[list[str], Field(description="arXiv categories.")]
    keywords: list[str]
    topics: Annotated[list[TopicName], Field(description="Assigned by published rules.")]
    withdrawn: Annotated[
        bool, Field(description="Withdrawn by its authors or retracted by its publisher.")
    ]
    day: Annotated[
        date,
        Field(description="The day of its listing, else of its publication, else of its import."),
    ]
    published_on: date | None
    listed_on: Annotated[
        date | None, Field(description="The day on which a source first listed it.")
    ]
    score: Annotated[
        float, Field(description="Trending score in upvotes per day; 0 if it no longer trends.")
    ]
    upvotes: int
    comments: int
    stars: Annotated[int | None, Field(description="GitHub stars of its code; null if unknown.")]
    scored_at: Annotated[
        datetime | None, Field(description="When the score and the counts were computed.")
    ]

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

    slug: Annotated[str, Field(description="The topic's name in URLs.")]
    name: str
    description: str
    trending: Annotated[int, Field(description="The number of its papers that trend this week.")]
    url: Annotated[Uri, Field(description="The topic's page on this site.")]
    feed_url: Annotated[Uri, Field(description="The Atom feed of its trending papers.")]
    papers_url: Annotated[Uri, Field(description="Its trending papers in this API.")]

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
    Uri | None,
    Field(description="The URL of the next page; null on the last page. Do not modify it."),
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
    """All topics on one page; `next` is always null and is there for uniformity."""

    items: list[TopicSchema]
    next: None = None

    model_config = example_config({"items": [TOPIC_EXAMPLE], "next": None})


def set_last_modified(response: HttpResponse, timestamps: Iterable[datetime | None]) -> None:
    """Set Last-Modified to the newest of the timestamps, if there is any."""
    if present := [timestamp for timestamp in timestamps if timestamp]:
        response["Last-Modified"] = http_date(int(max(present).timestamp()))


def modification_times(paper: models.Paper) -> list[datetime | None]:
    """Return the recorded times of change; edits of the text are not recorded."""
    return [paper.added_at, paper.scored_at]


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)

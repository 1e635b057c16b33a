"""GitHub: how many stars the code of a paper has.

One question for each repository, and few without a token: 60 an hour for each address on the
internet, 5,000 with one. Beyond the documentation:

- A repository that was renamed or moved answers 301 to `/repositories/<number>`.
- What is used up is said with 403 or 429, and `X-RateLimit-Reset` or `Retry-After`; the limit on
  many questions at once sometimes with neither.
- A repository that was taken down answers 451, or 403 with "access blocked".
- No answer knows of a paper: a saved one only says how many stars a repository has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from papers.sources import Answer, Known, MalformedAnswer, Record, Wanted
from papers.sources.http import Client, Refused
from papers.sources.json_values import (
    Rejected,
    answer_of,
    check_error,
    count,
    json_value,
    kind_of,
    text,
)

# Questions at each fetch, so that an hour's allowance is not used up at once.
MOST, MOST_WITH_TOKEN = 50, 500
FORBIDDEN = 403
GONE = frozenset({404, 410, 451})
# What it asks of those who met a limit without a time, in seconds.
PAUSE = 60
REPOSITORY = re.compile(
    r"https?://(?:www\.)?github\.com/([a-z0-9](?:[a-z0-9_-]{0,38}))/([a-z0-9._-]{1,100}?)"
    r"(?:\.git)?(?:[/?#].*)?",
    re.IGNORECASE | re.ASCII,
)


class GitHub:
    name = "github"
    title = "GitHub"
    # One after another, as it asks; and held for all when it says so.
    turns = ("github", timedelta(seconds=0.2))

    def __init__(self, client: Client) -> None:
        self.client = client

    @staticmethod
    def credentials(key: str) -> dict[str, Any]:
        """How the operator's token goes with every question."""
        return {"headers": {"Authorization": f"Bearer {key}"}}

    def fetch(self, wanted: Wanted) -> Iterator[Answer]:
        """The stars of the papers' repositories, one answer for each repository."""
        most = MOST_WITH_TOKEN if "Authorization" in self.client.session.headers else MOST
        for repository, papers in list(by_repository(wanted.papers).items())[:most]:
            yield self.fetch_repository(repository, papers)

    def fetch_repository(self, repository: str, papers: Sequence[Known]) -> Answer:
        try:
            answer = self.parse(self.client.get(f"repos/{repository}"))
        except Refused as refused:
            if not is_gone(refused):
                self.pause_after(refused)
                raise
            return Answer(rejected=("repository not found",))
        stars = answer.records[0]
        return Answer(
            records=tuple(
                replace(stars, arxiv_id=each.arxiv_id, doi=each.doi, code_url=each.code_url)
                for each in papers
            )
        )

    def pause_after(self, refused: Refused) -> None:
        if refused.status == FORBIDDEN and "rate limit" in refused.told.lower():
            self.client.turns.hold(PAUSE)

    def parse(self, body: bytes, *, day: date | None = None) -> Answer:
        value = json_value(body)
        check_error(value, self.title)
        if isinstance(value, dict):
            value = value["items"] if isinstance(value.get("items"), list) else [value]
        if not isinstance(value, list):
            raise MalformedAnswer(f"The answer is {kind_of(value)}, not a repository.")
        return answer_of(value, read, self.title)


def by_repository(papers: Sequence[Known]) -> dict[str, list[Known]]:
    """The papers of each repository, the most important first."""
    found: dict[str, list[Known]] = {}
    for paper in papers:
        name = repository_name(paper.code_url)
        if name and (paper.arxiv_id or paper.doi):
            found.setdefault(name, []).append(paper)
    return found


def repository_name(url: str) -> str:
    """owner/name, in lower case as GitHub compares them; empty for what is no repository."""
    match = REPOSITORY.fullmatch(url.strip())
    if match is None or not match[2].strip("."):
        return ""
    return f"{match[1]}/{match[2]}".lower()


def is_gone(refused: Refused) -> bool:
    blocked = refused.status == FORBIDDEN and "blocked" in refused.told.lower()
    return blocked or refused.status in GONE


def read(item: Any) -> Record:
    """The stars of one repository, by its address; raises Rejected."""
    if not isinstance(item, dict):
        raise Rejected("no repository")
    stars = count(item.get("stargazers_count"))
    if stars is None or not repository_name(address := text(item.get("html_url"))):
        raise Rejected("no stars")
    return Record(code_url=address, stars=stars)

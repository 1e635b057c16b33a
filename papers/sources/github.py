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

from papers.sources import FetchRequest, InvalidResponseError, KnownPaper, Record, SourceResponse
from papers.sources.http import HttpError, SourceClient
from papers.sources.json_values import (
    RejectedItemError,
    as_text,
    describe_json,
    parse_count,
    parse_items,
    parse_json,
    raise_for_error,
)

# Questions at each fetch, so that an hour's allowance is not used up at once.
MAX_REPOS_PER_FETCH, MAX_REPOS_PER_FETCH_WITH_TOKEN = 50, 500
FORBIDDEN = 403
NOT_FOUND_STATUSES = frozenset({404, 410, 451})
# What it asks of those who met a limit without a time, in seconds.
DEFAULT_BACK_OFF_SECONDS = 60
REPO_URL = re.compile(
    r"https?://(?:www\.)?github\.com/([a-z0-9](?:[a-z0-9_-]{0,38}))/([a-z0-9._-]{1,100}?)"
    r"(?:\.git)?(?:[/?#].*)?",
    re.IGNORECASE | re.ASCII,
)


class GitHub:
    name = "github"
    title = "GitHub"
    # One after another, as it asks; and held for all when it says so.
    pacing = ("github", timedelta(seconds=0.2))

    def __init__(self, client: SourceClient) -> None:
        self.client = client

    @staticmethod
    def credentials(key: str) -> dict[str, Any]:
        """How the operator's token goes with every question."""
        return {"headers": {"Authorization": f"Bearer {key}"}}

    def fetch(self, request: FetchRequest) -> Iterator[SourceResponse]:
        """The stars of the papers' repositories, one answer for each repository."""
        most = (
            MAX_REPOS_PER_FETCH_WITH_TOKEN
            if "Authorization" in self.client.headers
            else MAX_REPOS_PER_FETCH
        )
        for repository, papers in list(group_by_repository(request.papers).items())[:most]:
            yield self.fetch_repository(repository, papers)

    def fetch_repository(self, repository: str, papers: Sequence[KnownPaper]) -> SourceResponse:
        try:
            answer = self.parse(self.client.get(f"repos/{repository}"))
        except HttpError as refused:
            if not is_not_found(refused):
                self.back_off_if_limited(refused)
                raise
            return SourceResponse(rejected=("repository not found",))
        stars = answer.records[0]
        return SourceResponse(
            records=tuple(
                replace(stars, arxiv_id=each.arxiv_id, doi=each.doi, code_url=each.code_url)
                for each in papers
            )
        )

    def back_off_if_limited(self, error: HttpError) -> None:
        if error.status == FORBIDDEN and "rate limit" in error.body_start.lower():
            self.client.pacer.back_off(DEFAULT_BACK_OFF_SECONDS)

    def parse(self, body: bytes, *, day: date | None = None) -> SourceResponse:
        value = parse_json(body)
        raise_for_error(value, self.title)
        if isinstance(value, dict):
            value = value["items"] if isinstance(value.get("items"), list) else [value]
        if not isinstance(value, list):
            raise InvalidResponseError(f"The answer is {describe_json(value)}, not a repository.")
        return parse_items(value, parse_repository, self.title)


def group_by_repository(papers: Sequence[KnownPaper]) -> dict[str, list[KnownPaper]]:
    """The papers of each repository, the most important first."""
    found: dict[str, list[KnownPaper]] = {}
    for paper in papers:
        name = repository_name(paper.code_url)
        if name and (paper.arxiv_id or paper.doi):
            found.setdefault(name, []).append(paper)
    return found


def repository_name(url: str) -> str:
    """owner/name, in lower case as GitHub compares them; empty for what is no repository."""
    match = REPO_URL.fullmatch(url.strip())
    if match is None or not match[2].strip("."):
        return ""
    return f"{match[1]}/{match[2]}".lower()


def is_not_found(error: HttpError) -> bool:
    blocked = error.status == FORBIDDEN and "blocked" in error.body_start.lower()
    return blocked or error.status in NOT_FOUND_STATUSES


def parse_repository(item: Any) -> Record:
    """The stars of one repository, by its address; raises Rejected."""
    if not isinstance(item, dict):
        raise RejectedItemError("no repository")
    stars = parse_count(item.get("stargazers_count"))
    if stars is None or not repository_name(address := as_text(item.get("html_url"))):
        raise RejectedItemError("no stars")
    return Record(code_url=address, stars=stars)

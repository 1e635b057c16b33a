"""GitHub: the number of stars of a paper's code.

One call per repository. The quota is 60 calls an hour per IP address without a token, and 5,000
with one. Not in the documentation:

- A renamed or moved repository returns 301 to `/repositories/<number>`.
- A used-up quota is 403 or 429 with `X-RateLimit-Reset` or `Retry-After`; the secondary limit, on
  bursts, is sometimes 403 with neither.
- A repository that was taken down returns 451, or 403 with "access blocked".
- No response names a paper: of a saved one only the repository and its stars are known.
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

# Calls per fetch, so that one fetch does not use up the hour's quota.
MAX_REPOS_PER_FETCH, MAX_REPOS_PER_FETCH_WITH_TOKEN = 50, 500
FORBIDDEN = 403
NOT_FOUND_STATUSES = frozenset({404, 410, 451})
# GitHub's rule for a limit without a time.
DEFAULT_BACK_OFF_SECONDS = 60
REPO_URL = re.compile(
    r"https?://(?:www\.)?github\.com/([a-z0-9](?:[a-z0-9_-]{0,38}))/([a-z0-9._-]{1,100}?)"
    r"(?:\.git)?(?:[/?#].*)?",
    re.IGNORECASE | re.ASCII,
)


class GitHub:
    name = "github"
    title = "GitHub"
    # GitHub's rules demand one call after another.
    pacing = ("github", timedelta(seconds=0.2))

    def __init__(self, client: SourceClient) -> None:
        self.client = client

    @staticmethod
    def credentials(key: str) -> dict[str, Any]:
        """Return the client's arguments for the operator's token."""
        return {"headers": {"Authorization": f"Bearer {key}"}}

    def fetch(self, request: FetchRequest) -> Iterator[SourceResponse]:
        """Yield the stars of the papers' repositories, one response per repository."""
        max_repos = (
            MAX_REPOS_PER_FETCH_WITH_TOKEN
            if "Authorization" in self.client.headers
            else MAX_REPOS_PER_FETCH
        )
        for repository, papers in list(group_by_repository(request.papers).items())[:max_repos]:
            yield self.fetch_repository(repository, papers)

    def fetch_repository(self, repository: str, papers: Sequence[KnownPaper]) -> SourceResponse:
        try:
            response = self.parse(self.client.get(f"repos/{repository}"))
        except HttpError as error:
            if not is_not_found(error):
                self.back_off_if_limited(error)
                raise
            return SourceResponse(rejected=("repository not found",))
        stars = response.records[0]
        return SourceResponse(
            records=tuple(
                replace(stars, arxiv_id=paper.arxiv_id, doi=paper.doi, code_url=paper.code_url)
                for paper in papers
            )
        )

    def back_off_if_limited(self, error: HttpError) -> None:
        """Pause all workers after a limit that states no time; the client handles the others."""
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
    """Return the papers of each repository, in the order of the papers."""
    groups: dict[str, list[KnownPaper]] = {}
    for paper in papers:
        name = repository_name(paper.code_url)
        if name and (paper.arxiv_id or paper.doi):
            groups.setdefault(name, []).append(paper)
    return groups


def repository_name(url: str) -> str:
    """Return "owner/name" in lower case, since GitHub ignores case; "" for any other URL."""
    match = REPO_URL.fullmatch(url.strip())
    if match is None or not match[2].strip("."):
        return ""
    return f"{match[1]}/{match[2]}".lower()


def is_not_found(error: HttpError) -> bool:
    blocked = error.status == FORBIDDEN and "blocked" in error.body_start.lower()
    return blocked or error.status in NOT_FOUND_STATUSES


def parse_repository(item: Any) -> Record:
    """Return a record with the URL and the stars of a repository; raise RejectedItemError."""
    if not isinstance(item, dict):
        raise RejectedItemError("not a repository")
    stars = parse_count(item.get("stargazers_count"))
    url = as_text(item.get("html_url"))
    if stars is None or not repository_name(url):
        raise RejectedItemError("no stars")
    return Record(code_url=url, stars=stars)

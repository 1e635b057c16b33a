"""arXiv's OAI-PMH service: harvest everything that changed since the last harvest, page by page.

The protocol is version 2.0 of the Open Archives Initiative's. Observed in responses of 2016 to 2026
and in the source code of the service, contrary to or missing from the documentation:

- Errors have status 200. `noRecordsMatch` only means that nothing changed.
- We request the format `arXivRaw`: only this one has the date of every version, and marks a
  withdrawn version with source type I. In the format `arXiv`, `created` was the date of the first
  version until 2025 and is that of the latest version today. It is ignored if it is after the month
  in the id.
- `arXivRaw` and `arXivOld` have all authors in one text, with "and", affiliations and "Jr.".
  `arXiv` has one element per author. `oai_dc` has "Surname Jr., First", the categories only in
  words, and the comment as a second description. Its categories are read from the sets in the
  header, which were whole archives until 2025.
- One field may hold several DOIs. One response had its metadata without their namespace.
- The datestamp is the day of the last change of any kind, not of a version.
- A resumption token expires at midnight UTC. That of the last page is empty or missing.

The cursor is the state of a harvest: `since`, the day it starts from; `until`, the day of its first
response, from which the next harvest starts; `set`, the current set; and in this set `reached`, the
day of the last record, and the resumption `token`. When the token has expired, the set is resumed
from the day in `reached`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from urllib.parse import parse_qsl, urlencode
from xml.etree.ElementTree import Element

from papers.sources import (
    FetchRequest,
    InvalidResponseError,
    Record,
    SourceResponse,
    arxiv_common,
    xml,
)
from papers.sources.http import SourceClient
from papers.sources.json_values import NotFoundAtSourceError, RejectedItemError, parse_items
from papers.text.authors import given_name_first
from papers.topics import categories

OAI_PATH = "oai"
METADATA_PREFIX = "arXivRaw"
# Of one fetch. The next fetch resumes there.
MAX_PAGES = 20
LIST_ELEMENTS = ("ListRecords", "GetRecord", "ListIdentifiers")
# Groups named like their only archive. All other archives are in the group physics.
SINGLE_ARCHIVE_GROUPS = frozenset({"cs", "econ", "eess", "math", "q-bio", "q-fin", "stat"})
WITHDRAWN_SOURCE_TYPE = "I"


@dataclass(frozen=True, slots=True, kw_only=True)
class HarvestState:
    """How far a harvest has come. As text it is the cursor."""

    since: str
    until: str = ""
    set: str = ""
    reached: str = ""
    token: str = ""

    def __str__(self) -> str:
        return urlencode({name: value for name, value in asdict(self).items() if value})

    def request_params(self) -> dict[str, str | int]:
        if self.token:
            return {"verb": "ListRecords", "resumptionToken": self.token}
        return {
            "verb": "ListRecords",
            "metadataPrefix": METADATA_PREFIX,
            "from": self.reached or self.since,
            "set": self.set,
        }

    def advance(self, page: HarvestPage, sets: Sequence[str]) -> HarvestState:
        """Return the state after a page: further in its set, in the next set or the next harvest."""
        until = self.until or page.response_date
        if page.resumption_token:
            reached = page.last_datestamp or self.reached
            return replace(self, until=until, reached=reached, token=page.resumption_token)
        remaining_sets = sets[sets.index(self.set) + 1 :]
        if remaining_sets:
            return HarvestState(since=self.since, until=until, set=remaining_sets[0])
        return HarvestState(since=until or self.since)


@dataclass(frozen=True, slots=True, kw_only=True)
class HarvestPage:
    """A page of a harvest, with what is needed to resume after it."""

    response: SourceResponse
    response_date: str
    # That of the last record; empty if the records are not in order.
    last_datestamp: str
    resumption_token: str


class ArxivOai:
    name = "arxiv-oai"
    title = "arXiv OAI-PMH"
    pacing = arxiv_common.PACING

    def __init__(self, client: SourceClient) -> None:
        self.client = arxiv_common.xml_client(client)

    def fetch(self, request: FetchRequest) -> Iterator[SourceResponse]:
        """Yield what changed in the categories since the cursor, else since the oldest day."""
        sets = [oai_set(category) for category in arxiv_common.valid_categories(request.categories)]
        state = initial_state(request)
        if not sets or state is None:
            return
        if state.set not in sets:
            state = HarvestState(since=state.since, set=sets[0])
        for _ in range(MAX_PAGES):
            page = self.fetch_page_or_resume(state)
            if page.resumption_token and page.resumption_token == state.token:
                raise InvalidResponseError(f"{self.title} returned the same page twice.")
            state = state.advance(page, sets)
            yield replace(page.response, cursor=str(state))
            if not state.set:
                return

    def fetch_page_or_resume(self, state: HarvestState) -> HarvestPage:
        """Return the next page; request it by its day if the resumption token has expired."""
        try:
            return self.fetch_page(state)
        except arxiv_common.ArxivError as error:
            if error.code != "badResumptionToken" or not state.token:
                raise
        return self.fetch_page(replace(state, token=""))

    def fetch_page(self, state: HarvestState) -> HarvestPage:
        return arxiv_common.fetch_and_parse(
            self.client, OAI_PATH, state.request_params(), self.parse_page
        )

    def parse(self, body: bytes, *, day: date | None = None) -> SourceResponse:
        """Parse a page of records, or a single record, in any of arXiv's formats."""
        return self.parse_page(body).response

    def parse_page(self, body: bytes) -> HarvestPage:
        root = xml.parse_xml(body)
        if root.tag != "OAI-PMH":
            raise InvalidResponseError(f"The answer is <{root.tag[:40]}>, not one of OAI-PMH.")
        errors = {error.get("code", ""): error.text or "" for error in root.iterfind("error")}
        for code, message in errors.items():
            if code != "noRecordsMatch":
                raise arxiv_common.ArxivError(self.title, f"{code}: {message}", code=code)
        record_list = next((child for child in root if child.tag in LIST_ELEMENTS), None)
        if record_list is None and not errors:
            raise InvalidResponseError("The answer has no list of papers.")
        if record_list is None:
            record_list = Element("ListRecords")
        items = [child for child in record_list if child.tag in {"record", "header"}]
        stamps = [xml.first_text(item, "header/datestamp", "datestamp")[:10] for item in items]
        return HarvestPage(
            response=parse_items(items, parse_record, self.title),
            response_date=iso_date(xml.first_text(root, "responseDate")),
            last_datestamp=iso_date(stamps[-1]) if stamps and stamps == sorted(stamps) else "",
            resumption_token=xml.first_text(record_list, "resumptionToken"),
        )


def initial_state(request: FetchRequest) -> HarvestState | None:
    """Return the state in the cursor, else that of a harvest from the oldest day, else None."""
    names = HarvestState.__dataclass_fields__
    state = {key: value for key, value in parse_qsl(request.cursor) if key in names}
    if iso_date(state.get("since", "")):
        return HarvestState(**state)
    return HarvestState(since=min(request.days).isoformat()) if request.days else None


def iso_date(value: str) -> str:
    """Return the day as OAI-PMH writes it, or "" for an invalid one."""
    day = xml.parse_date(value)
    return day.isoformat() if day else ""


def oai_set(category: str) -> str:
    """Return the set of a category, such as cs:cs:LG, physics:hep-th or physics:cond-mat:soft."""
    archive = category.partition(".")[0]
    group = archive if archive in SINGLE_ARCHIVE_GROUPS else "physics"
    return f"{group}:{category.replace('.', ':')}"


def parse_record(item: Element) -> Record:
    """Return our record of a record in any format; raise RejectedItemError."""
    header = item if item.tag == "header" else item.find("header")
    if header is None:
        raise RejectedItemError("no header")
    arxiv_id = arxiv_common.require_arxiv_id(
        xml.first_text(header, "identifier"), xml.first_text(item, "metadata/*/id")
    )
    stamp = xml.parse_datetime(xml.first_text(header, "datestamp"))
    if header.get("status") == "deleted":
        return Record(arxiv_id=arxiv_id, withdrawn=True, updated_at=stamp)
    metadata = item.find("metadata/*")
    if metadata is None:
        raise NotFoundAtSourceError("a header without metadata")
    if not (title := xml.first_text(metadata, "title")):
        raise RejectedItemError("no title")
    if metadata.tag == "dc":
        return parse_dublin_core(metadata, arxiv_id=arxiv_id, title=title, header=header)
    versions = version_times(metadata)
    first = versions.get(1) or creation_time(metadata, arxiv_id)
    comment, abstract = xml.first_text(metadata, "comments"), xml.first_text(metadata, "abstract")
    return Record(
        arxiv_id=arxiv_id,
        doi=arxiv_common.first_publisher_doi(xml.first_text(metadata, "doi")),
        title=title,
        abstract=abstract,
        authors=parse_authors(metadata),
        categories=tuple(categories.canonical_ids(xml.first_text(metadata, "categories").split())),
        published_on=first.date() if first else None,
        updated_at=max(filter(None, (stamp, *versions.values())), default=None),
        withdrawn=is_withdrawn(metadata) or arxiv_common.mentions_withdrawal(comment, abstract),
        code_url=arxiv_common.code_url(comment, abstract),
    )


def parse_dublin_core(metadata: Element, *, arxiv_id: str, title: str, header: Element) -> Record:
    abstract, *rest = [*xml.all_texts(metadata, "description"), ""]
    comment = " ".join(rest).removeprefix("Comment: ")
    days = sorted(filter(None, map(xml.parse_datetime, xml.all_texts(metadata, "date"))))
    stamp = xml.parse_datetime(xml.first_text(header, "datestamp"))
    identifiers = xml.all_texts(metadata, "identifier")
    dois = [text for text in identifiers if text.lower().startswith("doi:")]
    return Record(
        arxiv_id=arxiv_id,
        doi=arxiv_common.first_publisher_doi(dois[0][len("doi:") :]) if dois else "",
        title=title,
        abstract=abstract,
        authors=arxiv_common.clean_author_names(
            map(given_name_first, xml.all_texts(metadata, "creator"))
        ),
        categories=tuple(
            categories.canonical_ids(map(category_from_set, xml.all_texts(header, "setSpec")))
        ),
        published_on=days[0].date() if days else None,
        updated_at=max(filter(None, (stamp, *days)), default=None),
        withdrawn=arxiv_common.mentions_withdrawal(comment, abstract),
        code_url=arxiv_common.code_url(comment, abstract),
    )


def version_times(metadata: Element) -> dict[int, datetime]:
    """Return the time of each version by its number; only arXivRaw has them."""
    times = {}
    for version in metadata.iterfind("version"):
        digits = version.get("version", "")[1:]
        moment = xml.parse_datetime(xml.first_text(version, "date"))
        if digits.isdecimal() and moment:
            times[int(digits[:9])] = moment
    return times


def creation_time(metadata: Element, arxiv_id: str) -> datetime | None:
    """Return the date in the format arXiv, unless it must be that of a later version."""
    moment = xml.parse_datetime(xml.first_text(metadata, "created"))
    if moment is None or moment.date().replace(day=1) > arxiv_common.submission_month(arxiv_id):
        return None
    return moment


def is_withdrawn(metadata: Element) -> bool:
    """Return whether the latest version is a withdrawal; only arXivRaw states it."""
    types = [xml.first_text(version, "source_type") for version in metadata.iterfind("version")]
    return bool(types) and WITHDRAWN_SOURCE_TYPE in types[-1]


def parse_authors(metadata: Element) -> tuple[str, ...]:
    """Return the names from the elements of the format arXiv, or else from one text."""
    names = [
        " ".join(xml.first_text(author, part) for part in ("forenames", "keyname", "suffix"))
        for author in metadata.iterfind("authors/author")
    ]
    return arxiv_common.clean_author_names(names) or arxiv_common.split_author_list(
        xml.first_text(metadata, "authors")
    )


def category_from_set(set_spec: str) -> str:
    """Return cond-mat.soft for physics:cond-mat:soft."""
    return set_spec.partition(":")[2].replace(":", ".")

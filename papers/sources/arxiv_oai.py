"""arXiv's OAI-PMH: everything that changed since the last time, page by page.

The protocol is the Open Archives Initiative's, version 2.0. Seen in answers of 2016 to 2026 and in
what the service's own code makes, against or beyond the documentation:

- Errors come with HTTP 200; `noRecordsMatch` only says that nothing changed.
- We ask for `arXivRaw`: it alone has the day of every version, and marks a withdrawn one as source
  type I. `created` of the format `arXiv` was the day of the first version until 2025; today it is
  that of the latest, so it is not believed when it is after the month of the paper's number.
- `arXivRaw` and `arXivOld` have all authors in one text, with "and", affiliations and "Jr."; `arXiv`
  has them apart; `oai_dc` has "Surname Jr., First", names of categories only as words, and the
  comment as a second description. Its categories are those of the sets in the header, which were
  whole archives until 2025.
- There may be several DOIs in one field. One answer had its metadata without their namespace.
- The date stamp is the day that anything changed, not the day of a version.
- A resumption token dies at midnight UTC. The last page has an empty one, or none.

The cursor says how far a harvest came: `since`, the day it began with; `until`, the day of its first
answer, which the next one begins with; `set`, and in it `reached`, the day of the last record, and
`token`. When the token is dead the set goes on from the day reached.
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
from papers.topics import categories

OAI_PATH = "oai"
METADATA_PREFIX = "arXivRaw"
# In one fetch; the next one goes on.
MAX_PAGES = 20
LIST_ELEMENTS = ("ListRecords", "GetRecord", "ListIdentifiers")
# Groups that are called like their only archive; all others are of physics.
SINGLE_ARCHIVE_GROUPS = frozenset({"cs", "econ", "eess", "math", "q-bio", "q-fin", "stat"})
WITHDRAWN_SOURCE_TYPE = "I"


@dataclass(frozen=True, slots=True, kw_only=True)
class HarvestState:
    """Where a harvest stands."""

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
        """Where to go on after a page: in its set, else in the next, else on another day."""
        until = self.until or page.response_date
        if page.resumption_token:
            reached = page.last_datestamp or self.reached
            return replace(self, until=until, reached=reached, token=page.resumption_token)
        left = sets[sets.index(self.set) + 1 :]
        if left:
            return HarvestState(since=self.since, until=until, set=left[0])
        return HarvestState(since=until or self.since)


@dataclass(frozen=True, slots=True, kw_only=True)
class HarvestPage:
    """An answer, with what is needed to go on after it."""

    response: SourceResponse
    response_date: str
    # The date stamp of its last record, if they are in order.
    last_datestamp: str
    resumption_token: str


class ArxivOai:
    name = "arxiv-oai"
    title = "arXiv OAI-PMH"
    pacing = arxiv_common.PACING

    def __init__(self, client: SourceClient) -> None:
        self.client = arxiv_common.xml_client(client)

    def fetch(self, request: FetchRequest) -> Iterator[SourceResponse]:
        """What changed in the categories since the cursor, or since the oldest of the days."""
        sets = [oai_set(category) for category in arxiv_common.valid_categories(request.categories)]
        place = initial_state(request)
        if not sets or place is None:
            return
        if place.set not in sets:
            place = HarvestState(since=place.since, set=sets[0])
        for _ in range(MAX_PAGES):
            page = self.fetch_page_or_resume(place)
            if page.resumption_token and page.resumption_token == place.token:
                raise InvalidResponseError(f"{self.title} gives the same page again and again.")
            place = place.advance(page, sets)
            yield replace(page.response, cursor=str(place))
            if not place.set:
                return

    def fetch_page_or_resume(self, state: HarvestState) -> HarvestPage:
        """The page at a place, asked for by its day when its token is dead."""
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
        """A page of records of any of arXiv's formats, or a single one."""
        return self.parse_page(body).response

    def parse_page(self, body: bytes) -> HarvestPage:
        root = xml.parse_xml(body)
        if root.tag != "OAI-PMH":
            raise InvalidResponseError(f"The answer is <{root.tag[:40]}>, not one of OAI-PMH.")
        errors = {each.get("code", ""): (each.text or "") for each in root.iterfind("error")}
        for code, words in errors.items():
            if code != "noRecordsMatch":
                raise arxiv_common.ArxivError(self.title, f"{code}: {words}", code=code)
        list_ = next((each for each in root if each.tag in LIST_ELEMENTS), None)
        if list_ is None and not errors:
            raise InvalidResponseError("The answer holds no list of papers.")
        items = (
            [] if list_ is None else [each for each in list_ if each.tag in {"record", "header"}]
        )
        stamps = [xml.first_text(item, "header/datestamp", "datestamp")[:10] for item in items]
        return HarvestPage(
            response=parse_items(items, parse_record, self.title),
            response_date=iso_date(xml.first_text(root, "responseDate")),
            last_datestamp=iso_date(stamps[-1]) if stamps and stamps == sorted(stamps) else "",
            resumption_token="" if list_ is None else xml.first_text(list_, "resumptionToken"),
        )


def initial_state(request: FetchRequest) -> HarvestState | None:
    """Where the last fetch stopped, else the oldest of the days; None if nothing says when."""
    names = HarvestState.__dataclass_fields__
    told = {key: value for key, value in parse_qsl(request.cursor) if key in names}
    if iso_date(told.get("since", "")):
        return HarvestState(**told)
    return HarvestState(since=min(request.days).isoformat()) if request.days else None


def iso_date(value: str) -> str:
    """A day as OAI-PMH writes it, or nothing."""
    read = xml.parse_date(value)
    return read.isoformat() if read else ""


def oai_set(category: str) -> str:
    """The set of a category: cs:cs:LG for cs.LG, physics:hep-th, physics:cond-mat:soft."""
    archive = category.partition(".")[0]
    group = archive if archive in SINGLE_ARCHIVE_GROUPS else "physics"
    return f"{group}:{category.replace('.', ':')}"


def parse_record(item: Element) -> Record:
    """A record of any format as ours; raises Rejected."""
    header = item if item.tag == "header" else item.find("header")
    if header is None:
        raise RejectedItemError("no header")
    number = arxiv_common.require_arxiv_id(
        xml.first_text(header, "identifier"), xml.first_text(item, "metadata/*/id")
    )
    stamp = xml.parse_datetime(xml.first_text(header, "datestamp"))
    if header.get("status") == "deleted":
        return Record(arxiv_id=number, withdrawn=True, updated_at=stamp)
    metadata = item.find("metadata/*")
    if metadata is None:
        raise NotFoundAtSourceError("a header without metadata")
    if not (title := xml.first_text(metadata, "title")):
        raise RejectedItemError("no title")
    if metadata.tag == "dc":
        return parse_dublin_core(metadata, arxiv_id=number, title=title, header=header)
    moments = version_times(metadata)
    first = moments.get(1) or creation_time(metadata, number)
    comment, abstract = xml.first_text(metadata, "comments"), xml.first_text(metadata, "abstract")
    return Record(
        arxiv_id=number,
        doi=arxiv_common.first_publisher_doi(xml.first_text(metadata, "doi")),
        title=title,
        abstract=abstract,
        authors=parse_authors(metadata),
        categories=tuple(categories.canonical_ids(xml.first_text(metadata, "categories").split())),
        published_on=first.date() if first else None,
        updated_at=max(filter(None, (stamp, *moments.values())), default=None),
        withdrawn=is_withdrawn(metadata) or arxiv_common.mentions_withdrawal(comment, abstract),
        code_url=arxiv_common.code_url(comment, abstract),
    )


def parse_dublin_core(metadata: Element, *, arxiv_id: str, title: str, header: Element) -> Record:
    abstract, *rest = [*xml.all_texts(metadata, "description"), ""]
    comment = " ".join(rest).removeprefix("Comment: ")
    days = sorted(filter(None, map(xml.parse_datetime, xml.all_texts(metadata, "date"))))
    stamp = xml.parse_datetime(xml.first_text(header, "datestamp"))
    dois = [
        each for each in xml.all_texts(metadata, "identifier") if each.lower().startswith("doi:")
    ]
    return Record(
        arxiv_id=arxiv_id,
        doi=arxiv_common.first_publisher_doi(dois[0][len("doi:") :]) if dois else "",
        title=title,
        abstract=abstract,
        authors=arxiv_common.clean_author_names(
            map(reverse_name, xml.all_texts(metadata, "creator"))
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
    """When each version came, as arXivRaw tells."""
    found = {}
    for version in metadata.iterfind("version"):
        digits, moment = (
            version.get("version", "")[1:],
            xml.parse_datetime(xml.first_text(version, "date")),
        )
        if digits.isdecimal() and moment:
            found[int(digits[:9])] = moment
    return found


def creation_time(metadata: Element, arxiv_id: str) -> datetime | None:
    """The day of the first version in the format arXiv, unless it must be that of a later one."""
    moment = xml.parse_datetime(xml.first_text(metadata, "created"))
    if moment is None or moment.date().replace(day=1) > arxiv_common.submission_month(arxiv_id):
        return None
    return moment


def is_withdrawn(metadata: Element) -> bool:
    """Whether its latest version is a withdrawal, as arXivRaw tells."""
    kinds = [xml.first_text(version, "source_type") for version in metadata.iterfind("version")]
    return bool(kinds) and WITHDRAWN_SOURCE_TYPE in kinds[-1]


def parse_authors(metadata: Element) -> tuple[str, ...]:
    """The names, first names first; the format arXiv has a lone colon after a collaboration."""
    apart = [
        " ".join(xml.first_text(author, part) for part in ("forenames", "keyname", "suffix"))
        for author in metadata.iterfind("authors/author")
    ]
    return arxiv_common.clean_author_names(apart) or arxiv_common.split_author_list(
        xml.first_text(metadata, "authors")
    )


def reverse_name(name: str) -> str:
    """Felipe Barra for "Barra, Felipe"."""
    surname, _, given = name.partition(",")
    return f"{given.strip()} {surname.strip()}".strip()


def category_from_set(set_: str) -> str:
    """cond-mat.soft for physics:cond-mat:soft."""
    return set_.partition(":")[2].replace(":", ".")

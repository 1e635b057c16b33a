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

from papers.sources import Answer, MalformedAnswer, Record, Wanted, arxiv_common, xml
from papers.sources.http import Client
from papers.sources.json_values import Rejected, Unknown, answer_of
from papers.topics import categories

PATH = "oai"
FORMAT = "arXivRaw"
# In one fetch; the next one goes on.
MOST_PAGES = 20
LISTS = ("ListRecords", "GetRecord", "ListIdentifiers")
# Groups that are called like their only archive; all others are of physics.
GROUPS = frozenset({"cs", "econ", "eess", "math", "q-bio", "q-fin", "stat"})
WITHDRAWN_SOURCE = "I"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a harvest stands."""

    since: str
    until: str = ""
    set: str = ""
    reached: str = ""
    token: str = ""

    def __str__(self) -> str:
        return urlencode({name: value for name, value in asdict(self).items() if value})

    def question(self) -> dict[str, str | int]:
        if self.token:
            return {"verb": "ListRecords", "resumptionToken": self.token}
        return {
            "verb": "ListRecords",
            "metadataPrefix": FORMAT,
            "from": self.reached or self.since,
            "set": self.set,
        }

    def after(self, page: Page, sets: Sequence[str]) -> Place:
        """Where to go on after a page: in its set, else in the next, else on another day."""
        until = self.until or page.answered_on
        if page.token:
            reached = page.reached or self.reached
            return replace(self, until=until, reached=reached, token=page.token)
        left = sets[sets.index(self.set) + 1 :]
        if left:
            return Place(since=self.since, until=until, set=left[0])
        return Place(since=until or self.since)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """An answer, with what is needed to go on after it."""

    answer: Answer
    answered_on: str
    # The date stamp of its last record, if they are in order.
    reached: str
    token: str


class ArxivOai:
    name = "arxiv-oai"
    title = "arXiv OAI-PMH"
    turns = arxiv_common.TURNS

    def __init__(self, client: Client) -> None:
        self.client = arxiv_common.xml_from(client)

    def fetch(self, wanted: Wanted) -> Iterator[Answer]:
        """What changed in the categories since the cursor, or since the oldest of the days."""
        sets = [set_of(category) for category in arxiv_common.known(wanted.categories)]
        place = beginning(wanted)
        if not sets or place is None:
            return
        if place.set not in sets:
            place = Place(since=place.since, set=sets[0])
        for _ in range(MOST_PAGES):
            page = self.turn(place)
            if page.token and page.token == place.token:
                raise MalformedAnswer(f"{self.title} gives the same page again and again.")
            place = place.after(page, sets)
            yield replace(page.answer, cursor=str(place))
            if not place.set:
                return

    def turn(self, place: Place) -> Page:
        """The page at a place, asked for by its day when its token is dead."""
        try:
            return self.ask(place)
        except arxiv_common.ErrorAnswer as error:
            if error.code != "badResumptionToken" or not place.token:
                raise
        return self.ask(replace(place, token=""))

    def ask(self, place: Place) -> Page:
        return arxiv_common.get(self.client, PATH, place.question(), self.read_page)

    def parse(self, body: bytes, *, day: date | None = None) -> Answer:
        """A page of records of any of arXiv's formats, or a single one."""
        return self.read_page(body).answer

    def read_page(self, body: bytes) -> Page:
        root = xml.tree(body)
        if root.tag != "OAI-PMH":
            raise MalformedAnswer(f"The answer is <{root.tag[:40]}>, not one of OAI-PMH.")
        errors = {each.get("code", ""): (each.text or "") for each in root.iterfind("error")}
        for code, words in errors.items():
            if code != "noRecordsMatch":
                raise arxiv_common.ErrorAnswer(self.title, f"{code}: {words}", code=code)
        list_ = next((each for each in root if each.tag in LISTS), None)
        if list_ is None and not errors:
            raise MalformedAnswer("The answer holds no list of papers.")
        items = (
            [] if list_ is None else [each for each in list_ if each.tag in {"record", "header"}]
        )
        stamps = [xml.text(item, "header/datestamp", "datestamp")[:10] for item in items]
        return Page(
            answer=answer_of(items, read, self.title),
            answered_on=iso_day(xml.text(root, "responseDate")),
            reached=iso_day(stamps[-1]) if stamps and stamps == sorted(stamps) else "",
            token="" if list_ is None else xml.text(list_, "resumptionToken"),
        )


def beginning(wanted: Wanted) -> Place | None:
    """Where the last fetch stopped, else the oldest of the days; None if nothing says when."""
    names = Place.__dataclass_fields__
    told = {key: value for key, value in parse_qsl(wanted.cursor) if key in names}
    if iso_day(told.get("since", "")):
        return Place(**told)
    return Place(since=min(wanted.days).isoformat()) if wanted.days else None


def iso_day(written: str) -> str:
    """A day as OAI-PMH writes it, or nothing."""
    read = xml.day(written)
    return read.isoformat() if read else ""


def set_of(category: str) -> str:
    """The set of a category: cs:cs:LG for cs.LG, physics:hep-th, physics:cond-mat:soft."""
    archive = category.partition(".")[0]
    group = archive if archive in GROUPS else "physics"
    return f"{group}:{category.replace('.', ':')}"


def read(item: Element) -> Record:
    """A record of any format as ours; raises Rejected."""
    header = item if item.tag == "header" else item.find("header")
    if header is None:
        raise Rejected("no header")
    number = arxiv_common.number(xml.text(header, "identifier"), xml.text(item, "metadata/*/id"))
    stamp = xml.moment(xml.text(header, "datestamp"))
    if header.get("status") == "deleted":
        return Record(arxiv_id=number, withdrawn=True, updated_at=stamp)
    metadata = item.find("metadata/*")
    if metadata is None:
        raise Unknown("a header without metadata")
    if not (title := xml.text(metadata, "title")):
        raise Rejected("no title")
    if metadata.tag == "dc":
        return read_dublin_core(metadata, number=number, title=title, header=header)
    moments = versions(metadata)
    first = moments.get(1) or created(metadata, number)
    comment, abstract = xml.text(metadata, "comments"), xml.text(metadata, "abstract")
    return Record(
        arxiv_id=number,
        doi=arxiv_common.doi(xml.text(metadata, "doi")),
        title=title,
        abstract=abstract,
        authors=authors(metadata),
        categories=tuple(categories.canonicals(xml.text(metadata, "categories").split())),
        published_on=first.date() if first else None,
        updated_at=max(filter(None, (stamp, *moments.values())), default=None),
        withdrawn=is_withdrawn(metadata) or arxiv_common.withdrawn(comment, abstract),
        code_url=arxiv_common.code_url(comment, abstract),
    )


def read_dublin_core(metadata: Element, *, number: str, title: str, header: Element) -> Record:
    abstract, *rest = [*xml.texts(metadata, "description"), ""]
    comment = " ".join(rest).removeprefix("Comment: ")
    days = sorted(filter(None, map(xml.moment, xml.texts(metadata, "date"))))
    stamp = xml.moment(xml.text(header, "datestamp"))
    dois = [each for each in xml.texts(metadata, "identifier") if each.lower().startswith("doi:")]
    return Record(
        arxiv_id=number,
        doi=arxiv_common.doi(dois[0][len("doi:") :]) if dois else "",
        title=title,
        abstract=abstract,
        authors=arxiv_common.people(map(turned, xml.texts(metadata, "creator"))),
        categories=tuple(categories.canonicals(map(category_of, xml.texts(header, "setSpec")))),
        published_on=days[0].date() if days else None,
        updated_at=max(filter(None, (stamp, *days)), default=None),
        withdrawn=arxiv_common.withdrawn(comment, abstract),
        code_url=arxiv_common.code_url(comment, abstract),
    )


def versions(metadata: Element) -> dict[int, datetime]:
    """When each version came, as arXivRaw tells."""
    found = {}
    for version in metadata.iterfind("version"):
        digits, moment = version.get("version", "")[1:], xml.moment(xml.text(version, "date"))
        if digits.isdecimal() and moment:
            found[int(digits[:9])] = moment
    return found


def created(metadata: Element, number: str) -> datetime | None:
    """The day of the first version in the format arXiv, unless it must be that of a later one."""
    moment = xml.moment(xml.text(metadata, "created"))
    if moment is None or moment.date().replace(day=1) > arxiv_common.month(number):
        return None
    return moment


def is_withdrawn(metadata: Element) -> bool:
    """Whether its latest version is a withdrawal, as arXivRaw tells."""
    kinds = [xml.text(version, "source_type") for version in metadata.iterfind("version")]
    return bool(kinds) and WITHDRAWN_SOURCE in kinds[-1]


def authors(metadata: Element) -> tuple[str, ...]:
    """The names, first names first; the format arXiv has a lone colon after a collaboration."""
    apart = [
        " ".join(xml.text(author, part) for part in ("forenames", "keyname", "suffix"))
        for author in metadata.iterfind("authors/author")
    ]
    return arxiv_common.people(apart) or arxiv_common.names(xml.text(metadata, "authors"))


def turned(name: str) -> str:
    """Felipe Barra for "Barra, Felipe"."""
    surname, _, given = name.partition(",")
    return f"{given.strip()} {surname.strip()}".strip()


def category_of(set_: str) -> str:
    """cond-mat.soft for physics:cond-mat:soft."""
    return set_.partition(":")[2].replace(":", ".")

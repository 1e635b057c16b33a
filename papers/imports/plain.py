"""Plain text: a line with the title, a line with the abstract, and so on, as a page is saved.

What is a title and what an abstract is told by its looks, since abstracts may be missing or broken
into lines. Lines of banners are skipped; a line that is an arXiv id, a DOI or the address of one
belongs to the paper above it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from papers import identity
from papers.imports import ParsedFile
from papers.sources import Record
from papers.sources.json_values import paper_ids

# Characters: no title is longer, and hardly an abstract shorter.
MAX_TITLE_CHARS = 200
BANNER = re.compile(r"get trending papers in your (?:e-?mail )?inbox(?: once a day)?\s*[!.]*", re.I)
# The button under the banner, which the first title may be glued to.
SUBSCRIBE_BUTTON = re.compile(r"subscribe(?![dr]s?\b)", re.IGNORECASE)
FIELD_LABEL = re.compile(r"(title|abstract)\s*:\s*", re.IGNORECASE)
URL = re.compile(r"https?://\S+", re.IGNORECASE)
SENTENCE_ENDS = (".", ".)", '."', ".”", ".''")
# How long the lines are that a program broke.
WRAPPED_LINE_CHARS = range(50, 121)


@dataclass(slots=True)
class TextLine:
    text: str
    number: int
    # Whether an empty line comes before it, and how many lines stand together with it.
    after_blank: bool = False
    block_size: int = 1

    def is_long(self) -> bool:
        return len(self.text) > MAX_TITLE_CHARS

    def is_prose(self) -> bool:
        """Whether it looks like an abstract."""
        return self.is_long() or self.text.endswith(SENTENCE_ENDS)


@dataclass(slots=True)
class DraftPaper:
    title: str
    abstract: str = ""
    identifier: str = ""

    def to_record(self) -> Record:
        return Record(
            **paper_ids(self.identifier, self.identifier), title=self.title, abstract=self.abstract
        )


def parse_plain_text(text: str) -> ParsedFile:
    papers: list[DraftPaper] = []
    rejected: list[str] = []
    lines = [
        line for block in group_blocks(content_lines(text)) for line in join_wrapped_abstract(block)
    ]
    for line, following in zip_longest(lines, lines[1:]):
        if reason := consume_line(papers, line, following):
            rejected.append(f"line {line.number}: {reason}")
    return ParsedFile(
        records=tuple(paper.to_record() for paper in papers), rejected=tuple(rejected)
    )


def consume_line(papers: list[DraftPaper], line: TextLine, next_line: TextLine | None) -> str:
    """Put the line where it belongs; why not, if it belongs nowhere."""
    last = papers[-1] if papers else None
    bare = FIELD_LABEL.sub("", line.text, count=1)
    if identity.parse_arxiv_id(line.text) or identity.parse_doi(line.text):
        if last is None:
            return "a number without a title"
        last.identifier = line.text
    elif URL.fullmatch(line.text):
        return "an address that is no paper's"
    elif last and not last.abstract and is_abstract(line, next_line):
        last.abstract = bare
    elif line.is_long():
        return "an abstract without a title"
    else:
        papers.append(DraftPaper(bare))
    return ""


def is_abstract(line: TextLine, next_line: TextLine | None) -> bool:
    """Whether the line below a title is its abstract, and not the next title."""
    if label := FIELD_LABEL.match(line.text):
        return label[1].lower() == "abstract"
    if line.is_long() or (line.block_size == 2 and not line.after_blank):
        return True
    return line.is_prose() and not (next_line and next_line.is_long())


def content_lines(text: str) -> Iterator[TextLine]:
    """The lines that say something, without banners."""
    apart, below_banner = True, False
    for number, raw in enumerate(re.split("\r\n?|\n", text), 1):
        if not (line := raw.strip()):
            apart = True
            continue
        if banner := BANNER.match(line):
            line, below_banner = line[banner.end() :].strip(), True
        if below_banner and (button := SUBSCRIBE_BUTTON.match(line)):
            line = line[button.end() :].strip()
        if line:
            yield TextLine(line, number, apart)
            apart = below_banner = False


def group_blocks(lines: Iterable[TextLine]) -> list[list[TextLine]]:
    """The lines that stand together, with empty lines between the blocks."""
    found: list[list[TextLine]] = []
    for line in lines:
        if line.after_blank or not found:
            found.append([])
        found[-1].append(line)
    for block in found:
        for line in block:
            line.block_size = len(block)
    return found


def join_wrapped_abstract(block: Sequence[TextLine]) -> list[TextLine]:
    """A title and its abstract, if the abstract was broken into lines; else the block as it is."""
    if len(block) < 3 or any(line.is_long() for line in block) or not block[-1].is_prose():
        return list(block)
    inner = block[1:-1]
    ends = sum(line.text.endswith(SENTENCE_ENDS) for line in inner)
    if ends * 3 > len(inner) or not all(len(line.text) in WRAPPED_LINE_CHARS for line in inner):
        return list(block)
    abstract = " ".join(line.text for line in block[1:])
    return [block[0], TextLine(abstract, block[1].number, block_size=2)]

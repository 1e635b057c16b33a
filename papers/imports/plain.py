"""Parse plain text: a title on one line, its abstract on the next, as a page is saved.

Titles and abstracts are distinguished by length and punctuation, since an abstract may be missing
or wrapped into several lines. Banners are skipped. A line that is an arXiv id, a DOI or the URL of
one belongs to the paper above it.
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

# No title is longer, and hardly any abstract shorter.
MAX_TITLE_CHARS = 200
BANNER = re.compile(r"get trending papers in your (?:e-?mail )?inbox(?: once a day)?\s*[!.]*", re.I)
# The button below the banner. The first title may follow it without a space.
SUBSCRIBE_BUTTON = re.compile(r"subscribe(?![dr]s?\b)", re.IGNORECASE)
FIELD_LABEL = re.compile(r"(title|abstract)\s*:\s*", re.IGNORECASE)
URL = re.compile(r"https?://\S+", re.IGNORECASE)
SENTENCE_ENDS = (".", ".)", '."', ".”", ".''")
# The lengths of lines that a program has wrapped.
WRAPPED_LINE_CHARS = range(50, 121)


@dataclass(slots=True)
class TextLine:
    text: str
    number: int
    after_blank: bool = False
    # Lines in its block, which ends at an empty line.
    block_size: int = 1

    def is_long(self) -> bool:
        return len(self.text) > MAX_TITLE_CHARS

    def is_prose(self) -> bool:
        """Return whether the line looks like an abstract."""
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
    """Parse the papers of a text; any text can be parsed."""
    papers: list[DraftPaper] = []
    rejected: list[str] = []
    lines = [
        line for block in group_blocks(content_lines(text)) for line in join_wrapped_abstract(block)
    ]
    for line, next_line in zip_longest(lines, lines[1:]):
        if reason := consume_line(papers, line, next_line):
            rejected.append(f"line {line.number}: {reason}")
    return ParsedFile(
        records=tuple(paper.to_record() for paper in papers), rejected=tuple(rejected)
    )


def consume_line(papers: list[DraftPaper], line: TextLine, next_line: TextLine | None) -> str:
    """Add the line to the last paper, or start a new one; return why, if neither is possible."""
    last = papers[-1] if papers else None
    content = FIELD_LABEL.sub("", line.text, count=1)
    if identity.parse_arxiv_id(line.text) or identity.parse_doi(line.text):
        if last is None:
            return "an identifier without a title"
        last.identifier = line.text
    elif URL.fullmatch(line.text):
        return "a URL that belongs to no paper"
    elif last and not last.abstract and is_abstract(line, next_line):
        last.abstract = content
    elif line.is_long():
        return "an abstract without a title"
    else:
        papers.append(DraftPaper(content))
    return ""


def is_abstract(line: TextLine, next_line: TextLine | None) -> bool:
    """Return whether the line below a title is its abstract, and not the next title."""
    if label := FIELD_LABEL.match(line.text):
        return label[1].lower() == "abstract"
    if line.is_long() or (line.block_size == 2 and not line.after_blank):
        return True
    return line.is_prose() and not (next_line and next_line.is_long())


def content_lines(text: str) -> Iterator[TextLine]:
    """Yield the lines that are neither empty nor banners."""
    after_blank, below_banner = True, False
    for number, raw in enumerate(re.split("\r\n?|\n", text), 1):
        if not (line := raw.strip()):
            after_blank = True
            continue
        if banner := BANNER.match(line):
            line, below_banner = line[banner.end() :].strip(), True
        if below_banner and (button := SUBSCRIBE_BUTTON.match(line)):
            line = line[button.end() :].strip()
        if line:
            yield TextLine(line, number, after_blank)
            after_blank = below_banner = False


def group_blocks(lines: Iterable[TextLine]) -> list[list[TextLine]]:
    """Return the blocks of lines between empty lines, and set the block size of each line."""
    blocks: list[list[TextLine]] = []
    for line in lines:
        if line.after_blank or not blocks:
            blocks.append([])
        blocks[-1].append(line)
    for block in blocks:
        for line in block:
            line.block_size = len(block)
    return blocks


def join_wrapped_abstract(block: Sequence[TextLine]) -> list[TextLine]:
    """Join an abstract that was wrapped to one line below its title; return other blocks as is."""
    if len(block) < 3 or any(line.is_long() for line in block) or not block[-1].is_prose():
        return list(block)
    inner = block[1:-1]
    # Sentences of a wrapped text seldom end at the end of a line.
    sentence_ends = sum(line.text.endswith(SENTENCE_ENDS) for line in inner)
    are_wrapped = all(len(line.text) in WRAPPED_LINE_CHARS for line in inner)
    if sentence_ends * 3 > len(inner) or not are_wrapped:
        return list(block)
    abstract = " ".join(line.text for line in block[1:])
    return [block[0], TextLine(abstract, block[1].number, block_size=2)]

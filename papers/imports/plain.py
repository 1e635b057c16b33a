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
from papers.imports import Brought
from papers.sources import Record
from papers.sources.json_values import numbers

# Characters: no title is longer, and hardly an abstract shorter.
LONGEST_TITLE = 200
BANNER = re.compile(r"get trending papers in your (?:e-?mail )?inbox(?: once a day)?\s*[!.]*", re.I)
# The button under the banner, which the first title may be glued to.
BUTTON = re.compile(r"subscribe(?![dr]s?\b)", re.IGNORECASE)
LABEL = re.compile(r"(title|abstract)\s*:\s*", re.IGNORECASE)
ADDRESS = re.compile(r"https?://\S+", re.IGNORECASE)
SENTENCE_ENDS = (".", ".)", '."', ".”", ".''")
# How long the lines are that a program broke.
BROKEN = range(50, 121)


@dataclass(slots=True)
class Line:
    text: str
    number: int
    # Whether an empty line comes before it, and how many lines stand together with it.
    apart: bool = False
    together: int = 1

    def is_long(self) -> bool:
        return len(self.text) > LONGEST_TITLE

    def is_prose(self) -> bool:
        """Whether it looks like an abstract."""
        return self.is_long() or self.text.endswith(SENTENCE_ENDS)


@dataclass(slots=True)
class Paper:
    title: str
    abstract: str = ""
    number: str = ""

    def record(self) -> Record:
        return Record(**numbers(self.number, self.number), title=self.title, abstract=self.abstract)


def parse(text: str) -> Brought:
    papers: list[Paper] = []
    rejected: list[str] = []
    lines = [line for block in blocks(lines_of(text)) for line in joined(block)]
    for line, following in zip_longest(lines, lines[1:]):
        if reason := take(papers, line, following):
            rejected.append(f"line {line.number}: {reason}")
    return Brought(records=tuple(paper.record() for paper in papers), rejected=tuple(rejected))


def take(papers: list[Paper], line: Line, following: Line | None) -> str:
    """Put the line where it belongs; why not, if it belongs nowhere."""
    last = papers[-1] if papers else None
    bare = LABEL.sub("", line.text, count=1)
    if identity.arxiv_id(line.text) or identity.doi(line.text):
        if last is None:
            return "a number without a title"
        last.number = line.text
    elif ADDRESS.fullmatch(line.text):
        return "an address that is no paper's"
    elif last and not last.abstract and is_abstract(line, following):
        last.abstract = bare
    elif line.is_long():
        return "an abstract without a title"
    else:
        papers.append(Paper(bare))
    return ""


def is_abstract(line: Line, following: Line | None) -> bool:
    """Whether the line below a title is its abstract, and not the next title."""
    if label := LABEL.match(line.text):
        return label[1].lower() == "abstract"
    if line.is_long() or (line.together == 2 and not line.apart):
        return True
    return line.is_prose() and not (following and following.is_long())


def lines_of(text: str) -> Iterator[Line]:
    """The lines that say something, without banners."""
    apart, below_banner = True, False
    for number, raw in enumerate(re.split("\r\n?|\n", text), 1):
        if not (line := raw.strip()):
            apart = True
            continue
        if banner := BANNER.match(line):
            line, below_banner = line[banner.end() :].strip(), True
        if below_banner and (button := BUTTON.match(line)):
            line = line[button.end() :].strip()
        if line:
            yield Line(line, number, apart)
            apart = below_banner = False


def blocks(lines: Iterable[Line]) -> list[list[Line]]:
    """The lines that stand together, with empty lines between the blocks."""
    found: list[list[Line]] = []
    for line in lines:
        if line.apart or not found:
            found.append([])
        found[-1].append(line)
    for block in found:
        for line in block:
            line.together = len(block)
    return found


def joined(block: Sequence[Line]) -> list[Line]:
    """A title and its abstract, if the abstract was broken into lines; else the block as it is."""
    if len(block) < 3 or any(line.is_long() for line in block) or not block[-1].is_prose():
        return list(block)
    inner = block[1:-1]
    ends = sum(line.text.endswith(SENTENCE_ENDS) for line in inner)
    if ends * 3 > len(inner) or not all(len(line.text) in BROKEN for line in inner):
        return list(block)
    abstract = " ".join(line.text for line in block[1:])
    return [block[0], Line(abstract, block[1].number, together=2)]

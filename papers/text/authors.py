"""Author names as keys: surname with initial or first given name, however a name is written (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from papers.text.tokens import bare

# Beyond any real name.
LONGEST_NAME = 200


# Those within a name, written in many ways or left out: O'Brien, Álvarez-López.
JOINTS = re.compile("['\u2018\u2019\u02bc\u00b4`\u2010-\u2015\u2212-]")


# (Institute of Everything), or the name in another script
ASIDE = re.compile(r"\([^()]*\)")


NAME = re.compile(r"[^\W_]+")


# The parts of a surname that come before it.
PARTICLES = frozenset(
    [
        *(
            "af",
            "al",
            "av",
            "da",
            "das",
            "de",
            "del",
            "della",
            "den",
            "der",
            "di",
            "do",
            "dos",
            "du",
        ),
        *(
            "el",
            "ibn",
            "la",
            "las",
            "le",
            "los",
            "ten",
            "ter",
            "van",
            "vom",
            "von",
            "zu",
            "zum",
            "zur",
        ),
    ]
)


SUFFIXES = frozenset(["jr", "sr", "ii", "iii", "iv"])


# Not a person: it has no surname.
MANY = frozenset(["collaboration", "consortium", "group", "team"])


def author_key(name: str) -> str:
    """Surname and first initial, however the name is written; empty if it is no name.

    "Emmy Noether", "Noether, Emmy" and "E. Noether" are "noether e". A name in a script without
    capitals, such as 李明, may begin with the surname or end with it, so it is kept whole.
    """
    given, surname = parted(name)
    return f"{surname} {given[0]}" if given else surname


def full_author_key(name: str) -> str:
    """Surname and first given name: for those who mean Wei Zhang and no other W. Zhang.

    A paper that only tells "W. Zhang" is not found by it. The same as `author_key` if no more than
    an initial is written.
    """
    return " ".join(reversed(parted(name))).strip()


def author_keys(names: Iterable[str]) -> Iterator[str]:
    """All by which the authors of a paper can be followed."""
    for name in names:
        given, surname = parted(name)
        if surname and given:
            yield from (f"{surname} {given[0]}", f"{surname} {given}")
        elif surname:
            yield surname


def parted(name: str) -> tuple[str, str]:
    """The first given name, perhaps none, and the surname."""
    text = JOINTS.sub("", ASIDE.sub(" ", name[:LONGEST_NAME]))
    return split(NAME.findall(in_order(text)))


def in_order(name: str) -> str:
    """The surname last, and nothing after it: "King, Jr., Martin" is "Martin King"."""
    parts = [part.strip() for part in name.split(",")]
    surname, *others = [part for part in parts if part.strip(". ").lower() not in SUFFIXES] or [""]
    return " ".join([*others, surname])


def split(written: list[str]) -> tuple[str, str]:
    """The first given name, and the surname in one word: van der Berg and Van Der Berg are one."""
    names = [bare(name) for name in written]
    if len(names) > 2 and names[-1] in SUFFIXES:
        names.pop()
    if MANY.intersection(names) or not any(name.upper() != name for name in names):
        return "", "".join(names)
    begins = max(len(names) - 1, 0)
    while begins > 1 and names[begins - 1] in PARTICLES:
        begins -= 1
    if begins == 1 and names[0] in PARTICLES and written[0].islower():
        begins = 0
    return "".join(names[: min(begins, 1)]), "".join(names[begins:])

"""Author names as keys: surname with initial or first given name, however a name is written (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from papers.text.tokens import fold_accents_and_case

# Beyond any real name.
MAX_NAME_CHARS = 200


# Those within a name, written in many ways or left out: O'Brien, Álvarez-López.
NAME_JOINERS = re.compile("['\u2018\u2019\u02bc\u00b4`\u2010-\u2015\u2212-]")


# (Institute of Everything), or the name in another script
PARENTHESISED = re.compile(r"\([^()]*\)")


NAME_PART_PATTERN = re.compile(r"[^\W_]+")


# The parts of a surname that come before it.
SURNAME_PARTICLES = frozenset(
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


NAME_SUFFIXES = frozenset(["jr", "sr", "ii", "iii", "iv"])


# Not a person: it has no surname.
GROUP_NAMES = frozenset(["collaboration", "consortium", "group", "team"])


def author_key(name: str) -> str:
    """Surname and first initial, however the name is written; empty if it is no name.

    "Emmy Noether", "Noether, Emmy" and "E. Noether" are "noether e". A name in a script without
    capitals, such as 李明, may begin with the surname or end with it, so it is kept whole.
    """
    given, surname = split_name(name)
    return f"{surname} {given[0]}" if given else surname


def full_author_key(name: str) -> str:
    """Surname and first given name: for those who mean Wei Zhang and no other W. Zhang.

    A paper that only tells "W. Zhang" is not found by it. The same as `author_key` if no more than
    an initial is written.
    """
    return " ".join(reversed(split_name(name))).strip()


def author_keys(names: Iterable[str]) -> Iterator[str]:
    """All by which the authors of a paper can be followed."""
    for name in names:
        given, surname = split_name(name)
        if surname and given:
            yield from (f"{surname} {given[0]}", f"{surname} {given}")
        elif surname:
            yield surname


def split_name(name: str) -> tuple[str, str]:
    """The first given name, perhaps none, and the surname."""
    text = NAME_JOINERS.sub("", PARENTHESISED.sub(" ", name[:MAX_NAME_CHARS]))
    return given_and_surname(NAME_PART_PATTERN.findall(surname_last(text)))


def surname_last(name: str) -> str:
    """The surname last, and nothing after it: "King, Jr., Martin" is "Martin King"."""
    parts = [part.strip() for part in name.split(",")]
    surname, *others = [
        part for part in parts if part.strip(". ").lower() not in NAME_SUFFIXES
    ] or [""]
    return " ".join([*others, surname])


def given_and_surname(name_parts: list[str]) -> tuple[str, str]:
    """The first given name, and the surname in one word: van der Berg and Van Der Berg are one."""
    names = [fold_accents_and_case(name) for name in name_parts]
    if len(names) > 2 and names[-1] in NAME_SUFFIXES:
        names.pop()
    if GROUP_NAMES.intersection(names) or not any(name.upper() != name for name in names):
        return "", "".join(names)
    begins = max(len(names) - 1, 0)
    while begins > 1 and names[begins - 1] in SURNAME_PARTICLES:
        begins -= 1
    if begins == 1 and names[0] in SURNAME_PARTICLES and name_parts[0].islower():
        begins = 0
    return "".join(names[: min(begins, 1)]), "".join(names[begins:])


def given_name_first(name: str) -> str:
    """Return "Ada Lovelace" for "Lovelace, Ada".

    A name with no comma, or with several, is returned as it is written: "King, Martin, Jr." has no
    order that holds everywhere.
    """
    surname, comma, given = name.partition(",")
    if not comma or "," in given:
        return name.strip()
    return f"{given.strip()} {surname.strip()}".strip()

"""Keys for author names: the same key for each way to write a name (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from papers.text.tokens import fold_accents_and_case

MAX_NAME_CHARS = 200

# Apostrophes and hyphens within a name. They are written in many ways or left out: O'Brien,
# Álvarez-López.
NAME_JOINERS = re.compile("['\u2018\u2019\u02bc\u00b4`\u2010-\u2015\u2212-]")

# An affiliation, or the name in another script.
PARENTHESISED = re.compile(r"\([^()]*\)")

NAME_PART_PATTERN = re.compile(r"[^\W_]+")

# Words before a surname that belong to it.
SURNAME_PARTICLES = frozenset(
    "af al av da das de del della den der di do dos du"  # noqa: SIM905 - a list takes 28 lines
    " el ibn la las le los ten ter van vom von zu zum zur".split()
)

NAME_SUFFIXES = frozenset(["jr", "sr", "ii", "iii", "iv"])

# A name with one of these words is a group's, so it has no surname.
GROUP_NAMES = frozenset(["collaboration", "consortium", "group", "team"])


def author_key(name: str) -> str:
    """Return surname and first initial, however the name is written; empty if there is no name.

    "Emmy Noether", "Noether, Emmy" and "E. Noether" are "noether e". In a script without capitals,
    such as 李明, the surname may come first or last, so the whole name is the key.
    """
    given_name, surname = split_name(name)
    return f"{surname} {given_name[0]}" if given_name else surname


def full_author_key(name: str) -> str:
    """Return surname and first given name, to tell Wei Zhang from every other W. Zhang.

    It does not match a paper that only gives "W. Zhang". Equal to `author_key` where the name has
    no more than an initial.
    """
    return " ".join(reversed(split_name(name))).strip()


def author_keys(names: Iterable[str]) -> Iterator[str]:
    """Yield every key under which the authors of a paper can be followed."""
    for name in names:
        given_name, surname = split_name(name)
        if surname and given_name:
            yield from (f"{surname} {given_name[0]}", f"{surname} {given_name}")
        elif surname:
            yield surname


def split_name(name: str) -> tuple[str, str]:
    """Return the first given name, which may be empty, and the surname."""
    text = NAME_JOINERS.sub("", PARENTHESISED.sub(" ", name[:MAX_NAME_CHARS]))
    return given_and_surname(NAME_PART_PATTERN.findall(surname_last(text)))


def surname_last(name: str) -> str:
    """Move a surname before a comma to the end: "King, Jr., Martin" becomes "Martin King"."""
    parts = [part.strip() for part in name.split(",")]
    surname, *others = [
        part for part in parts if part.strip(". ").lower() not in NAME_SUFFIXES
    ] or [""]
    return " ".join([*others, surname])


def given_and_surname(name_parts: list[str]) -> tuple[str, str]:
    """Return the first given name and the surname as one word, without accents and case.

    "van der Berg" and "Van Der Berg" both become "vanderberg".
    """
    names = [fold_accents_and_case(part) for part in name_parts]
    if len(names) > 2 and names[-1] in NAME_SUFFIXES:
        names.pop()
    has_capitals = any(name.upper() != name for name in names)
    if GROUP_NAMES.intersection(names) or not has_capitals:
        return "", "".join(names)
    surname_start = max(len(names) - 1, 0)
    while surname_start > 1 and names[surname_start - 1] in SURNAME_PARTICLES:
        surname_start -= 1
    # "van der Berg" alone is a surname; in "Van Nguyen" the first word is a given name.
    if surname_start == 1 and names[0] in SURNAME_PARTICLES and name_parts[0].islower():
        surname_start = 0
    return "".join(names[: min(surname_start, 1)]), "".join(names[surname_start:])


def given_name_first(name: str) -> str:
    """Return "Ada Lovelace" for "Lovelace, Ada".

    A name with no comma, or with several, is returned as it is written: "King, Martin, Jr." has no
    order that holds everywhere.
    """
    surname, comma, given = name.partition(",")
    if not comma or "," in given:
        return name.strip()
    return f"{given.strip()} {surname.strip()}".strip()

"""Text functions as they were when migrations 0006 and 0009 were written.

A migration must not import live code: an edit of the tokenizer would change what an old migration
does. Do not change this file.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import Any

COLUMNS = ("title", "people", "labels", "abstract")
BUCKET_DAYS = (7, 28, 112)
MAX_TERMS = 8_000
BOUNDARY_TOKEN = "zzbreakzz"
WORD = re.compile("[^\\W_](?:[^\\W_]|[\u0300-\u036f])*")
MAX_WORD_CHARS = 60
LETTER_FOLDING = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th"}
)
STOP_WORDS = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "as",
        "at",
        "be",
        "been",
        "but",
        "by",
        "can",
        "for",
        "from",
        "has",
        "have",
        "how",
        "in",
        "into",
        "is",
        "it",
        "its",
        "may",
        "not",
        "of",
        "on",
        "or",
        "our",
        "such",
        "that",
        "the",
        "their",
        "these",
        "they",
        "this",
        "those",
        "to",
        "via",
        "was",
        "we",
        "were",
        "what",
        "when",
        "where",
        "which",
        "while",
        "who",
        "will",
        "with",
    ]
)


def title_key(title: str) -> str:
    """Return a hash of the title's letters and digits; empty for a title of signs only."""
    text = " ".join(re.findall(r"[^\W_]+", fold_accents_and_case(title)))
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:24] if text else ""


def tokenize(text: str) -> list[str]:
    return [
        stem_plural(part)
        for found in WORD.finditer(text)
        for part in (
            piece[:MAX_WORD_CHARS] for piece in WORD.findall(fold_accents_and_case(found.group()))
        )
        if part not in STOP_WORDS
    ]


def fold_accents_and_case(text: str) -> str:
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    letters = "".join(letter for letter in apart if not unicodedata.combining(letter))
    return letters.translate(LETTER_FOLDING)


def stem_plural(word: str) -> str:
    if len(word) <= 3:
        return word
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    if word.endswith("s") and not word.endswith(("ss", "is", "ias")):
        word = word if word.endswith("us") and len(word) > 4 else word[:-1]
    return word[:-1] if word.endswith(("se", "xe", "ze", "che", "she")) and len(word) > 3 else word


def topic_terms(names: Iterable[Sequence[str]]) -> Iterator[str]:
    for name in names:
        for start in range(len(name)):
            for end in range(start + 1, len(name) + 1):
                yield f"intopic{''.join(name[start:end])}"


def index_terms(columns: Mapping[str, Any]) -> str:
    terms = [*date_terms(columns["day"])]
    for name in ("title", "labels", "abstract"):
        terms += bigrams(columns[name])
    words = columns["people"].split()
    terms += [f"inauthor{word}" for word in words if word != BOUNDARY_TOKEN]
    terms += bigrams(columns["people"])
    return " ".join([*dict.fromkeys(terms)][:MAX_TERMS])


def date_terms(day: date) -> Iterator[str]:
    for span in BUCKET_DAYS:
        yield f"in{span}days{day.toordinal() // span}"


def bigrams(text: str) -> Iterator[str]:
    for row in text.split(BOUNDARY_TOKEN):
        yield from map("_".join, pairwise(row.split()))

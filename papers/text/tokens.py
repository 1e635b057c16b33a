"""What a word is to the search: folded, in the singular, the same on every database (pure).

Both engines get text that has been through here, and so does what is searched for. So they find the
same papers, and what is marked in a result is what was found in it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

WORD_PATTERN = re.compile("[^\\W_](?:[^\\W_]|[\u0300-\u036f])*")
# No word of a language is longer; what is, is cut, here and in what is searched for.
MAX_TOKEN_CHARS = 60
# Letters that are no other letter with a mark, but are typed as one.
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


def tokenize(text: str) -> list[str]:
    """The words to index or to look for, in their order, without those that say nothing."""
    return [word for _, _, word in token_spans(text)]


def token_spans(text: str) -> Iterator[tuple[int, int, str]]:
    """Each word that counts, with where it stands in the text."""
    for found in WORD_PATTERN.finditer(text):
        for word in normalise_token(found.group()):
            yield found.start(), found.end(), word


@lru_cache(maxsize=50_000)
def normalise_token(word: str) -> tuple[str, ...]:
    """Without case, marks and plural: Erdős is erdos, L²NAS is l2nas, networks is network.

    One character may be several words: ½ is 1 and 2.
    """
    parts = (part[:MAX_TOKEN_CHARS] for part in WORD_PATTERN.findall(fold_accents_and_case(word)))
    return tuple(stem_plural(part) for part in parts if part not in STOP_WORDS)


def fold_accents_and_case(text: str) -> str:
    """Without case and marks."""
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    return "".join(each for each in apart if not unicodedata.combining(each)).translate(
        LETTER_FOLDING
    )


def stem_plural(word: str) -> str:
    """Careful rather than thorough: universities is not universal, planes is not plan."""
    if len(word) <= 3:
        return word
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    if word.endswith("s") and not word.endswith(("ss", "is", "ias")):
        # gpus, but corpus
        word = word if word.endswith("us") and len(word) > 4 else word[:-1]
    return word[:-1] if word.endswith(("se", "xe", "ze", "che", "she")) and len(word) > 3 else word


@dataclass(frozen=True, slots=True)
class HighlightSpan:
    """A part of a text: is it what was looked for?"""

    text: str
    is_highlighted: bool


def highlight(text: str, phrases: Sequence[tuple[str, ...]]) -> list[HighlightSpan]:
    """The text in pieces, those marked where the wanted words stand in a row."""
    pieces: list[HighlightSpan] = []
    done = 0
    for begin, end in matched_spans(text, phrases):
        pieces += [
            HighlightSpan(text[done:begin], is_highlighted=False),
            HighlightSpan(text[begin:end], is_highlighted=True),
        ]
        done = end
    pieces.append(HighlightSpan(text[done:], is_highlighted=False))
    return [piece for piece in pieces if piece.text]


def matched_spans(text: str, phrases: Sequence[tuple[str, ...]]) -> list[tuple[int, int]]:
    """Where the wanted words stand; what only a space or nothing parts is one stretch."""
    by_first: dict[str, list[tuple[str, ...]]] = {}
    for row in phrases:
        by_first.setdefault(row[0], []).append(row)
    found = list(token_spans(text))
    joined: list[tuple[int, int]] = []
    for at, (begin, _, word) in enumerate(found):
        for row in by_first.get(word, ()):
            following = found[at : at + len(row)]
            if tuple(each for _, _, each in following) != row:
                continue
            end = following[-1][1]
            if joined and (begin <= joined[-1][1] or text[joined[-1][1] : begin].isspace()):
                joined[-1] = joined[-1][0], max(end, joined[-1][1])
            else:
                joined.append((begin, end))
    return joined

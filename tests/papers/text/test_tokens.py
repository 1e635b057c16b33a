"""What is found is what was meant, however it was written."""

from __future__ import annotations

import pytest

from papers.text.tokens import MAX_TOKEN_CHARS, highlight, tokenize


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("L²NAS", ["l2na"]),
        ("Erdős–Rényi", ["erdo", "renyi"]),
        ("Łukasz Ørsted, Groß", ["lukasz", "orsted", "gross"]),
        ("ＦＵＬＬ ﬁeld", ["full", "field"]),
        ("GPT-4o", ["gpt", "4o"]),
        ("state of the art", ["state", "art"]),
        ("AND NOT (", []),
        ("x_max\x00y", ["x", "max", "y"]),
        ("½", ["1", "2"]),
        ("李明 Привет", ["李明", "привет"]),
        ("a" * 100, ["a" * MAX_TOKEN_CHARS]),
    ],
)
def test_words_are_folded(text, found):
    assert tokenize(text) == found


@pytest.mark.parametrize(
    ("one", "many"),
    [
        ("network", "networks"),
        ("class", "classes"),
        ("cache", "caches"),
        ("box", "boxes"),
        ("base", "bases"),
        ("approach", "approaches"),
        ("strategy", "strategies"),
        ("GPU", "GPUs"),
        ("LLM", "LLMs"),
        ("image", "images"),
    ],
)
def test_one_and_many_are_the_same_word(one, many):
    assert tokenize(one) == tokenize(many)


@pytest.mark.parametrize(
    ("one", "other"), [("plane", "plan"), ("university", "universal"), ("corpus", "corpu")]
)
def test_other_words_stay_other_words(one, other):
    assert tokenize(one) != tokenize(other)


def shown(text, *wanted):
    """The text with [what is marked] in brackets."""
    pieces = highlight(text, [tuple(tokenize(each)) for each in wanted])
    return "".join(f"[{piece.text}]" if piece.is_highlighted else piece.text for piece in pieces)


def test_what_was_found_is_marked_as_it_is_written():
    assert shown("Erdős: L²NAS & networks.", "erdos", "l2nas", "network") == (
        "[Erdős]: [L²NAS] & [networks]."
    )
    assert shown("Decomposed: Erdo\u030bs.", "erdos") == "Decomposed: [Erdo\u030bs]."


def test_a_phrase_is_marked_only_in_a_row_and_neighbours_together():
    assert shown("State of the art. Art, state.", "state of the art") == (
        "[State of the art]. Art, state."
    )
    assert shown("graph neural networks", "neural", "graph", "neural network") == (
        "[graph neural networks]"
    )


def test_a_text_without_a_match_and_no_text_stay_as_they_are():
    assert shown("Nothing here.", "robot") == "Nothing here."
    assert shown("", "robot") == ""

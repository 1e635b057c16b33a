"""A text becomes the numbers that the model was trained on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from papers.search import wordpiece
from tests.papers import recordings


def pieces(text, most=256):
    known = {number: piece for piece, number in wordpiece.load_vocabulary().items()}
    return [known[number] for number in wordpiece.token_ids(text, max_tokens=most)]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", ""),
        ("Hello, World!", "hello , world !"),
        ("Erdős–Rényi", "er ##dos – ren ##yi"),
        ("tokenization", "token ##ization"),
        ("a\tb\u00a0c\x00d", "a b cd"),
        ("日本", "日 本"),
        ("x=1/2", "x = 1 / 2"),
        ("x" * 101, "[UNK]"),
        # What is written in a text is never a sign to the model.
        ("the [CLS] token", "the [ cl ##s ] token"),
    ],
)
def test_a_text_is_split_as_the_model_knows_it(text, wanted):
    assert pieces(text) == ["[CLS]", *wanted.split(), "[SEP]"]


def test_the_numbers_are_those_of_the_model():
    assert wordpiece.token_ids("hello world", max_tokens=256) == [101, 7592, 2088, 102]


def test_a_long_text_is_cut_before_its_end():
    assert pieces("one two three four", most=4) == ["[CLS]", "one", "two", "[SEP]"]


@given(st.text(max_size=60))
def test_any_text_has_a_beginning_and_an_end(text):
    numbers = wordpiece.token_ids(text, max_tokens=16)

    assert (numbers[0], numbers[-1]) == (101, 102)
    assert 2 <= len(numbers) <= 16


@recordings.needs_recordings
def test_hardly_a_word_of_real_abstracts_is_unknown():
    texts = [abstract for _, abstract, _ in recordings.labelled_papers()]
    numbers = [number for text in texts for number in wordpiece.token_ids(text, max_tokens=10_000)]

    assert numbers.count(wordpiece.load_vocabulary()["[UNK]"]) < len(numbers) / 1_000

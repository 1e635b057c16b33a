"""BibTeX of several kitchens."""

from __future__ import annotations

from datetime import date

import pytest

from papers.imports import InvalidImportFileError, bibtex
from papers.sources import Record


def one(text: str) -> Record:
    [record] = bibtex.parse_bibtex(text).records
    return record


def test_an_entry_is_read_with_all_that_it_says():
    text = r"""
        My library, 2026. Not an entry.
        @string{acm = "ACM Press"}
        @comment{nothing}
        @InProceedings{lovelace2026,
          Title = {{Engines} of $x^2$},
          AUTHOR = "Lovelace, Ada and M{\"u}ller, J{\"o}rg and {NASA and ESA} and others",
          publisher = acm,
          abstract = {It computes.},
          date = {2026-05-12},
          doi = {https://doi.org/10.1000/A\_B},
          keywords = {engines; numbers},
          url = {\url{https://github.com/ada/engine}},
        }
    """

    assert one(text) == Record(
        doi="10.1000/a_b",
        title="Engines of $x^2$",
        abstract="It computes.",
        authors=("Ada Lovelace", 'J{\\"o}rg M{\\"u}ller', "NASA and ESA"),
        published_on=date(2026, 5, 12),
        keywords=("engines", "numbers"),
        code_url="https://github.com/ada/engine",
    )


@pytest.mark.parametrize(
    ("fields", "arxiv_id"),
    [
        ("eprint = {2605.00001v2}, archivePrefix = {arXiv}, primaryClass = {cs.LG}", "2605.00001"),
        ("eprint = {math/0309136}, eprinttype = {arxiv}", "math/0309136"),
        ("eprint = {2605.00001}", "2605.00001"),
        ("eprint = {2605.00001}, archiveprefix = {HAL}", ""),
        ("eprint = {12345678}, eprinttype = {pubmed}", ""),
        ("journal = {arXiv preprint arXiv:2605.00001}, year = 2026", "2605.00001"),
        ("journal = {CoRR}, volume = {abs/2605.00001}", "2605.00001"),
        ("note = {arXiv: 2605.00001.}", "2605.00001"),
        ("howpublished = {\\url{https://arxiv.org/abs/2605.00001}}", "2605.00001"),
        ("url = {http://arxiv.org/pdf/2605.00001v1}", "2605.00001"),
        ("doi = {10.48550/arXiv.2605.00001}", "2605.00001"),
        ("year = {2605}", ""),
    ],
)
def test_arxivs_number_is_found_wherever_people_put_it(fields, arxiv_id):
    assert one(f"@misc{{key, title = {{A}}, {fields}}}").arxiv_id == arxiv_id


def test_a_key_or_a_field_that_comes_twice_costs_no_paper():
    brought = bibtex.parse_bibtex(
        "@misc{a, title = {A}}\n@misc{a, title = {B}, author = {X Y and Z W}}\n"
        "@misc{c, title = {C}, title = {D}, year = 2020}\n"
    )

    assert [(each.title, each.authors) for each in brought.records] == [
        ("A", ()),
        ("B", ("X Y", "Z W")),
        ("C", ()),
    ]
    assert brought.rejected == ()


def test_a_broken_entry_costs_only_itself_and_is_named():
    brought = bibtex.parse_bibtex(
        "@misc{a, title = {A}}\n@misc{b, title = {B\n@misc{c year = 2020}\n@misc{d, year = 2020}\n"
        "@misc{e, title = {E}}\n"
    )

    assert [record.title for record in brought.records] == ["A", "E"]
    assert brought.rejected == (
        "line 2 (b): not closed, or a comma is missing",
        "line 3 (c): not closed, or a comma is missing",
        "line 4 (d): no title",
    )


def test_an_entry_that_breaks_off_is_said_and_the_rest_is_kept():
    brought = bibtex.parse_bibtex("@misc{a, title = {A}}\n@misc{b, title = {B")

    assert [record.title for record in brought.records] == ["A"]
    assert brought.truncation_error == "The file breaks off in line 2 (b)."


def test_what_has_no_entry_is_said():
    with pytest.raises(InvalidImportFileError, match="no BibTeX entry"):
        bibtex.parse_bibtex("Just a text.")


def test_broken_entries_are_not_also_logged(caplog):
    bibtex.parse_bibtex("@misc{a, title = {A}}\n@misc{b, title = {B")

    assert caplog.text == ""


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("{BERT} and the {{GAN}} {Z}oo", "BERT and the GAN Zoo"),
        ("{$\\{a_{ij}\\}$} of {Sets}", "{$\\{a_{ij}\\}$} of Sets"),
        (r"Caf{\'e} {\"u}ber \textbf{Alles} \v{s}", r"Caf{\'e} {\"u}ber \textbf{Alles} \v{s}"),
        ("x_{ij} and 10^{12}", "x_{ij} and 10^{12}"),
        ("costs 5$ {Or} more", "costs 5$ Or more"),
    ],
)
def test_braces_that_only_keep_capitals_are_dropped(written, title):
    assert one(f"@misc{{key, title = {{{written}}}}}").title == title

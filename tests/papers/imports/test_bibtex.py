"""BibTeX as several programs write it."""

from __future__ import annotations

from datetime import date

import pytest

from papers.imports import InvalidImportFileError, bibtex
from papers.sources import Record


def parse_one(text: str) -> Record:
    [record] = bibtex.parse_bibtex(text).records
    return record


def test_an_entry_has_all_fields():
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

    assert parse_one(text) == Record(
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
def test_the_arxiv_id_is_found_in_any_usual_field(fields, arxiv_id):
    assert parse_one(f"@misc{{key, title = {{A}}, {fields}}}").arxiv_id == arxiv_id


def test_a_duplicate_key_or_field_costs_no_paper():
    parsed_file = bibtex.parse_bibtex(
        "@misc{a, title = {A}}\n@misc{a, title = {B}, author = {X Y and Z W}}\n"
        "@misc{c, title = {C}, title = {D}, year = 2020}\n"
    )

    assert [(record.title, record.authors) for record in parsed_file.records] == [
        ("A", ()),
        ("B", ("X Y", "Z W")),
        ("C", ()),
    ]
    assert parsed_file.rejected == ()


def test_only_a_defective_entry_is_rejected():
    parsed_file = bibtex.parse_bibtex(
        "@misc{a, title = {A}}\n@misc{b, title = {B\n@misc{c year = 2020}\n@misc{d, year = 2020}\n"
        "@misc{e, title = {E}}\n"
    )

    assert [record.title for record in parsed_file.records] == ["A", "E"]
    assert parsed_file.rejected == (
        "line 2 (b): not closed, or a comma is missing",
        "line 3 (c): not closed, or a comma is missing",
        "line 4 (d): no title",
    )


def test_a_truncated_entry_is_reported_and_the_others_are_kept():
    parsed_file = bibtex.parse_bibtex("@misc{a, title = {A}}\n@misc{b, title = {B")

    assert [record.title for record in parsed_file.records] == ["A"]
    assert parsed_file.truncation_error == "The file is cut off in line 2 (b)."


def test_a_file_without_an_entry_is_reported():
    with pytest.raises(InvalidImportFileError, match="no BibTeX entry"):
        bibtex.parse_bibtex("Just a text.")


def test_defective_entries_are_not_also_logged(caplog):
    bibtex.parse_bibtex("@misc{a, title = {A}}\n@misc{b, title = {B")

    assert caplog.text == ""


@pytest.mark.parametrize(
    ("braced", "title"),
    [
        ("{BERT} and the {{GAN}} {Z}oo", "BERT and the GAN Zoo"),
        ("{$\\{a_{ij}\\}$} of {Sets}", "{$\\{a_{ij}\\}$} of Sets"),
        (r"Caf{\'e} {\"u}ber \textbf{Alles} \v{s}", r"Caf{\'e} {\"u}ber \textbf{Alles} \v{s}"),
        ("x_{ij} and 10^{12}", "x_{ij} and 10^{12}"),
        ("costs 5$ {Or} more", "costs 5$ Or more"),
    ],
)
def test_braces_that_only_protect_capitals_are_removed(braced, title):
    assert parse_one(f"@misc{{key, title = {{{braced}}}}}").title == title

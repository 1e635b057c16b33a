"""Documents agree with the code: links lead somewhere, commands run, tables are up to date."""

from __future__ import annotations

import ast
import io
import re
import shlex
from pathlib import Path

import pytest
import time_machine
from django.conf import settings
from django.core.management import call_command, get_commands

from newsletter.models import Delivery
from papers.search import engine
from tests import factories

ROOT: Path = settings.BASE_DIR
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]

# Files that the examples name, as small as they can be.
EXAMPLE_FILES = {
    "members.csv": "email,topics\nemmy@example.org,robotics\n",
    "library.bib": "@article{a, title={A robot hand}, eprint={2605.01234}, year={2026}}\n",
    "suppressed.csv": "email\nnobody@example.org\n",
}
# Examples that are not run here: another test does, or they ask for a password.
NOT_RUN = {"add_operator", "check", "collectstatic", "demo", "migrate", "prepare", "run"}
PLACEHOLDERS = {"<name>": "huggingface", "NAME": "huggingface"}


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def page_name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def anchors(page: Path) -> set[str]:
    """Return the fragments of a page's headings, as GitHub forms them."""
    headings = re.findall(r"^#+ (.+)$", read(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def example_commands() -> list[str]:
    """Return the `manage.py` lines of all code blocks, without comments."""
    lines = {
        line.partition("  #")[0].strip()
        for page in PAGES
        for line in re.findall(r"^(?: {4}|\$ )?(?:\$ )?(python manage\.py .*)$", read(page), re.M)
    }
    return sorted(line for line in lines if line.split()[2] not in NOT_RUN)


def test_the_table_of_states_is_that_of_the_code():
    table = re.search(
        r"<!-- states:.*?-->\n(.*?)<!-- /states -->",
        read(ROOT / "docs/operators/monitoring.md"),
        re.DOTALL,
    )
    rows = [f"| `{state.value}` | {state.label} |" for state in Delivery.State]

    assert table
    assert table[1].splitlines() == rows


def test_every_variable_that_the_settings_read_is_in_the_example():
    tree = ast.parse((ROOT / "newsletter/settings.py").read_text())
    variables = {
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id.startswith("env")
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }
    documented = re.findall(r"^(?:# )?([A-Z][A-Z0-9_]*)=", read(ROOT / ".env.example"), re.M)

    assert variables
    assert variables - set(documented) == set()


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_each_link_leads_to_a_file_and_a_heading(page):
    broken = []
    for link in re.findall(r"\]\((?!https?:|mailto:)([^)\s]+)", read(page)):
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)

    assert broken == []


def test_each_page_of_the_docs_is_in_their_index():
    index = ROOT / "docs/README.md"
    linked = {
        (index.parent / link).resolve() for link in re.findall(r"\]\(([^)#\s]+\.md)", read(index))
    }
    pages = {page for page in ROOT.glob("docs/**/*.md") if "adr" not in page.parts} - {index}

    assert {page_name(page) for page in pages - linked} == set()


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_each_command_that_is_named_exists(page):
    named = set(re.findall(r"manage\.py ([a-z_]+)", read(page)))

    assert named - set(get_commands()) == set()


def test_each_target_of_make_that_is_named_exists():
    targets = set(re.findall(r"^([a-z-]+):", read(ROOT / "Makefile"), re.M))
    named = {
        name
        for page in PAGES
        for name in re.findall(r"(?:`|^ {4}|\$ )make ([a-z-]+)", read(page), re.M)
    }

    assert named
    assert named - targets == set()


@pytest.mark.django_db
@pytest.mark.parametrize("line", example_commands())
@time_machine.travel(factories.NOW, tick=False)
def test_each_example_of_a_command_runs(line, tmp_path, monkeypatch):
    for name, content in EXAMPLE_FILES.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    paper = factories.paper(arxiv_id="2605.01234", topics=["robotics"])
    engine.update_index([paper])
    factories.edition(papers=[paper])
    factories.subscriber(email="ada@example.org")

    _, _, name, *arguments = shlex.split(line)
    arguments = [PLACEHOLDERS.get(argument, argument) for argument in arguments]

    call_command(name, *arguments, stdout=io.StringIO(), stderr=io.StringIO())


def test_every_target_of_make_has_its_line_of_help():
    makefile = read(ROOT / "Makefile")
    targets = ["help", "demo", "run", "test", "test-all", "check", "bench", "lint", "format"]

    assert [name for name in targets if not re.search(rf"^{name}:.*## ", makefile, re.M)] == []

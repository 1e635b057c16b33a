"""What the documents say of the code, so that they cannot drift apart."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands

from newsletter.models import Delivery

ROOT: Path = settings.BASE_DIR
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]


def words(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def test_the_table_of_states_is_that_of_the_code() -> None:
    table = re.search(
        r"<!-- states:.*?-->\n(.*?)<!-- /states -->",
        words(ROOT / "docs/operators/running.md"),
        re.DOTALL,
    )
    rows = [f"| `{state.value}` | {state.label} |" for state in Delivery.State]

    assert table
    assert table[1].splitlines() == rows


def test_every_variable_that_the_settings_read_is_in_the_example() -> None:
    tree = ast.parse((ROOT / "newsletter/settings.py").read_text())
    read = {
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id.startswith("env")
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }
    documented = re.findall(r"^(?:# )?([A-Z][A-Z0-9_]*)=", words(ROOT / ".env.example"), re.M)

    assert read
    assert read - set(documented) == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_link_to_a_file_leads_to_one(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", words(page))

    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_command_that_is_named_exists(page: Path) -> None:
    named = set(re.findall(r"manage\.py ([a-z_]+)", words(page)))

    assert named - set(get_commands()) == set()


def test_every_target_of_make_has_its_line_of_help() -> None:
    makefile = words(ROOT / "Makefile")
    targets = ["help", "demo", "run", "test", "check", "bench", "lint", "format"]

    assert [name for name in targets if not re.search(rf"^{name}:.*## ", makefile, re.M)] == []

"""The house rules that a machine can check."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

ROOT: Path = settings.BASE_DIR
PACKAGES = ["papers", "subscribers", "newsletter"]

# The arrow: data flows from left to right, so an app imports only from its left.
MAY_IMPORT = {
    "papers": {"papers"},
    "subscribers": {"papers", "subscribers"},
    "newsletter": {"papers", "subscribers", "newsletter"},
}
# The only configuration files: no app imports them.
CONFIGURATION = {
    "newsletter.settings",
    "newsletter.celery",
    "newsletter.urls",
    "newsletter.wsgi",
}
MAY_CONFIGURE = {
    "newsletter/__init__.py",
    "newsletter/celery.py",
    "newsletter/settings.py",
    "newsletter/urls.py",
    "newsletter/wsgi.py",
}
# Arithmetic: no framework, no clock, no network.
PURE = [
    "newsletter/digest/selection.py",
    "newsletter/digest/reasons.py",
    "papers/search/fusion.py",
    "papers/search/index_terms.py",
    "papers/text/latex.py",
    "papers/search/query.py",
    "papers/trends/sparkline.py",
    "papers/text/tex/commands.py",
    "papers/text/tex/reader.py",
    "papers/text/tex/symbols.py",
    "papers/search/documents.py",
    "papers/topics/classifier.py",
    "papers/trends/score.py",
    "papers/search/wordpiece.py",
    "papers/text/tokens.py",
    "subscribers/transfer/formats.py",
    "subscribers/preferences/learning.py",
    "subscribers/send_time.py",
]
CLOCKS = {"now", "today", "utcnow"}
# Only these ask the clock; everything else is told the time.
MAY_ASK_THE_CLOCK = (
    "views.py",
    "api.py",
    "api/routes.py",
    "webhooks.py",
    "feeds.py",
    "tasks.py",
    "admin.py",
    "receivers.py",
    "management/",
)


def modules(*folders: str) -> Iterator[str]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path.relative_to(ROOT).as_posix()


def tree(module: str) -> ast.Module:
    return ast.parse((ROOT / module).read_text())


def imports(module: str) -> set[str]:
    """Every module named in an import, wherever it stands; relative ones are not used here."""
    found = set()
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno} imports relatively"
            found |= {node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


@pytest.mark.parametrize("app", PACKAGES)
def test_imports_follow_the_data(app: str) -> None:
    others = set(PACKAGES) - MAY_IMPORT[app]
    forbidden = {
        module: found
        for module in modules(app)
        if (found := {name for name in imports(module) if name.split(".")[0] in others})
    }

    assert forbidden == {}


def test_no_app_imports_the_configuration() -> None:
    guilty = {
        module: found
        for module in modules(*PACKAGES)
        if module not in MAY_CONFIGURE and (found := imports(module) & CONFIGURATION)
    }

    assert guilty == {}


def test_nothing_but_the_settings_reads_the_environment() -> None:
    readers = [
        module
        for module in modules(*PACKAGES)
        for node in ast.walk(tree(module))
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}
    ]

    assert set(readers) <= {
        "newsletter/celery.py",
        "newsletter/settings.py",
        "newsletter/wsgi.py",
        # They start other processes, and hand them an environment.
        "newsletter/management/commands/demo.py",
        "newsletter/management/commands/run.py",
    }


@pytest.mark.parametrize("module", PURE)
def test_arithmetic_is_pure(module: str) -> None:
    impure = {"django", "requests", "socket", "random", "time", "celery", *PACKAGES}
    allowed = {"papers"} if module.startswith("papers/") else set()

    assert {name.split(".")[0] for name in imports(module)} & (impure - allowed) == set()


@pytest.mark.parametrize("module", PURE)
def test_what_arithmetic_imports_of_its_app_is_pure_too(module: str) -> None:
    own = {name for name in imports(module) if name.startswith("papers.")}
    files = {f"{name.replace('.', '/')}.py" for name in own}
    existing = {name for name in files if (ROOT / name).exists()}

    assert [
        name for name in existing if {i.split(".")[0] for i in imports(name)} & {"django"}
    ] == []


def test_only_the_edges_ask_the_clock() -> None:
    askers = {
        f"{module}:{node.lineno}"
        for module in modules(*PACKAGES)
        if not any(edge in module for edge in MAY_ASK_THE_CLOCK)
        for node in ast.walk(tree(module))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in CLOCKS
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in {"timezone", "datetime", "date"}
    }

    assert askers == set()


def test_code_lives_in_the_named_packages_only() -> None:
    tops = {path.name for path in ROOT.iterdir() if any(path.glob("*.py"))}

    assert tops - {".venv", "var", "build"} == {*PACKAGES, "tests", "benchmarks"}


@pytest.mark.parametrize("module", [*modules(*PACKAGES)])
def test_a_module_opens_with_its_reason(module: str) -> None:
    if module.endswith(("__init__.py", "apps.py")):
        return
    reason = ast.get_docstring(tree(module)) or ""

    assert reason.split("\n")[0].endswith((".", "?")), f"{module} does not say why it is there"


def test_no_file_has_outgrown_its_room() -> None:
    long = {
        module: lines
        for module in modules(*PACKAGES)
        # There is one settings file, however many there are (docs/adr/0006).
        if module != "newsletter/settings.py"
        and (lines := len((ROOT / module).read_text().splitlines())) > 400
    }

    assert long == {}


@pytest.mark.django_db
def test_no_migration_is_missing() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)

"""Architecture rules that a program can check: layers, purity, clocks, names, sizes."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

ROOT: Path = settings.BASE_DIR
APPS = ["papers", "subscribers", "newsletter"]

# An app imports only from its left.
MAY_IMPORT = {
    "papers": {"papers"},
    "subscribers": {"papers", "subscribers"},
    "newsletter": {"papers", "subscribers", "newsletter"},
}
# Inside an app, a unit (a package, or a top-level module) imports only from units that
# come before it. The edges, which only translate and call, come last.
LAYERS = {
    "papers": [
        {"text", "web"},
        {"identity"},
        {"models"},
        {"pacing", "search", "topics"},
        {"sources"},
        {"catalogue", "imports", "trends"},
        {"ingest"},
        {"checks"},
    ],
    "subscribers": [
        {"addresses", "send_time"},
        {"models"},
        {"leaving", "suppression"},
        {"mail", "privacy"},
        {"link_views", "preferences"},
        {"signup"},
        {"bounces", "transfer"},
        {"receivers"},
    ],
    "newsletter": [
        {"celery", "context_processors", "models", "settings", "wsgi"},
        {"editions", "events"},
        {"digest", "operations"},
        {"delivery"},
        {"dispatch"},
    ],
}
# Modules that translate for the outside world; in a package each is a unit of its own.
EDGES = {
    "admin",
    "api",
    "apps",
    "feeds",
    "management",
    "routes",
    "tasks",
    "templatetags",
    "urls",
    "views",
    "webhooks",
}
# The only configuration files: no app imports them.
CONFIGURATION = {"newsletter.settings", "newsletter.celery", "newsletter.urls", "newsletter.wsgi"}
# Top-level modules that are not counted.
UNCOUNTED = {"__init__", "settings", "celery", "urls", "wsgi"}
MAX_TOP_LEVEL_MODULES = 12
MAX_FILE_LINES = 400
# Arithmetic: no framework, no clock, no network.
PURE = [
    "newsletter.digest.reasons",
    "newsletter.digest.selection",
    "papers.search.documents",
    "papers.search.fusion",
    "papers.search.index_terms",
    "papers.search.query",
    "papers.search.wordpiece",
    "papers.text",
    "papers.topics.classifier",
    "papers.topics.rules",
    "papers.trends.score",
    "papers.trends.sparkline",
    "subscribers.preferences.learning",
    "subscribers.send_time",
    "subscribers.transfer.formats",
]
IMPURE = {"celery", "django", "random", "requests", "socket", "time"}
CLOCKS = {"now", "today", "utcnow"}
# Only these ask the clock; everything else is given the time.
MAY_ASK_THE_CLOCK = (EDGES | {"receivers"}) - {"apps", "templatetags", "urls"}
# A constant's name says what it limits, and in which unit: MAX_QUERY_CHARS, not LONGEST.
BARE_ADJECTIVES = {
    "AFTER",
    "AGAIN",
    "ALIKE",
    "ANY",
    "BIGGEST",
    "CLOSE",
    "DEEP",
    "DEEPEST",
    "EARLIEST",
    "ENOUGH",
    "FEW",
    "FEWEST",
    "FIRST",
    "GREATEST",
    "HIGHEST",
    "LARGEST",
    "LAST",
    "LATE",
    "LATEST",
    "LEAST",
    "LONG",
    "LONGEST",
    "LOWEST",
    "MANY",
    "MOST",
    "NEAR",
    "NEAREST",
    "NEW",
    "NEWEST",
    "OLD",
    "OLDEST",
    "ONCE",
    "OPEN",
    "QUICKEST",
    "RARE",
    "SHORT",
    "SHORTEST",
    "SLOWEST",
    "SMALLEST",
    "SURELY",
    "WEAK",
    "WORST",
}


@cache
def modules() -> Mapping[str, Path]:
    """Return the file of each module of the three apps, migrations left out."""
    files: dict[str, Path] = {}
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            if "migrations" not in path.parts:
                name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
                files[name.removesuffix(".__init__")] = path
    return files


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(modules()[module].read_text(encoding="utf-8"))


@cache
def imported_names(module: str) -> frozenset[str]:
    """Return every name in an import, wherever it stands, also for type checking only."""
    names = set()
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno} imports relatively"
            names |= {node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(names)


@cache
def imported_modules(module: str) -> frozenset[str]:
    """Return the modules of ours that a module imports: the deepest that each import names."""
    names = imported_names(module) & modules().keys()
    parents = {
        node.module
        for node in ast.walk(tree(module))
        if isinstance(node, ast.ImportFrom)
        and all(f"{node.module}.{alias.name}" in modules() for alias in node.names)
    }
    return frozenset(names - parents - {module})


def unit(module: str) -> str:
    """Return the package or top-level module that a module belongs to; an edge is its own."""
    parts = module.split(".")
    if EDGES & set(parts[2:]):
        return module
    return ".".join(parts[:2])


def is_edge(module: str) -> bool:
    return bool(EDGES & set(module.split(".")[1:]))


def layer(module: str) -> int:
    app, *_ = module.split(".")
    for number, units in enumerate(LAYERS[app]):
        if unit(module) in {f"{app}.{name}" for name in units}:
            return number
    if is_edge(module):
        return len(LAYERS[app])
    raise AssertionError(f"{module} stands in no layer: add it to LAYERS")


def assert_no_circle(graph: Mapping[str, Iterable[str]]) -> None:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" imports ".join(reversed(error.args[1])))


@pytest.mark.parametrize("app", APPS)
def test_an_app_imports_only_from_its_left(app: str) -> None:
    others = set(APPS) - MAY_IMPORT[app]

    assert {
        module: names
        for module in modules()
        if module.split(".")[0] == app
        and (names := {name for name in imported_names(module) if name.split(".")[0] in others})
    } == {}


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert_no_circle({module: imported_modules(module) for module in modules()})


def test_no_units_import_each_other_in_a_circle() -> None:
    graph: dict[str, set[str]] = {}
    for module in modules():
        targets = {unit(name) for name in imported_modules(module)} - {unit(module)}
        graph.setdefault(unit(module), set()).update(targets)

    assert_no_circle(graph)


@pytest.mark.parametrize("app", APPS)
def test_a_unit_imports_only_from_lower_layers(app: str) -> None:
    own = [module for module in modules() if module.startswith(f"{app}.")]

    assert [
        f"{module} imports {name}"
        for module in own
        for name in sorted(imported_modules(module))
        if name.startswith(f"{app}.") and unit(name) != unit(module)
        if layer(module) <= layer(name) and not (is_edge(module) and is_edge(name))
    ] == []


@pytest.mark.parametrize("app", APPS)
def test_the_top_level_has_at_most_a_dozen_modules(app: str) -> None:
    top_level = {path.stem for path in (ROOT / app).glob("*.py")} - UNCOUNTED

    assert len(top_level) <= MAX_TOP_LEVEL_MODULES, sorted(top_level)


@pytest.mark.parametrize("package", ["papers.text", "papers.web"])
def test_the_lowest_packages_import_nothing_of_ours(package: str) -> None:
    own = [module for module in modules() if module.startswith(package)]

    assert [
        f"{module} imports {name}"
        for module in own
        for name in imported_modules(module)
        if not name.startswith(package)
    ] == []


def test_no_app_imports_the_configuration() -> None:
    assert {
        module: names
        for module in modules()
        if module not in {*CONFIGURATION, "newsletter"}
        and (names := imported_names(module) & CONFIGURATION)
    } == {}


def test_nothing_but_the_settings_reads_the_environment() -> None:
    readers = {
        module
        for module in modules()
        for node in ast.walk(tree(module))
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}
    }

    assert readers <= {
        "newsletter.celery",
        "newsletter.settings",
        "newsletter.wsgi",
        # They start other processes, and pass them an environment.
        "newsletter.management.commands.demo",
        "newsletter.management.commands.run",
    }


def test_arithmetic_is_pure_and_so_is_all_that_it_imports() -> None:
    def reachable(module: str) -> set[str]:
        seen, waiting = {module}, [module]
        while waiting:
            new = imported_modules(waiting.pop()) - seen
            seen |= new
            waiting += new
        return seen

    pure = [name for name in modules() if name in PURE or name.startswith("papers.text.")]

    assert {
        module: names
        for start in pure
        for module in reachable(start)
        if (names := {name.split(".")[0] for name in imported_names(module)} & IMPURE)
    } == {}


def test_only_the_edges_ask_the_clock() -> None:
    assert {
        f"{module}:{node.lineno}"
        for module in modules()
        if not MAY_ASK_THE_CLOCK & set(module.replace("link_views", "views").split("."))
        for node in ast.walk(tree(module))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in CLOCKS
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in {"timezone", "datetime", "date"}
    } == set()


def test_code_lives_in_the_named_packages_only() -> None:
    tops = {path.name for path in ROOT.iterdir() if any(path.glob("*.py"))}

    assert tops - {".venv", "var", "build"} == {*APPS, "tests", "benchmarks"}


def test_each_module_opens_with_its_purpose() -> None:
    silent = [
        module
        for module, path in modules().items()
        if path.name not in {"__init__.py", "apps.py"}
        and not (ast.get_docstring(tree(module)) or "").split("\n")[0].endswith(".")
    ]

    assert silent == []


def test_no_file_is_too_long() -> None:
    assert {
        module: lines
        for module, path in modules().items()
        # There is one settings file, however long (docs/developers/adr/0006).
        if module != "newsletter.settings"
        and (lines := len(path.read_text(encoding="utf-8").splitlines())) > MAX_FILE_LINES
    } == {}


def test_a_constant_is_not_named_by_a_bare_adjective() -> None:
    constants = {
        f"{module}.{name.id}"
        for module in modules()
        for node in tree(module).body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        for name in ast.walk(target)
        if isinstance(name, ast.Name)
    }

    assert {name for name in constants if name.split(".")[-1] in BARE_ADJECTIVES} == set()


def test_tests_mirror_the_code() -> None:
    """A test of a package lies in a folder of the same name."""
    packages = {module.rpartition(".")[0].replace(".", "/") for module in modules()}
    folders = {
        path.parent.relative_to(ROOT / "tests").as_posix()
        for app in APPS
        for path in (ROOT / "tests" / app).rglob("test_*.py")
    }

    assert folders - packages == set()


@pytest.mark.django_db
def test_no_migration_is_missing() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)

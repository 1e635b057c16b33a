"""Run all benchmarks or the named ones: `make bench`, `make bench ARGS="search delivery"`."""

import importlib
import logging
import os
import pkgutil
import sys

import django
from django.conf import settings

import benchmarks

HELPER_MODULES = {"__main__", "corpus", "search_database"}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsletter.settings")
    django.setup()
    settings.DEBUG = False  # Otherwise Django keeps every query in memory.
    logging.disable(logging.INFO)
    modules = {module.name for module in pkgutil.iter_modules(benchmarks.__path__)}
    names = sorted(modules - HELPER_MODULES)
    print(f"Benchmarks: {', '.join(names)}.", flush=True)
    for name in sys.argv[1:] or names:
        if name not in names:
            sys.exit(f"There is no benchmark {name!r}.")
        print(f"== {name}", flush=True)
        try:
            importlib.import_module(f"benchmarks.{name}").main()
        except benchmarks.MissingRequirementError as error:
            print(f"skipped: {error}")


if __name__ == "__main__":
    main()

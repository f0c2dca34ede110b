"""Settings from the environment (`CHECKOUT_…`), validated at the start."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from domain.merchant_book import MerchantBook
from domain.merchant_file import BrokenBook, parse_book
from services.security.token_encryption import BadTokenKeys, TokenKeys

_PREFIX = "CHECKOUT_"

_ADDRESS = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s:,/@\[\]]+)(:[0-9]{1,5})?")


class BadSetting(Exception):
    """A setting is wrong or missing; the message names it."""


def _addresses(given: str) -> str:
    for address in given.split(","):
        if not _ADDRESS.fullmatch(address.strip()):
            raise ValueError("must be host:port, or a comma-separated list of them")
    return given


UNLIMITED = -1
"""A retention that never ends; `unlimited` in the environment."""


def _hours(given: object) -> object:
    if given in ("unlimited", UNLIMITED):
        return UNLIMITED
    if not str(given).isdecimal() or int(str(given)) < 1:
        raise ValueError("must be a whole number of hours from 1 on, or unlimited")
    return int(str(given))


_Retention = Annotated[int, BeforeValidator(_hours), Field(le=1_000_000_000)]
"""Hours, or `UNLIMITED`."""
_Partitions = Annotated[int, Field(ge=1)]
HTTP_KEEP_ALIVE_SECONDS = 75
"""Longer than clients and load balancers keep an idle connection (httpx 5 s, nginx and AWS 60 s):
they close it then, rather than the server while a request is on its way."""


class Settings(BaseSettings):
    """The settings of all services. Each service says at its start which of them it needs."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, frozen=True, env_ignore_empty=True)

    kafka_bootstrap_servers: Annotated[str, AfterValidator(_addresses)] | None = None
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "PLAIN"
    kafka_sasl_username: str | None = None
    kafka_sasl_password: SecretStr | None = None
    kafka_ssl_cafile: Path | None = None
    kafka_ssl_certfile: Path | None = None
    kafka_ssl_keyfile: Path | None = None
    topic_prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{0,200}$")] = "checkout."
    topic_partitions: _Partitions = 12
    topic_commands_partitions: _Partitions | None = None
    topic_events_partitions: _Partitions | None = None
    topic_replies_partitions: _Partitions | None = None
    topic_dead_letters_partitions: _Partitions | None = None
    topic_replication: Annotated[int, Field(ge=1)] = 1
    topic_commands_retention_hours: _Retention = 7 * 24
    topic_events_retention_hours: _Retention = UNLIMITED
    topic_replies_retention_hours: _Retention = 7 * 24
    topic_dead_letters_retention_hours: _Retention = 30 * 24
    event_store_url: SecretStr | None = None
    event_store_migrate: Literal["auto", "never"] = "auto"
    redis_url: SecretStr | None = None
    merchant_file: Path | None = None
    api_keys_file: Path | None = None
    payment_provider: Literal["stripe", "test"] | None = None
    payment_concurrency: Annotated[int, Field(ge=1, le=1_000)] = 16
    payment_lease_seconds: Annotated[float, Field(ge=1, le=3_600)] = 30.0
    payment_test_file: Path | None = None
    stripe_key: SecretStr | None = None
    stripe_key_file: Path | None = None
    stripe_url: str | None = None
    token_keys: SecretStr | None = None
    token_keys_file: Path | None = None
    max_lag_events: Annotated[int, Field(ge=1)] = 10_000
    http_host: str = "127.0.0.1"
    http_port: Annotated[int, Field(ge=0, le=65535)] = 8000
    http_keep_alive: Annotated[int, Field(ge=1, le=86_400)] = HTTP_KEEP_ALIVE_SECONDS

    @classmethod
    def load(cls, *needed: str) -> Settings:
        """The settings in the environment. Raises `BadSetting` for a wrong one or a missing `needed`."""
        try:
            settings = cls()
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            raise BadSetting(
                f"{variable(str(first['loc'][-1]))}: {first['msg'].removeprefix('Value error, ')}"
            ) from None
        for name in needed:
            if getattr(settings, name) is None:
                raise BadSetting(f"{variable(name)} is not set, and this service needs it")
        return settings

    def book(self) -> MerchantBook:
        """The merchant book. Raises `BadSetting`, naming the file, line and field at fault."""
        if self.merchant_file is None:
            raise BadSetting(f"{variable('merchant_file')} is not set, and this service needs it")
        return read_book(self.merchant_file)

    def token_keyring(self) -> TokenKeys:
        """The keys that encrypt payment tokens. Raises `BadSetting`, which never quotes a key."""
        try:
            if self.token_keys is not None:
                return TokenKeys.parse(self.token_keys.get_secret_value().replace(",", "\n"))
        except BadTokenKeys as error:
            raise BadSetting(f"{variable('token_keys')}: {error}") from None
        if self.token_keys_file is None:
            raise BadSetting(
                f"{variable('token_keys_file')} is not set, and this service needs it "
                f"(or {variable('token_keys')})"
            )
        try:
            return TokenKeys.load(self.token_keys_file)
        except BadTokenKeys as error:
            raise BadSetting(f"{variable('token_keys_file')}: {error}") from None

    def stripe_secret(self) -> SecretStr:
        """The secret key for Stripe. Raises `BadSetting`."""
        if self.stripe_key is not None:
            return self.stripe_key
        if self.stripe_key_file is None:
            raise BadSetting(
                f"{variable('stripe_key_file')} is not set, and Stripe needs it "
                f"(or {variable('stripe_key')})"
            )
        try:
            secret = self.stripe_key_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise BadSetting(f"{variable('stripe_key_file')}: {error}") from None
        if not secret:
            raise BadSetting(f"{variable('stripe_key_file')}: {self.stripe_key_file} is empty")
        return SecretStr(secret)


def read_book(path: Path) -> MerchantBook:
    """The merchant book in a file. Raises `BadSetting`."""
    try:
        return parse_book(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, BrokenBook) as error:
        raise BadSetting(f"{variable('merchant_file')}: {path}: {error}") from None


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return f"{_PREFIX}{name.removeprefix(_PREFIX.lower()).upper()}"

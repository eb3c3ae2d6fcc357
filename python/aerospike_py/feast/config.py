"""The configuration of the store: the keys of Feast's own Aerospike store."""

from __future__ import annotations

# Pydantic evaluates the annotations when the class is created, so these are not only for type checks.
from typing import Any, Literal

from feast.repo_config import FeastConfigBaseModel
from pydantic import SecretStr

from .. import constants

_AUTH_MODES = {
    "internal": constants.AUTH_INTERNAL,
    "external": constants.AUTH_EXTERNAL,
    "pki": constants.AUTH_PKI,
}


class AerospikeOnlineStoreConfig(FeastConfigBaseModel):
    """The ``online_store`` section of ``feature_store.yaml``.

    Attributes:
        type: ``aerospike_py.feast.AerospikeOnlineStore``.
        hosts: ``[host, port]`` or ``[host, port, tls_name]`` of one or more nodes.
        namespace: namespace of the records. Namespaces are part of the server's configuration.
        set_name_template: name of the project's set; ``{project}`` and ``{collection_suffix}`` are replaced.
        collection_suffix: what ``{collection_suffix}`` stands for.
        namespace_overrides: name of a feature view to the namespace of its records.
        set_overrides: name of a feature view to the set of its records.
        prewriting_hook: ``"package.module.function"``, called with ``(config, table, data)`` before rows are
            written. It returns the rows to write.
        user: user to log in as.
        password: the user's password.
        auth_mode: how to log in: ``internal``, ``external`` or ``pki``.
        tls: the key ``tls`` of a client's config.
        ttl_seconds: time to live of a record, given with every write: None for the namespace's default, 0 for
            no expiry.
        write_timeout_ms: total timeout of a command that writes one record.
        read_timeout_ms: total timeout of a command that reads one record.
        batch_total_timeout_ms: total timeout of a batch. Reads and writes of features are batches.
        socket_timeout_ms: timeout of one attempt; None for the client's default.
        max_retries: attempts after the first.
        batch_max_records: the largest number of records in one batch; longer ones are split.
        client_kwargs: more keys of the client's config. They replace the keys above.

    Example:
        >>> AerospikeOnlineStoreConfig(namespace="test", ttl_seconds=86_400).max_retries
        2
    """

    type: Literal["aerospike_py.feast.AerospikeOnlineStore", "aerospike"] = (
        "aerospike_py.feast.AerospikeOnlineStore"
    )
    hosts: list[tuple[str, int] | tuple[str, int, str]] = [("localhost", 3000)]
    namespace: str = "feast"
    set_name_template: str = "{project}_{collection_suffix}"
    collection_suffix: str = "latest"
    namespace_overrides: dict[str, str] = {}
    set_overrides: dict[str, str] = {}
    prewriting_hook: str | None = None
    user: str | None = None
    password: SecretStr | None = None
    auth_mode: Literal["internal", "external", "pki"] = "internal"
    tls: dict[str, Any] | None = None
    ttl_seconds: int | None = None
    write_timeout_ms: int = 1_000
    read_timeout_ms: int = 250
    batch_total_timeout_ms: int = 2_000
    socket_timeout_ms: int | None = None
    max_retries: int = 2
    batch_max_records: int = 1_000
    client_kwargs: dict[str, Any] = {}


# Feast looks for the store's class in the module of its configuration.
AerospikeOnlineStoreConfig.__module__ = "aerospike_py.feast"


def checked(config: Any) -> AerospikeOnlineStoreConfig:
    """The store's section of a Feast config. Refuses that of another store."""
    section = config.online_store
    if not isinstance(section, AerospikeOnlineStoreConfig):
        raise RuntimeError(
            f"online_store.type is {getattr(section, 'type', None)!r}, which is another store; it must be "
            "'aerospike_py.feast.AerospikeOnlineStore'"
        )
    return section


def client_config(section: AerospikeOnlineStoreConfig) -> dict[str, Any]:
    """The config of the client."""
    policies: dict[str, dict[str, Any]] = {
        "read": {"total_timeout": section.read_timeout_ms},
        "write": {"total_timeout": section.write_timeout_ms},
        "batch": {"total_timeout": section.batch_total_timeout_ms},
    }
    for policy in policies.values():
        policy["max_retries"] = section.max_retries
        if section.socket_timeout_ms is not None:
            policy["socket_timeout"] = section.socket_timeout_ms
    # Batches of writes have a policy of their own, with the same limits.
    policies["batch_parent_write"] = dict(policies["batch"])
    config: dict[str, Any] = {
        "hosts": [tuple(host) for host in section.hosts],
        "policies": policies,
        **section.client_kwargs,
    }
    if section.user:
        if section.password is None:
            raise ValueError(
                "online_store.user is set, but online_store.password is not; set both or neither"
            )
        config["user"] = section.user
        config["password"] = section.password.get_secret_value()
        config["auth_mode"] = _AUTH_MODES[section.auth_mode]
    if section.tls:
        config["tls"] = section.tls
    return config


def time_to_live(section: AerospikeOnlineStoreConfig) -> int:
    """The time to live of a write, as the client takes it."""
    if section.ttl_seconds is None:
        return constants.TTL_NAMESPACE_DEFAULT
    return constants.TTL_NEVER_EXPIRE if section.ttl_seconds == 0 else section.ttl_seconds

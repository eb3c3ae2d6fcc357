"""Counting and timing the calls of a client."""

from __future__ import annotations

import os
from collections.abc import Mapping
from itertools import chain
from typing import TYPE_CHECKING, Any

from .._metrics import ClientMetrics, Reporter, forget, remember, snapshot_of
from .._utils.describe import describe
from .._utils.log import logger
from ..exception import ParamError, ParamTypeError, _with_official_text
from ..metrics import MetricsListeners, MetricsPolicy
from .base import ClientBase

if TYPE_CHECKING:
    from ..types import ClientConfig

_DEFAULT_TEND_INTERVAL = 1000
# The official client's limits.
_LONGEST_DIR = 256
_LEAST_SIZE = 1_000_000


class MetricsCommands(ClientBase):
    """Metrics of both clients: methods that send nothing."""

    _counts = False
    #: How to report while the client is connected.
    _report_policy: MetricsPolicy | None = None
    _reporter: Reporter | None = None

    def __init__(self, config: ClientConfig) -> None:
        super().__init__(config)
        interval = config.get("tend_interval")
        self._tend_seconds = (interval or _DEFAULT_TEND_INTERVAL) / 1000
        self._cluster_name = config.get("cluster_name")
        self._app_id = str(config.get("app_id") or config.get("user") or "not-set")

    def enable_metrics(self, policy: MetricsPolicy | None = None) -> None:
        """Counts and times the calls of this client from now on; :meth:`metrics` has the numbers.

        The client need not be connected yet. It goes on after :meth:`close` and another ``connect()``; the
        counts begin at 0 then. If the policy's ``enable_listener`` raises, so does this method, and calls
        are counted only if they were before.

        Args:
            policy: also report them now and then: to its listeners, or into files. None reports nothing; the
                official client then writes files into the current directory. It may be an object of the
                official client's class.

        Raises:
            ClientError: the client was made before a fork, or the policy's ``enable_listener`` raised an
                exception, which is the cause.
            ParamError: the policy has an interval below 1, or not from 2 to 60 columns.

        Example:
            >>> client.enable_metrics()
            >>> client.metrics().enabled
            True
        """
        if policy is not None:
            policy = _read(policy)
        self._core.enable_metrics(True)
        self._stop_reports()
        self._report_policy = None
        if policy is not None:
            try:
                self._start_reports(policy)
            except BaseException:
                self._core.enable_metrics(self._counts)
                raise
        self._report_policy, self._counts = policy, True
        remember(self)

    def disable_metrics(self) -> None:
        """Stops counting and reporting. What was counted stays.

        Raises:
            ClientError: the client was made before a fork.

        Example:
            >>> client.disable_metrics()
            >>> client.metrics().enabled
            False
        """
        self._stop_reports()
        self._core.enable_metrics(False)
        self._report_policy, self._counts = None, False
        forget(self)

    def metrics(self) -> ClientMetrics:
        """How many calls there were, how they ended and how long they took, with the state of the nodes.

        Calls and requests are counted while metrics are enabled (:meth:`enable_metrics`); the state of nodes
        and the counts of retries, hedges, inexact values and decode errors are always there. A snapshot
        holds up no call.

        Raises:
            ClientError: the client was not connected yet, or is closed.

        Example:
            >>> client.metrics().find("get").calls
            0
        """
        return snapshot_of(self._core)

    def _start_reports(self, policy: MetricsPolicy) -> None:
        seconds = policy.interval * self._tend_seconds
        reporter = Reporter(self, policy, seconds, self._cluster_name, self._app_id)
        reporter.start()
        self._reporter = reporter

    def _resume_reports(self) -> None:
        """Reports again after a close and another connect."""
        policy = self._report_policy
        if policy is None or self._reporter is not None:
            return
        try:
            self._start_reports(policy)
        except Exception:  # noqa: BLE001 (of a listener; the client is connected all the same)
            logger.exception("a metrics listener failed; nothing is reported")

    def _stop_reports(self) -> None:
        reporter, self._reporter = self._reporter, None
        if reporter is not None:
            reporter.stop()


_FIELDS = (
    "metrics_listeners", "report_dir", "report_size_limit", "interval", "latency_columns", "latency_shift",
    "labels",
)  # fmt: skip
_LISTENERS = ("enable_listener", "snapshot_listener", "node_close_listener", "disable_listener")


def _has(value: object, names: tuple[str, ...]) -> bool:
    return all(hasattr(value, name) for name in names)


def _read(policy: Any) -> MetricsPolicy:
    """A copy of a policy, which may be of the official client's class, as it is now."""
    _check(policy)
    copy = MetricsPolicy(**{name: getattr(policy, name) for name in _FIELDS})
    if copy.metrics_listeners is not None:
        listeners = [getattr(copy.metrics_listeners, name) for name in _LISTENERS]
        copy.metrics_listeners = MetricsListeners(*listeners)
    return copy


def _check(policy: Any) -> None:
    if not _has(policy, _FIELDS):
        error = ParamTypeError(f"policy is {describe(policy)}; it must be a MetricsPolicy")
        raise _with_official_text(error, "policy parameter must be an aerospike_helpers.MetricsPolicy type")
    listeners = policy.metrics_listeners
    if listeners is not None:
        if not _has(listeners, _LISTENERS):
            raise _wrong("metrics_listeners", listeners, "aerospike_helpers.metrics.MetricsListeners")
        for name in _LISTENERS:
            if not callable(listener := getattr(listeners, name)):
                raise _wrong(f"metrics_listeners.{name}", listener, "callable")
    if not isinstance(policy.report_dir, str | os.PathLike):
        raise _wrong("report_dir", policy.report_dir, "str")
    if len(os.fspath(policy.report_dir)) >= _LONGEST_DIR:
        raise _with_official_text(
            ParamError(f"MetricsPolicy: report_dir is longer than {_LONGEST_DIR - 1} characters"),
            f"MetricsPolicy.report_dir must be less than {_LONGEST_DIR} chars",
        )
    _check_number("report_size_limit", policy.report_size_limit, 64)
    if 0 < policy.report_size_limit < _LEAST_SIZE:
        raise ParamError(
            f"MetricsPolicy: report_size_limit is {policy.report_size_limit}; it must be 0 for none, or at "
            f"least {_LEAST_SIZE} bytes"
        )
    _check_number("interval", policy.interval, 32)
    _check_number("latency_columns", policy.latency_columns, 8)
    _check_number("latency_shift", policy.latency_shift, 8)
    labels: Any = policy.labels
    if not isinstance(labels, Mapping) or not all(isinstance(text, str) for text in chain(*labels.items())):
        raise _wrong("labels", labels, "dict[str, str]")
    if policy.interval < 1:
        raise ParamError(f"interval is {policy.interval!r}; it must be at least 1")
    if not 2 <= policy.latency_columns <= 60:
        raise ParamError(f"latency_columns is {policy.latency_columns!r}; it must be from 2 to 60")
    if not 1 <= policy.latency_shift <= 5:
        raise ParamError(f"latency_shift is {policy.latency_shift!r}; it must be from 1 to 5")


def _check_number(field: str, value: object, bits: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << bits:
        raise _wrong(field, value, f"unsigned {bits}-bit integer")


def _wrong(field: str, value: object, expected: str) -> ParamTypeError:
    error = ParamTypeError(f"MetricsPolicy: {field} is {describe(value)}; it must be of the type {expected}")
    return _with_official_text(error, f"MetricsPolicy.{field} must be a {expected} type")

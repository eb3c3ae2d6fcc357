"""The package's logger, for events of the cluster.

The extension's threads leave events in a queue, and calls log them later. A log record has the time at which
its event happened. The extension formats messages only when a handler wants them.
"""

from __future__ import annotations

import logging

logger = logging.getLogger("aerospike_py")
# Without this, `logging` prints warnings to standard error in programs that have not set it up.
logger.addHandler(logging.NullHandler())


def emit(level: int, created: float, message: str) -> None:
    """Logs ``message`` with the time ``created``, in seconds since 1970-01-01 UTC."""
    record = logger.makeRecord(logger.name, level, __file__, 0, message, (), None)
    record.relativeCreated += (created - record.created) * 1000
    record.created = created
    record.msecs = int((created % 1) * 1000) + 0.0
    logger.handle(record)

"""The package's log: what happens to clusters, through ``logging``.

The core's threads leave events in a queue, and calls fetch them. A record carries the time at which its event
happened; nothing is formatted where the logger does not want it.
"""

from __future__ import annotations

import logging

logger = logging.getLogger("aerospike_py")
# Who has not set up logging sees nothing, warnings included: that is for the application to decide.
logger.addHandler(logging.NullHandler())


def emit(level: int, created: float, message: str) -> None:
    """Logs a message of an event that happened at ``created``."""
    record = logger.makeRecord(logger.name, level, __file__, 0, message, (), None)
    record.relativeCreated += (created - record.created) * 1000
    record.created = created
    record.msecs = int((created % 1) * 1000) + 0.0
    logger.handle(record)

"""gunicorn's settings for features_wsgi.py. They hold with preload_app and without it."""

from __future__ import annotations

from typing import Any

workers = 2


def post_worker_init(worker: Any) -> None:
    """In the worker, after the fork and after the application was imported."""
    from examples import features_wsgi

    features_wsgi.connect()


def worker_exit(server: Any, worker: Any) -> None:
    """In the worker, when it ends."""
    from examples import features_wsgi

    features_wsgi.disconnect()

"""Settings of gunicorn for features_wsgi.py. They work with and without preload_app."""

from __future__ import annotations

from typing import Any

workers = 2


def post_worker_init(worker: Any) -> None:
    """Runs in the worker, after the fork and after the application is imported."""
    from examples import features_wsgi

    features_wsgi.connect()


def worker_exit(server: Any, worker: Any) -> None:
    """Runs in the worker before it exits."""
    from examples import features_wsgi

    features_wsgi.disconnect()

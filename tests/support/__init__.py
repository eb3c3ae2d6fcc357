"""What several tests share. Fixtures are in ``tests/conftest.py``."""

from pathlib import Path

#: The root of the repository.
ROOT = Path(__file__).resolve().parent.parent.parent

"""Methods of the official client that do not exist here: accessing one raises an error with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

#: Method that will not exist to what to use instead.
NEVER: dict[str, str] = {
    "get_policies": "a call merges its policy into the config's; the merged policies cannot be read back",
}


class UnsupportedCommands:
    """Explains missing methods."""

    if not TYPE_CHECKING:  # Type checkers must report these names as missing.

        def __getattr__(self, name: str) -> Any:
            kind = type(self).__name__
            if reason := NEVER.get(name):
                what = f"{kind}.{name} is not supported: {reason}"
            else:
                what = f"{kind!r} object has no attribute {name!r}"
            raise AttributeError(what, name=name, obj=self)

"""Names of the official client that do not exist here, or differ, with the reasons."""

from __future__ import annotations

_HELPERS = "private: the official helper modules use it, and ours make the same dictionaries without it"

#: How such constants begin, and why they do not exist.
CONSTANTS_LEFT_OUT = {
    "_AS_": _HELPERS,
    "_CDT_": _HELPERS,
    "_OP_": _HELPERS,
    "_STR_": _HELPERS,
}


def constant_reason(name: str) -> str | None:
    return next((why for start, why in CONSTANTS_LEFT_OUT.items() if name.startswith(start)), None)


#: Methods, classes and functions that are refused, and why.
METHODS_LEFT_OUT: dict[str, str] = {
    "get_policies": "a call merges its policy into the config's; the merged policies cannot be read back",
}

#: Methods whose parameters differ from the stub's, and why.
OTHER_PARAMETERS: dict[tuple[str | None, str], str] = {
    (None, "set_log_level"): "the parameter is loglevel, as in the extension; the stub has log_level",
    ("Client", "udf_remove"): "the parameter is filename, as in the extension; the stub has module",
    (None, "set_log_handler"): "the parameter is log_handler, as in the extension; the stub has callback",
}

"""Methods of other clients that do not exist here: accessing one raises an error that says what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import list_operations, map_operations
from .._utils.other_names import no_attribute

#: Method that will not exist to what to use instead.
NEVER: dict[str, str] = {
    "get_policies": "a call merges its policy into the config's; the merged policies cannot be read back",
}

#: Methods of older versions of the official client, and of other clients, to what does the same here.
INSTEAD: dict[str, str] = {
    "batch_get": "batch_read(keys)",
    "batch_get_ops": "batch_operate(keys, ops)",
    "delete": "remove(key)",
    "exists_many": "batch_read(keys, [])",
    "get_many": "batch_read(keys)",
    "info": "info_all(command)",
    "info_node": "info_single_node(command, host)",
    "ping": "is_connected()",
    "put_many": "batch_write_arrow(data, namespace, set, key=...) or batch_write(records)",
    "scan_info": "job_info(job_id, module)",
    "select_many": "batch_read(keys, bins)",
    "to_arrow": "query(namespace, set).to_arrow(), or batch_read_arrow(keys)",
    "to_numpy": "query(namespace, set).to_numpy(dtype), or batch_read(keys, _dtype=dtype)",
    "to_pandas": "query(namespace, set).to_arrow().to_pandas()",
    "udf_register": "udf_put(filename)",
}


class UnsupportedCommands:
    """Explains missing methods."""

    if not TYPE_CHECKING:  # Type checkers must report these names as missing.

        def __getattr__(self, name: str) -> Any:
            if reason := NEVER.get(name):
                what = f"{type(self).__name__}.{name} is not supported: {reason}"
                raise AttributeError(what, name=name, obj=self)
            # Old versions of the official client had a method for each operation on lists and maps.
            for module in (list_operations, map_operations):
                if name in module.__all__:
                    operation = f"operate(key, [{module.__name__}.{name}(...)])"
                    raise no_attribute(self, name, {name: operation})
            raise no_attribute(self, name, INSTEAD)

"""A consumer of the Arrow C stream interface: it does what is allowed and libraries rarely do."""

from __future__ import annotations

import ctypes
from typing import Any

import pyarrow as pa


class CArray(ctypes.Structure):
    """``struct ArrowArray``."""


_ReleaseArray = ctypes.CFUNCTYPE(None, ctypes.POINTER(CArray))
CArray._fields_ = [
    ("length", ctypes.c_int64),
    ("null_count", ctypes.c_int64),
    ("offset", ctypes.c_int64),
    ("n_buffers", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("buffers", ctypes.POINTER(ctypes.c_void_p)),
    ("children", ctypes.POINTER(ctypes.POINTER(CArray))),
    ("dictionary", ctypes.POINTER(CArray)),
    ("release", _ReleaseArray),
    ("private_data", ctypes.c_void_p),
]


class CSchema(ctypes.Structure):
    """``struct ArrowSchema``."""


_ReleaseSchema = ctypes.CFUNCTYPE(None, ctypes.POINTER(CSchema))
CSchema._fields_ = [
    ("format", ctypes.c_char_p),
    ("name", ctypes.c_char_p),
    ("metadata", ctypes.c_void_p),
    ("flags", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("children", ctypes.POINTER(ctypes.POINTER(CSchema))),
    ("dictionary", ctypes.POINTER(CSchema)),
    ("release", _ReleaseSchema),
    ("private_data", ctypes.c_void_p),
]


class CStream(ctypes.Structure):
    """``struct ArrowArrayStream``."""


_GetSchema = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(CStream), ctypes.POINTER(CSchema))
_GetNext = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(CStream), ctypes.POINTER(CArray))
_GetLastError = ctypes.CFUNCTYPE(ctypes.c_char_p, ctypes.POINTER(CStream))
_ReleaseStream = ctypes.CFUNCTYPE(None, ctypes.POINTER(CStream))
CStream._fields_ = [
    ("get_schema", _GetSchema),
    ("get_next", _GetNext),
    ("get_last_error", _GetLastError),
    ("release", _ReleaseStream),
    ("private_data", ctypes.c_void_p),
]

_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_pointer.restype = ctypes.c_void_p
_pointer.argtypes = [ctypes.py_object, ctypes.c_char_p]


def moved(structure: Any) -> Any:
    """A structure moved to other memory, as the specification says: copied, and the source marked as
    released."""
    target = type(structure)()
    ctypes.memmove(ctypes.byref(target), ctypes.byref(structure), ctypes.sizeof(structure))
    structure.release = type(structure.release)()
    return target


def release(structure: Any) -> None:
    """Releases a structure, which marks itself as released."""
    assert structure.release, "released already"
    structure.release(ctypes.byref(structure))
    assert not structure.release, "release() has to mark the structure"


class Stream:
    """The stream of an object with ``__arrow_c_stream__``, moved out of its capsule."""

    def __init__(self, source: Any) -> None:
        capsule = source.__arrow_c_stream__()
        address = _pointer(capsule, b"arrow_array_stream")
        self.stream = moved(CStream.from_address(address))

    def schema(self) -> CSchema:
        schema = CSchema()
        assert self.stream.get_schema(ctypes.byref(self.stream), ctypes.byref(schema)) == 0
        return schema

    def next(self) -> CArray | None:
        """The next record batch; None at the end. Raises what the stream says."""
        array = CArray()
        code = self.stream.get_next(ctypes.byref(self.stream), ctypes.byref(array))
        if code:
            text = self.stream.get_last_error(ctypes.byref(self.stream)) or b""
            raise OSError(code, text.decode())
        return array if array.release else None

    def release(self) -> None:
        release(self.stream)


def import_array(array: CArray | None, schema: CSchema) -> pa.Array:
    """The array as pyarrow has it, which takes both structures."""
    assert array is not None, "the stream is at its end"
    return pa.Array._import_from_c(ctypes.addressof(array), ctypes.addressof(schema))

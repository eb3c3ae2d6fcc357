"""What all expressions have in common.

An expression is a tree. Its ``compile()`` returns it as the flat list of the official client: a tuple of
operation, result type, fixed arguments and number of children for each node, in prefix order. The extension
encodes such lists, whichever client made them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, TypeAlias

from ._checks import CHECKS, Check, is_expression

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["ResultType", "ReturnType"]

# A node: operation, result type, fixed arguments, number of children.
TypeCompiledOp: TypeAlias = "tuple[int, int | None, dict[str, Any] | None, int]"
TypeExpression: TypeAlias = "list[TypeCompiledOp]"


class ResultType:
    """The types of results: the ``value_type`` of expressions that read an item.

    >>> ResultType.INTEGER
    2
    """

    NIL = 0
    BOOLEAN = 1
    INTEGER = 2
    STRING = 3
    LIST = 4
    MAP = 5
    BLOB = 6
    FLOAT = 7
    GEOJSON = 8
    HLL = 9


class ReturnType:
    """Flags of return types: all items but the selected ones.

    >>> ListGetByIndexRange(None, LIST_RETURN_VALUE | ReturnType.LIST_RETURN_INVERTED, 0, 2, "scores")
    ListGetByIndexRange(None, 65543, 0, 2, 'scores')
    """

    LIST_RETURN_INVERTED = 0x10000
    MAP_RETURN_INVERTED = 0x10000


class _Keys:
    """Keys of fixed arguments."""

    VALUE_TYPE_KEY = "value_type"
    BIN_KEY = "bin"
    RETURN_TYPE_KEY = "return_type"
    CTX_KEY = "ctx"
    VALUE_KEY = "val"
    LIST_POLICY_KEY = "list_policy"
    MAP_POLICY_KEY = "map_policy"
    LIST_ORDER_KEY = "list_order"
    REGEX_OPTIONS_KEY = "regex_options"


class _ExprOp:
    """Operations of nodes."""

    UNKNOWN = 0
    EQ = 1
    NE = 2
    GT = 3
    GE = 4
    LT = 5
    LE = 6
    CMP_REGEX = 7
    CMP_GEO = 8
    AND = 16
    OR = 17
    NOT = 18
    EXCLUSIVE = 19
    ADD = 20
    SUB = 21
    MUL = 22
    DIV = 23
    POW = 24
    LOG = 25
    MOD = 26
    ABS = 27
    FLOOR = 28
    CEIL = 29
    TO_INT = 30
    TO_FLOAT = 31
    INT_AND = 32
    INT_OR = 33
    INT_XOR = 34
    INT_NOT = 35
    INT_LSHIFT = 36
    INT_RSHIFT = 37
    INT_ARSHIFT = 38
    INT_COUNT = 39
    INT_LSCAN = 40
    INT_RSCAN = 41
    MIN = 50
    MAX = 51
    META_DIGEST_MOD = 64
    META_DEVICE_SIZE = 65
    META_LAST_UPDATE_TIME = 66
    META_VOID_TIME = 67
    META_TTL = 68
    META_SET_NAME = 69
    META_KEY_EXISTS = 70
    META_SINCE_UPDATE_TIME = 71
    META_IS_TOMBSTONE = 72
    META_MEMORY_SIZE = 73
    META_RECORD_SIZE = 74
    REC_KEY = 80
    BIN = 81
    BIN_TYPE = 82
    BIN_EXISTS = 83
    COND = 123
    VAR = 124
    LET = 125
    DEF = 126
    # In the flat list only: a value that is sent as it is, the flags of collections, the end of a list of
    # children of any number, the flags of bits, a child that is a value.
    AS_VAL = 128
    LIST_CRMOD = 140
    LIST_MOD = 141
    MAP_CRMOD = 142
    END_OF_VA_ARGS = 150
    BIT_FLAGS = 153
    VAL = 200


class _BaseExpr:
    """An expression. ``+ - * / // % **``, ``abs``, ``math.floor`` and ``math.ceil`` build larger ones."""

    _op: int = 0
    _rt: int | None = None
    _fixed: dict[str, Any] | None = None
    _children: tuple[Any, ...] = ()

    # Checks of arguments that mean something else than their name does elsewhere.
    _checks: ClassVar[dict[str, Check]] = {}
    # The names of the constructor's arguments, and of the one that takes any number of them.
    _names: ClassVar[tuple[str, ...]] = ()
    _rest: ClassVar[str | None] = None
    # The classes of operators.
    _operators: ClassVar[dict[int, Callable[..., _BaseExpr]]] = {}

    _arguments: tuple[tuple[Any, ...], dict[str, Any]] = ((), {})

    def __init_subclass__(cls) -> None:
        inherited = [base.__dict__.get("_checks", {}) for base in reversed(cls.__mro__)]
        cls._checks = {name: check for checks in inherited for name, check in checks.items()}
        code = getattr(cls.__init__, "__code__", None)
        if code is not None:
            cls._names = code.co_varnames[1 : code.co_argcount]
            cls._rest = code.co_varnames[code.co_argcount] if code.co_flags & 0x04 else None

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        self = super().__new__(cls)
        self._arguments = args, kwargs
        owner = cls.__name__
        for name, value in chain(zip(cls._names, args, strict=False), kwargs.items()):
            check = cls._checks.get(name) or CHECKS.get(name)
            if check is not None:
                check(owner, name, value)
        if cls._rest is not None:
            check = cls._checks.get(cls._rest) or CHECKS[cls._rest]
            for position, value in enumerate(args[len(cls._names) :]):
                check(owner, f"{cls._rest}[{position}]", value)
        return self

    def compile(self) -> TypeExpression:
        """The expression as the flat list that policies and operations take.

        Example:
            >>> exp.Eq(exp.IntBin("a"), 1).compile()
            [(1, None, None, 2), (81, 2, {'bin': 'a'}, 0), (200, None, {'val': 1}, 0)]
        """
        flat: TypeExpression = [self._get_op()]
        rest: Iterator[Any] = iter(self._children)
        while True:
            try:
                child = next(rest)
            except StopIteration:
                return flat
            if isinstance(child, _BaseExpr):
                flat.append(child._get_op())
                rest = chain(child._children, rest)
            elif is_expression(child):
                flat.extend(child.compile())
            else:
                flat.append((_ExprOp.VAL, None, {_Keys.VALUE_KEY: child}, 0))

    def _get_op(self) -> TypeCompiledOp:
        return self._op, self._rt, self._fixed, len(self._children)

    def __bool__(self) -> NoReturn:
        # `a and b` would be b, and the condition a be lost in silence.
        raise TypeError(
            f"{type(self).__name__} is an expression, which only the server evaluates: it is neither true "
            "nor false here; instead of `and`, `or` and `not` use exp.And, exp.Or and exp.Not, and "
            "to test whether there is one `is None`"
        )

    def __repr__(self) -> str:
        args, kwargs = self._arguments
        shown = [*map(repr, args), *(f"{name}={value!r}" for name, value in kwargs.items())]
        return f"{type(self).__name__}({', '.join(shown)})"

    def __add__(self, right: Any) -> _BaseExpr:
        return _joined(_ExprOp.ADD, self, right, both=True)

    def __radd__(self, left: Any) -> _BaseExpr:
        return _joined(_ExprOp.ADD, left, self, both=True)

    def __sub__(self, right: Any) -> _BaseExpr:
        return _joined(_ExprOp.SUB, self, right)

    def __rsub__(self, left: Any) -> _BaseExpr:
        return _joined(_ExprOp.SUB, left, self)

    def __mul__(self, right: Any) -> _BaseExpr:
        return _joined(_ExprOp.MUL, self, right, both=True)

    def __rmul__(self, left: Any) -> _BaseExpr:
        return _joined(_ExprOp.MUL, left, self, both=True)

    def __truediv__(self, right: Any) -> _BaseExpr:
        return _joined(_ExprOp.DIV, self, right)

    def __rtruediv__(self, left: Any) -> _BaseExpr:
        return _joined(_ExprOp.DIV, left, self)

    def __floordiv__(self, right: Any) -> _BaseExpr:
        quotient: _BaseExpr = self / right
        return quotient.__floor__()

    def __rfloordiv__(self, left: Any) -> _BaseExpr:
        return self.__rtruediv__(left).__floor__()

    def __mod__(self, right: Any) -> _BaseExpr:
        return self._operators[_ExprOp.MOD](self, right)

    def __rmod__(self, left: Any) -> _BaseExpr:
        return self._operators[_ExprOp.MOD](left, self)

    def __pow__(self, right: Any) -> _BaseExpr:
        return self._operators[_ExprOp.POW](self, right)

    def __rpow__(self, left: Any) -> _BaseExpr:
        return self._operators[_ExprOp.POW](left, self)

    def __abs__(self) -> _BaseExpr:
        return self if self._op == _ExprOp.ABS else self._operators[_ExprOp.ABS](self)

    def __floor__(self) -> _BaseExpr:
        return self if self._op == _ExprOp.FLOOR else self._operators[_ExprOp.FLOOR](self)

    def __ceil__(self) -> _BaseExpr:
        return self if self._op == _ExprOp.CEIL else self._operators[_ExprOp.CEIL](self)


class _NoArguments(_BaseExpr):
    """An expression without arguments."""

    def __init__(self) -> None:
        pass


class _GenericExpr(_BaseExpr):
    """A node without a class of its own."""

    def __init__(self, op: int, rt: int | None, fixed: dict[str, Any] | None) -> None:
        self._op = op
        self._rt = rt
        self._fixed = fixed


def _any_number(arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """Children of which there may be any number: a node marks their end."""
    return (*arguments, _GenericExpr(_ExprOp.END_OF_VA_ARGS, 0, {}))


def _joined(op: int, left: Any, right: Any, *, both: bool = False) -> _BaseExpr:
    """An operator with its operands. ``a + b + c`` is one node, not two. The operands of the right side are
    joined only if the grouping makes no difference: ``a - (b - c)`` keeps its parentheses.
    """

    def operands(side: Any, join: bool) -> tuple[Any, ...]:
        if join and isinstance(side, _BaseExpr) and side._op == op:
            return side._children[:-1]
        return (side,)

    return _BaseExpr._operators[op](*operands(left, True), *operands(right, both))

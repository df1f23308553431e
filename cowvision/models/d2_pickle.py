"""Reading detectron2's `.pkl` files without running anything: arrays of numbers come out, and nothing else can.

A pickle is a small program. Here it may build dicts, lists, texts and numbers, and call four names that numpy writes
for arrays, and the OrderedDict of PyTorch's weights; these stand for functions of this module, so that not even numpy's
own code runs on what a stranger wrote.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any, Literal, NoReturn, TypeGuard

import numpy as np
from numpy.typing import NDArray

from cowvision.models.d2_unfolding import UnreadablePickleError, looked_at
from cowvision.models.quoting import first_line, printable

_KINDS = frozenset({"b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"})
_ARRAY_MODULES = ("numpy.core.multiarray", "numpy._core.multiarray")
_MOST_NAMED = 10_000_000  # a memo's place is given in the file, and memory is taken up to there
_MOST_BYTES = 2 * 1024**3  # of all arrays together: two can be made of the same bytes
_MOST_SIDES = 32
_NUMBERED = frozenset({"PUT", "BINPUT", "LONG_BINPUT", "GET", "BINGET", "LONG_BINGET"})


def read_arrays(data: bytes) -> dict[str, Any]:
    """What a pickle of a dict holds: numpy arrays as (read-only) arrays, all else as plain values.

    Raises:
        UnreadablePickleError: Truncated, damaged, no dict, or it names anything but numpy's arrays; nothing has run.
    """
    _look_through(data)
    try:
        held = _Unpickler(io.BytesIO(data), encoding="latin1").load()
        if isinstance(held, dict):
            _unpack(held)
            return held
    except UnreadablePickleError:
        raise
    except Exception as error:  # noqa: BLE001 - a damaged program can fail in any way
        raise UnreadablePickleError(f"the pickle is damaged ({type(error).__name__}: {first_line(error)})") from None
    raise UnreadablePickleError("the pickle holds something else than named weights")


def _look_through(data: bytes) -> None:
    """Read the program without running it: to its end, and what it names in plain sight."""
    for name, argument in looked_at(data):
        if name in {"GLOBAL", "INST"}:
            _stand_in(*str(argument).split(" ", 1))
        if name in _NUMBERED and int(str(argument)) > _MOST_NAMED:
            raise UnreadablePickleError("the pickle is damaged (it numbers more things than a file of weights has)")


class _Unpickler(pickle.Unpickler):
    """Knows no names but those of numpy's arrays."""

    def find_class(self, module: str, name: str) -> object:
        return _stand_in(module, name)


@dataclass(frozen=True)
class _StandIn:
    """What a pickle may call in the place of a function or class of that name; it cannot be changed by the pickle."""

    name: str
    call: Callable[..., object]

    def __call__(self, *arguments: object) -> object:
        return self.call(*arguments)

    def __setstate__(self, _state: object) -> NoReturn:
        raise UnreadablePickleError(f"the pickle tries to change {self.name}")


class _Kind:
    """The type of an array's numbers: "f4", and the order of their bytes."""

    def __init__(self, code: str, *_: object) -> None:
        if code not in _KINDS:
            raise UnreadablePickleError(f"the pickle holds an array of another kind than numbers ({str(code)[:20]})")
        self.code, self.order = code, "<"

    def __setstate__(self, state: tuple[object, ...]) -> None:
        self.order = ">" if state[1] == ">" else "<"

    @property
    def dtype(self) -> np.dtype[Any]:
        """As numpy has it."""
        return np.dtype(self.order + self.code)


class _Array:
    """An array whose shape and bytes come later; they are unpacked last of all, and once."""

    def __init__(self, *_: object) -> None:
        self._shape: tuple[int, ...] = (0,)
        self._kind = _Kind("f4")
        self._order: Literal["C", "F"] = "C"
        self._packed: bytes | str = b""

    def __setstate__(self, state: tuple[object, object, object, object, object]) -> None:
        _, shape, kind, by_columns, packed = state
        if not isinstance(kind, _Kind) or not isinstance(packed, bytes | str):
            raise UnreadablePickleError("the pickle holds an array of another kind than numbers")
        if not _is_shape(shape) or prod(shape) * kind.dtype.itemsize != len(packed):
            raise UnreadablePickleError("the pickle holds an array whose shape and numbers do not fit")
        self._shape, self._kind, self._order, self._packed = shape, kind, "F" if by_columns else "C", packed

    @property
    def size_bytes(self) -> int:
        """What it takes when it is unpacked."""
        return len(self._packed)

    @property
    def values(self) -> NDArray[Any]:
        """As numpy has it."""
        if not self._packed:
            return np.zeros(self._shape, self._kind.dtype)
        packed = self._packed.encode("latin1") if isinstance(self._packed, str) else self._packed
        return np.ndarray(self._shape, self._kind.dtype, packed, order=self._order)


class _Names(dict[Any, Any]):
    """An OrderedDict, which is filled later; what PyTorch notes about it beside its names is left out."""

    def __init__(self) -> None:
        super().__init__()

    def __setstate__(self, _state: object) -> None:
        """Take no attributes."""


def _is_shape(shape: object) -> TypeGuard[tuple[int, ...]]:
    if not isinstance(shape, tuple) or len(shape) > _MOST_SIDES:
        return False
    return all(type(side) is int and 0 <= side <= _MOST_BYTES for side in shape)


def _number(kind: _Kind, packed: bytes | str) -> float:
    if len(packed) != kind.dtype.itemsize:
        raise UnreadablePickleError("the pickle holds a number that is none")
    data = packed.encode("latin1") if isinstance(packed, str) else packed
    return float(np.frombuffer(data, kind.dtype)[0])


def _encoded(text: str, encoding: str = "latin1") -> str:
    """How the older protocols write bytes; they stay a text until they are unpacked, for each copy takes memory."""
    if encoding != "latin1":
        raise UnreadablePickleError("the pickle is damaged (bytes in an unknown writing)")
    return text


_STAND_INS: dict[tuple[str, str], Callable[..., object]] = {
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Kind,
    ("_codecs", "encode"): _encoded,
    ("collections", "OrderedDict"): _Names,
    **{(module, "_reconstruct"): _Array for module in _ARRAY_MODULES},
    **{(module, "scalar"): _number for module in _ARRAY_MODULES},
}


def _stand_in(module: str, name: str) -> _StandIn:
    if (module, name) not in _STAND_INS:
        asked = f"asks to run {printable(f'{module}.{name}')}"
        raise UnreadablePickleError(f"the pickle {asked}, and weights are numpy arrays alone; nothing was run")
    return _StandIn(name, _STAND_INS[module, name])


def _unpack(held: dict[Any, Any]) -> None:
    """Put arrays where they were only described, two storeys deep: the file's parts, and the names in each."""
    parts = {id(part): part for part in (held, *held.values()) if isinstance(part, dict)}
    found = [(part, name, one) for part in parts.values() for name, one in part.items() if isinstance(one, _Array)]
    if sum(one.size_bytes for _, _, one in found) > _MOST_BYTES:
        raise UnreadablePickleError("the pickle unfolds to more numbers than a file of weights has")
    for part, name, one in found:
        part[name] = one.values

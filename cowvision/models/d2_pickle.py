"""Reading detectron2's `.pkl` files without running anything: arrays of numbers come out, and nothing else can.

A pickle is a small program. Here it may build dicts, lists, texts and numbers, and call four names that numpy writes
for arrays; these stand for functions of this module, so that not even numpy's own code runs on what a stranger wrote.
"""

from __future__ import annotations

import io
import pickle
import pickletools
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any, BinaryIO, NoReturn

import numpy as np
from numpy.typing import NDArray

_KINDS = frozenset({"b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"})
_ARRAY_MODULES = ("numpy.core.multiarray", "numpy._core.multiarray")
_MOST_NAMED = 10_000_000  # a memo's place is given in the file, and memory is taken up to there
_MOST_LETTERS = 90
_MOST_UNFOLDED = 10_000_000  # parts of one value; a tuple that holds another twice, and so on, is slow as a key
_PUT = frozenset({"PUT", "BINPUT", "LONG_BINPUT"})
_GET = frozenset({"GET", "BINGET", "LONG_BINGET"})
_MARK = -1


class UnreadablePickleError(Exception):
    """Why a pickle is not read, in words without a full stop."""


def read_arrays(data: bytes) -> dict[str, Any]:
    """What a pickle of a dict holds: numpy arrays as (read-only) arrays, all else as plain values.

    Raises:
        UnreadablePickleError: Truncated, damaged, no dict, or it names anything but numpy's arrays; nothing has run.
    """
    _look_through(data)
    try:
        held = _Unpickler(io.BytesIO(data), encoding="latin1").load()
    except UnreadablePickleError:
        raise
    except Exception as error:  # noqa: BLE001 - a damaged program can fail in any way
        raise UnreadablePickleError(f"the pickle is damaged ({type(error).__name__}: {error})") from None
    arrays = _as_arrays(held)
    if not isinstance(arrays, dict):
        raise UnreadablePickleError("the pickle holds something else than named weights")
    return arrays


def check_unfolding(data: bytes | BinaryIO) -> None:
    """Look at a pickle that others will read for values that unfold without end; of an open file, at the next one.

    Raises:
        UnreadablePickleError: It has one, or is truncated or damaged; nothing has run.
    """
    sizes = _Sizes([], {})
    try:
        for code, argument, _ in pickletools.genops(data):
            sizes.follow(code, argument)
    except (ValueError, IndexError, KeyError) as error:
        raise UnreadablePickleError(f"the pickle is truncated or damaged ({str(error).splitlines()[0]})") from None


def printable(name: str) -> str:
    """A stranger's name as part of one sentence: no line breaks, and not too long."""
    return "".join(letter if letter.isprintable() else "?" for letter in name[:_MOST_LETTERS])


def _look_through(data: bytes) -> None:
    """Read the program without running it: to its end, and what it names in plain sight."""
    check_unfolding(data)
    for code, argument, _ in pickletools.genops(data):
        if code.name in {"GLOBAL", "INST"}:
            _stand_in(*str(argument).split(" ", 1))
        if code.name in _PUT | _GET and int(argument or 0) > _MOST_NAMED:
            raise UnreadablePickleError("the pickle is damaged (it numbers more things than a file of weights has)")


class _Unpickler(pickle.Unpickler):
    """Knows no names but those of numpy's arrays."""

    def find_class(self, module: str, name: str) -> object:
        return _stand_in(module, name)


@dataclass(frozen=True)
class _Sizes:
    """Of how many parts each value on the pickle's stack and in its memo is, those that it holds twice counted twice.

    Attributes:
        stack: The last on top.
        memo: By the number that the pickle gave.
    """

    stack: list[int]
    memo: dict[int, int]

    def follow(self, code: pickletools.OpcodeInfo, argument: object) -> None:
        """Do what the next step does.

        Raises:
            UnreadablePickleError: A value grows beyond all weights.
            IndexError, KeyError: It takes what is not there.
        """
        if code.name in _GET:
            self.stack.append(self.memo[int(str(argument))])
        elif code.name in _PUT or code.name == "MEMOIZE":
            self.memo[len(self.memo) if argument is None else int(str(argument))] = self.stack[-1]
        else:
            self._replace(code)

    def _replace(self, code: pickletools.OpcodeInfo) -> None:
        size = 1
        for kind in reversed(code.stack_before):
            if kind is pickletools.markobject:
                self.stack.pop()
            while kind is pickletools.stackslice and self.stack[-1] != _MARK:
                size += self.stack.pop()
            if kind not in (pickletools.markobject, pickletools.stackslice):
                size += max(self.stack.pop(), 0)
        if size > _MOST_UNFOLDED:
            raise UnreadablePickleError("the pickle unfolds to more parts than a file of weights has")
        self.stack.extend(_MARK if kind is pickletools.markobject else size for kind in code.stack_after)


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
    """An array whose shape and bytes come later."""

    def __init__(self, *_: object) -> None:
        self.values: NDArray[Any] = np.zeros(0, np.float32)

    def __setstate__(self, state: tuple[object, tuple[int, ...], _Kind, bool, bytes | str]) -> None:
        _, shape, kind, by_columns, numbers = state
        if not isinstance(kind, _Kind) or not isinstance(numbers, bytes | str):
            raise UnreadablePickleError("the pickle holds an array of another kind than numbers")
        packed = numbers.encode("latin1") if isinstance(numbers, str) else numbers
        if prod(shape) * kind.dtype.itemsize != len(packed) or min(shape, default=0) < 0:
            raise UnreadablePickleError("the pickle holds an array whose shape and numbers do not fit")
        self.values = np.frombuffer(packed, kind.dtype).reshape(shape, order="F" if by_columns else "C")


def _number(kind: _Kind, packed: bytes | str) -> float:
    data = packed.encode("latin1") if isinstance(packed, str) else packed
    return float(np.frombuffer(data, kind.dtype, count=1)[0])


def _encoded(text: str, encoding: str = "latin1") -> bytes:
    """How the older protocols write bytes."""
    if encoding != "latin1":
        raise UnreadablePickleError("the pickle is damaged (bytes in an unknown writing)")
    return text.encode("latin1")


_STAND_INS: dict[tuple[str, str], Callable[..., object]] = {
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Kind,
    ("_codecs", "encode"): _encoded,
    **{(module, "_reconstruct"): _Array for module in _ARRAY_MODULES},
    **{(module, "scalar"): _number for module in _ARRAY_MODULES},
}


def _stand_in(module: str, name: str) -> _StandIn:
    if (module, name) not in _STAND_INS:
        asked = f"asks to run {printable(f'{module}.{name}')}"
        raise UnreadablePickleError(f"the pickle {asked}, and weights are numpy arrays alone; nothing was run")
    return _StandIn(name, _STAND_INS[module, name])


def _as_arrays(value: object) -> object:
    """The dict with arrays for what was read as such, two storeys deep: the file's parts, and the names in each."""
    if isinstance(value, _Array):
        return value.values
    if isinstance(value, dict):
        return {key: _in_part(one) for key, one in value.items()}
    return value


def _in_part(value: object) -> object:
    if isinstance(value, dict):
        return {key: one.values if isinstance(one, _Array) else one for key, one in value.items()}
    return value.values if isinstance(value, _Array) else value

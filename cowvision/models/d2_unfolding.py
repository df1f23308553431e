"""Pickles looked at before anybody reads them: how large and how deep their values would become, what they name.

A few bytes can stand for a value of 2^200 parts, or for a tuple 300,000 tuples deep. To hash such a value, as a key
of a dict is, or to show it in a message, takes all time, all memory, or all of the processor's stack.
"""

from __future__ import annotations

import pickletools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from cowvision.models.quoting import first_line

_MOST_PARTS = 10_000_000
_MOST_DEEP = 100
_PUT = frozenset({"PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"})
_GET = frozenset({"GET", "BINGET", "LONG_BINGET"})
_FILL = frozenset({"APPEND", "APPENDS", "SETITEM", "SETITEMS", "ADDITEMS", "BUILD"})
_DROP = frozenset({"POP", "POP_MARK", "STOP"})
_TUPLES = frozenset({"TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "FROZENSET"})


class UnreadablePickleError(Exception):
    """Why a pickle is not read, in words without a full stop."""


def looked_at(data: bytes | BinaryIO) -> Iterator[tuple[str, object]]:
    """The steps of a pickle, by name and with what follows the name; of an open file, of the next pickle in it.

    Raises:
        UnreadablePickleError: A value would unfold without end, or the pickle is truncated or damaged; nothing has run.
    """
    values = _Values()
    try:
        for code, argument, _ in pickletools.genops(data):
            values.follow(code, argument)
            yield code.name, argument
    except (ValueError, IndexError, KeyError) as error:
        raise UnreadablePickleError(f"the pickle is truncated or damaged ({first_line(error)})") from None


@dataclass(slots=True, eq=False)
class _Value:
    """What a pickle makes.

    Attributes:
        parts: Of how many values it is, those that it holds twice counted twice.
        depth: How many tuples deep it is.
        is_held: Whether it is part of another value, which has counted its parts.
    """

    parts: int = 1
    depth: int = 0
    is_held: bool = False


_MARK = _Value()


@dataclass(frozen=True)
class _Values:
    """The values of a pickle as it is read.

    Attributes:
        stack: The last on top.
        memo: By the number that the pickle gave.
    """

    stack: list[_Value] = field(default_factory=list)
    memo: dict[int, _Value] = field(default_factory=dict)

    def follow(self, code: pickletools.OpcodeInfo, argument: object) -> None:
        """Do what the next step does.

        Raises:
            UnreadablePickleError: A value grows beyond all weights.
            IndexError, KeyError: It takes what is not there.
        """
        if code.name in _GET:
            self.stack.append(self.memo[int(str(argument))])
        elif code.name in _PUT:
            self.memo[len(self.memo) if argument is None else int(str(argument))] = self.stack[-1]
        elif code.name == "DUP":
            self.stack.append(self.stack[-1])
        elif code.name in _DROP:
            self._taken(code)
        else:
            taken = self._taken(code)
            made = _filled(taken) if code.name in _FILL else _made_of(taken, code.name)
            is_mark = pickletools.markobject in code.stack_after
            self.stack.extend([_MARK if is_mark else made] * len(code.stack_after))

    def _taken(self, code: pickletools.OpcodeInfo) -> list[_Value]:
        """Take what a step takes off the stack, the last first."""
        taken = []
        for kind in reversed(code.stack_before):
            if kind is pickletools.markobject:
                self.stack.pop()
            while kind is pickletools.stackslice and self.stack[-1] is not _MARK:
                taken.append(self.stack.pop())
            if kind not in (pickletools.markobject, pickletools.stackslice):
                taken.append(self.stack.pop())
        if _MARK in taken and code.name not in _DROP:
            raise IndexError("a mark is no value")
        return taken


def _made_of(parts: list[_Value], name: str = "") -> _Value:
    made = _Value(1 + sum(part.parts for part in parts))
    made.depth = max((part.depth for part in parts), default=0) + (name in _TUPLES)
    if made.parts > _MOST_PARTS:
        raise UnreadablePickleError("the pickle unfolds to more parts than a file of weights has")
    if made.depth > _MOST_DEEP:
        raise UnreadablePickleError("the pickle holds values that are deeper than those of a file of weights")
    for part in parts:
        part.is_held = True
    return made


def _filled(taken: list[_Value]) -> _Value:
    into = taken[-1]
    if into.is_held:  # whoever holds it has counted what it was
        raise UnreadablePickleError("the pickle fills what is part of another value already")
    made = _made_of(taken)
    into.parts, into.depth = made.parts, made.depth
    into.is_held = any(part is into for part in taken[:-1])
    return into

"""Strict YAML: mappings, lists and JSON scalars, each with the line that it came from.

Refused with file, line and column: duplicate keys, anchors, aliases, tags, several documents,
empty values, and plain words that YAML 1.1 would quietly turn into something else (`yes`,
`10:30`, `~`, `2026-01-01`, `0x1F`): quote them or write JSON.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NoReturn, TypeVar

import yaml
from yaml.resolver import Resolver

from symphainy_platform.canonical import NotStrictJson, strict_copy
from symphainy_platform.contract.findings import ContractInvalid, Finding, Severity

Path = tuple[str | int, ...]
Mark = tuple[int, int]
V = TypeVar("V")

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_RESOLVER: Any = Resolver()
_MAX_NESTING = 64
_INTEGER = re.compile(r"-?(0|[1-9]\d*)")
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")
_LONGEST_INTEGER = 20
"""Characters: what is longer is out of range already, and so is its beginning."""
_WORDS = {"null": None, "true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Source:
    """One YAML file as a JSON value, and where each of its parts stands (line, column from 1)."""

    file: str
    data: Any
    marks: Mapping[Path, Mark]

    def mark(self, path: Path) -> Mark:
        """Where `path` stands, or the nearest part around it that is in the file."""
        while path and path not in self.marks:
            path = path[:-1]
        return self.marks.get(path, (1, 1))

    def finding(self, path: Path, message: str, fix: str = "") -> Finding:
        """An error at `path`."""
        return Finding(self.file, *self.mark(path), dotted(path), message, fix)

    def warning(self, path: Path, message: str, fix: str = "") -> Finding:
        """A warning at `path`."""
        return replace(self.finding(path, message, fix), severity=Severity.WARNING)


def dotted(path: Path) -> str:
    """Write a path as people do: `effects.writes[0].columns`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def read_yaml(text: str, file: str) -> Source:
    """Read one strict YAML document; raises ContractInvalid naming `file`, line and column."""
    reader = _Reader(file)
    try:
        data = reader.document(yaml.parse(text, Loader=_LOADER))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reader.refuse(mark, (), f"not YAML: {error.problem or error.context}")
    except (yaml.YAMLError, UnicodeError) as error:
        reader.refuse(None, (), f"not YAML: {error}")
    try:
        return Source(file, strict_copy(data), reader.marks)
    except NotStrictJson as error:
        reader.refuse(None, (), error.reason)


class _Reader:
    """Builds values from parser events: no constructor, no resolver of tags, no aliases."""

    def __init__(self, file: str) -> None:
        self._file = file
        self.marks: dict[Path, Mark] = {}

    def refuse(self, mark: Any, path: Path, message: str, fix: str = "") -> NoReturn:
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise ContractInvalid([Finding(self._file, line, column, dotted(path), message, fix)])

    def document(self, events: Iterator[Any]) -> Any:
        next(events)  # the start of the stream
        start = next(events)
        if isinstance(start, yaml.StreamEndEvent):
            self.refuse(None, (), "the file is empty")
        value = self._node(next(events), events, ())
        next(events)  # the end of the document
        follows = next(events)
        if not isinstance(follows, yaml.StreamEndEvent):
            self.refuse(follows.start_mark, (), "a second document", "one file holds one document")
        return value

    def _node(self, event: Any, events: Iterator[Any], path: Path) -> Any:
        self._refuse_indirection(event, path)
        if len(path) > _MAX_NESTING:
            self.refuse(event.start_mark, path, f"nested more than {_MAX_NESTING} levels deep")
        self.marks.setdefault(path, (event.start_mark.line + 1, event.start_mark.column + 1))
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(events, path)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(events, path)
        return self._scalar(event, path)

    def _refuse_indirection(self, event: Any, path: Path) -> None:
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            self.refuse(
                event.start_mark, path, "anchors and aliases are not allowed", "write the value out or use $ref"
            )
        if event.tag is not None:
            self.refuse(event.start_mark, path, f"the tag {event.tag} is not allowed", "remove it")

    def _mapping(self, events: Iterator[Any], path: Path) -> dict[str, Any]:
        result: dict[str, Any] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            key = self._key(event, path)
            if key in result:
                first = self.marks[(*path, key)][0]
                self.refuse(event.start_mark, (*path, key), "the key is there twice", f"first on line {first}")
            self.marks[(*path, key)] = (event.start_mark.line + 1, event.start_mark.column + 1)
            result[key] = self._node(next(events), events, (*path, key))
        return result

    def _key(self, event: Any, path: Path) -> str:
        self._refuse_indirection(event, path)
        if not isinstance(event, yaml.ScalarEvent):
            self.refuse(event.start_mark, path, "a key is a plain word or a quoted string")
        key = str(self._scalar(event, path) if event.value == "<<" else event.value)
        self._strict(event, path, {key: None})
        return key

    def _sequence(self, events: Iterator[Any], path: Path) -> list[Any]:
        result: list[Any] = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            result.append(self._node(event, events, (*path, len(result))))
        return result

    def _scalar(self, event: Any, path: Path) -> Any:
        text: str = event.value
        if event.style:  # quoted or a block: text, whatever it looks like
            return self._strict(event, path, text)
        if text in _WORDS:
            return _WORDS[text]
        if _INTEGER.fullmatch(text):
            return self._strict(event, path, int(text[:_LONGEST_INTEGER]))
        if _NUMBER.fullmatch(text):
            return self._strict(event, path, float(text))
        self._refuse_ambiguous(event, text, path)
        return self._strict(event, path, text)

    def _strict(self, event: Any, path: Path, value: V) -> V:
        """Refuse here, with its place, what strict JSON cannot hold."""
        try:
            strict_copy(value)
        except NotStrictJson as error:
            self.refuse(event.start_mark, path, error.reason)
        return value

    def _refuse_ambiguous(self, event: Any, text: str, path: Path) -> None:
        if not text:
            self.refuse(event.start_mark, path, "the value is empty", "write a value, or null")
        tag = _RESOLVER.resolve(yaml.ScalarNode, text, (True, False))
        if tag != Resolver.DEFAULT_SCALAR_TAG:
            kind = tag.rpartition(":")[2]
            fix = f'quote it ("{text}") or write it as JSON does'
            self.refuse(event.start_mark, path, f"YAML would read `{text}` as {kind}, JSON would not", fix)

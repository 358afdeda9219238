"""Loading: folders of YAML become one catalog of contracts, types, journeys and roles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from symphainy_platform.contract.artifact_type import TypeFile
from symphainy_platform.contract.catalog import Catalog, Sourced
from symphainy_platform.contract.checks import check_catalog
from symphainy_platform.contract.findings import ContractInvalid, Finding, Severity
from symphainy_platform.contract.journey import Journey
from symphainy_platform.contract.model import Contract
from symphainy_platform.contract.references import resolve_references
from symphainy_platform.contract.roles import NO_ROLES, Roles
from symphainy_platform.contract.spec import Spec
from symphainy_platform.contract.yaml_source import Path as FieldPath
from symphainy_platform.contract.yaml_source import Source, read_yaml

Folder = Path | Traversable
S = TypeVar("S", bound=Spec)

_GENERATED = "rendered"
_KINDS: dict[str, type[Spec]] = {"contract": Contract, "type": TypeFile, "journey": Journey, "roles": Roles}


def load_folders(folders: Sequence[Folder]) -> Catalog:
    """Load every contract, type, journey and roles file in these folders.

    A file's kind is its first field (`contract: 1`, `type: 1`, `journey: 1`, `roles: 1`).
    Raises ContractInvalid with everything that is wrong, each with file and line; two
    contracts for the same intent and major version name both places.
    """
    catalog, findings = inspect_folders(folders)
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    if errors:
        raise ContractInvalid(errors)
    return catalog


def inspect_folders(folders: Sequence[Folder]) -> tuple[Catalog, list[Finding]]:
    """Load what can be loaded, and say what is wrong with the rest: the linter's way in."""
    draft = _Draft()
    for folder in dict.fromkeys(folders):  # realms of one package may share a folder
        for file, data in yaml_files(folder):
            draft.read(file, data)
    catalog = draft.catalog()
    # Rules between files would only blame the neighbours of a file that could not be read.
    return catalog, draft.findings or list(check_catalog(catalog))


def yaml_files(folder: Folder) -> Iterator[tuple[str, bytes]]:
    """Yield (name for messages, content) of every YAML file under `folder`, in order of name."""
    if not folder.is_dir():
        raise ContractInvalid([Finding(str(folder), 1, 1, "", "there is no such folder of contracts")])
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir() and entry.name != _GENERATED:
            yield from yaml_files(entry)
        elif entry.name.endswith((".yaml", ".yml")):
            yield str(entry), entry.read_bytes()


@dataclass
class _Draft:
    """What was read so far; shapes must all be known before a `$ref` can be followed."""

    sources: list[tuple[type[Spec], Source]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def read(self, file: str, data: bytes) -> None:
        try:
            source = read_yaml(data.decode(), file)
            self.sources.append((_kind_of(source), source))
        except UnicodeDecodeError:
            self.findings.append(Finding(file, 1, 1, "", "the file is not UTF-8"))
        except ContractInvalid as error:
            self.findings.extend(error.findings)

    def catalog(self) -> Catalog:
        shapes = self._shapes()
        roles = NO_ROLES
        for sourced in self._parsed(Roles, shapes):
            roles = roles.merged(sourced.value)
        return Catalog(
            contracts=self._unique(self._parsed(Contract, shapes), lambda contract: (contract.intent, contract.major)),
            types=self._unique(self._parsed(TypeFile, shapes), lambda type_file: type_file.artifact),
            journeys=self._unique(self._parsed(Journey, shapes), lambda journey: journey.id),
            roles=roles,
            shapes=shapes,
        )

    def _shapes(self) -> dict[str, Any]:
        shapes: dict[str, Any] = {}
        places: dict[str, str] = {}
        for kind, source in self.sources:
            declared = source.data.get("shapes") if kind is TypeFile else None
            for name, shape in declared.items() if isinstance(declared, dict) else ():
                reference = f"{_stem(source.file)}.{name}"
                if reference in places:
                    message = f"the shape `{reference}` is declared twice, also in {places[reference]}"
                    self.findings.append(source.finding(("shapes", name), message, "give one file another name"))
                shapes[reference], places[reference] = shape, source.file
        return shapes

    def _parsed(self, kind: type[S], shapes: Mapping[str, Any]) -> list[Sourced[S]]:
        parsed = []
        for source in [source for of, source in self.sources if of is kind]:
            try:
                parsed.append(Sourced(_validated(kind, source, shapes), source))
            except ContractInvalid as error:
                self.findings.extend(error.findings)
        return parsed

    def _unique(self, parsed: list[Sourced[S]], identity: Any) -> dict[Any, Sourced[S]]:
        """Index by identity (None: a file of shapes only, which has none)."""
        index: dict[Any, Sourced[S]] = {}
        for sourced in parsed:
            key = identity(sourced.value)
            if key in index:
                name = key[0] if isinstance(key, tuple) else key
                message = f"`{name}` is declared twice, also in {index[key].source.file}"
                self.findings.append(
                    sourced.source.finding((), message, "rename one, or give it another major version")
                )
            elif key is not None:
                index[key] = sourced
        return index


def _kind_of(source: Source) -> type[Spec]:
    if isinstance(source.data, dict):
        for name, kind in _KINDS.items():
            if name in source.data:
                return kind
    message = "not a contract file"
    raise ContractInvalid([source.finding((), message, "begin with contract: 1, type: 1, journey: 1 or roles: 1")])


def _stem(file: str) -> str:
    return file.replace("\\", "/").rpartition("/")[2].rpartition(".")[0]


def _validated(kind: type[S], source: Source, shapes: Mapping[str, Any]) -> S:
    data = resolve_references(source, shapes) if kind is Contract else source.data
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        raise ContractInvalid(_findings(error, source)) from None


def _findings(error: ValidationError, source: Source) -> list[Finding]:
    found: dict[tuple[int, int, str], Finding] = {}
    for details in error.errors(include_url=False, include_input=False):
        context = details.get("ctx", {})
        path = _known(details["loc"], source)
        if "field" in context:
            path = (*path, context["field"])
        elif details["type"] == "missing":
            path = (*path, details["loc"][-1])
        hint = "quote it" if details["type"] == "string_type" else str(context.get("hint", ""))
        finding = source.finding(path, details["msg"], hint)
        found.setdefault((finding.line, finding.column, finding.field), finding)
    return list(found.values())


def _known(location: FieldPath, source: Source) -> FieldPath:
    """The part of pydantic's location that stands in the file (without its union branches)."""
    while location and location not in source.marks:
        location = location[:-1]
    return location

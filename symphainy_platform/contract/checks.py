"""Rules that a single field cannot check: the parts of a contract must agree with each other."""

from __future__ import annotations

from collections.abc import Iterator

from symphainy_platform.contract.catalog import Catalog
from symphainy_platform.contract.findings import Finding


def check_catalog(catalog: Catalog) -> Iterator[Finding]:
    """Yield what is wrong between contracts, types and journeys that are each well-formed."""
    yield from ()

"""The contracts, as pages of their own and as one OpenAPI document. Nothing here is secret."""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from symphainy_platform.errors import NotFound
from symphainy_platform.http.answers import Answer, json_answer, to_json
from symphainy_platform.http.request import query_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from symphainy_platform.contract.catalog import Catalog
    from symphainy_platform.contract.model import Contract
    from symphainy_platform.platform import Platform

_SUMMARY = {"intent", "version", "realm", "journeys", "status", "deprecated_until", "owner", "purpose", "access"}
_NOT_FOR_CALLERS = {"fixtures", "setups", "examples", "handler"}


async def listing(platform: Platform, request: Request) -> Answer:
    """GET /api/contracts: every contract in force, in short."""
    query_of(request)
    contracts = [sourced.value for _, sourced in sorted(platform.contracts.contracts.items())]
    return json_answer({"contracts": [_dump(contract, include=_SUMMARY) for contract in contracts]})


async def one(platform: Platform, request: Request) -> Answer:
    """GET /api/contracts/{intent_type}: the newest contract of an intent."""
    query_of(request)
    contract = platform.contracts.newest(request.path_params["intent_type"])
    if contract is None:
        raise NotFound
    return json_answer(_dump(contract, exclude=_NOT_FOR_CALLERS))


async def openapi_document(platform: Platform, request: Request) -> Answer:
    """GET /openapi.json: one typed operation per intent, and the routes of this edge."""
    query_of(request)
    return Answer(_openapi_bytes(_ById(platform.contracts), cookies=platform.settings.session_cookie))


def _dump(contract: Contract, **which: Any) -> dict[str, Any]:
    return contract.model_dump(mode="json", exclude_none=True, exclude_defaults=False, **which)


class _ById:
    """A catalog as a cache key: it is loaded once and never changes, so its identity will do."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ById) and other.catalog is self.catalog

    def __hash__(self) -> int:
        return id(self.catalog)


@lru_cache(maxsize=4)
def _openapi_bytes(key: _ById, *, cookies: bool) -> bytes:
    from symphainy_platform.contract.openapi import openapi  # noqa: PLC0415 - built when it is first asked for

    return to_json(openapi(key.catalog, version("symphainy-platform"), cookies=cookies))

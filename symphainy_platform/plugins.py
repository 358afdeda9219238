"""Loading plugins: every realm comes through an entry point, ours like everybody's.

A broken plugin, a duplicate name or a contract without its service stops the start, with a
sentence that names the places.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Any, TypeVar

import pluggy

from symphainy_platform import hookspecs
from symphainy_platform.context import Clock
from symphainy_platform.contract.catalog import Catalog
from symphainy_platform.contract.compile import compile_contract
from symphainy_platform.contract.load import load_folders
from symphainy_platform.contract.model import Contract
from symphainy_platform.contract.spec import PROOF
from symphainy_platform.errors import PluginError, SettingsError, StartError
from symphainy_platform.hookspecs import IdentitySource, PlatformContext, Proof, Realm
from symphainy_platform.runtime.resolve import Route, Routes
from symphainy_platform.service import IntentService
from symphainy_platform.settings import Settings
from symphainy_platform.state.store import Store
from symphainy_platform.state.view import Presenter, present_payload

B = TypeVar("B")

GROUP = "symphainy.realms"
BUILT_IN = (
    "symphainy_platform.state.sqlite.hook",
    "symphainy_platform.state.postgres.hook",
    "symphainy_platform.state.supabase.hook",
    "symphainy_platform.identity.source",
)
"""What ships with the platform but is no realm: a store and an identity source."""


def load_plugins(extra: Sequence[object] = ()) -> pluggy.PluginManager:
    """Load every plugin: the built-in parts, all entry points, and `extra` ones (for tests)."""
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    for name in BUILT_IN:
        manager.register(importlib.import_module(name), name)
    for entry_point in _unique(entry_points(group=GROUP)):
        _register(manager, _loaded(entry_point), f"{entry_point.name} = {entry_point.value}")
    for number, plugin in enumerate(extra):
        _register(manager, plugin, getattr(plugin, "__name__", f"plugin {number}"))
    return manager


def _register(manager: pluggy.PluginManager, plugin: object, name: str) -> None:
    try:
        manager.register(plugin, name)
        manager.check_pending()
    except (ValueError, pluggy.PluginValidationError) as error:
        msg = f"The plugin {name} does not fit: {error}"
        raise PluginError(msg) from error


def _unique(found: Iterable[EntryPoint]) -> list[EntryPoint]:
    """Entry points by name; the same one seen twice (two metadata folders) counts once."""
    by_name: dict[str, EntryPoint] = {}
    for entry_point in sorted(found, key=lambda point: point.name):
        other = by_name.setdefault(entry_point.name, entry_point)
        if other.value != entry_point.value:
            msg = f"Two plugins are called {entry_point.name}: {_place(other)} and {_place(entry_point)}."
            raise PluginError(msg)
    return list(by_name.values())


def _place(entry_point: EntryPoint) -> str:
    dist = f" of {entry_point.dist.name}" if entry_point.dist else ""
    return f"{entry_point.value}{dist}"


def _loaded(entry_point: EntryPoint) -> object:
    try:
        return entry_point.load()
    except (Exception, SystemExit) as error:  # the plugin boundary: whatever its import raises stops the start
        msg = f"The plugin {entry_point.name} ({_place(entry_point)}) cannot be loaded: {type(error).__name__}: {error}"
        raise PluginError(msg) from error


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the realms brought: contracts with their services, and how their artifacts are shown."""

    catalog: Catalog
    served: Catalog
    """The catalog without drafts whose service does not exist yet: what callers are told of."""
    routes: Routes
    presenters: dict[str, Presenter]
    unimplemented: tuple[tuple[str, int], ...]
    """Draft intents, each with its major version, whose service does not exist yet."""

    def presenter_of(self, artifact_type: str) -> Presenter:
        """How artifacts of a type are shown."""
        return self.presenters.get(artifact_type, present_payload)


def load_realms(manager: pluggy.PluginManager, settings: Settings, catalog: Catalog | None = None) -> Loaded:
    """Ask the hooks once, load and compile all contracts, and find the service of each.

    A `catalog` that these realms gave before is taken as it is: their files are not read again.
    """
    catalog = catalog or load_folders([realm.contracts for realm in _realms(manager)])
    limits = {name: value for name, value in settings if isinstance(value, int) and not isinstance(value, bool)}
    routes, unimplemented = [], []
    for sourced in catalog.contracts.values():
        contract, origin = sourced.value, sourced.source.file
        service = _service(contract, origin, settings)
        if service is None:
            unimplemented.append((contract.intent, contract.major))
        else:
            routes.append(Route(compile_contract(contract, catalog, limits), service, origin))
    presenters = {
        name: _presenter(sourced.value.present, sourced.source.file)
        for name, sourced in catalog.types.items()
        if sourced.value.present
    }
    served = catalog.without(unimplemented)
    return Loaded(catalog, served, Routes(routes), presenters, tuple(unimplemented))


def _realms(manager: pluggy.PluginManager) -> list[Realm]:
    realms: list[Realm] = []
    for plugin, brought in _asked(manager.hook.symphainy_realms):
        if odd := [realm for realm in brought if not isinstance(realm, Realm)]:
            msg = f"The plugin {plugin} brings a {type(odd[0]).__name__} where a Realm is expected."
            raise PluginError(msg)
        if odd := [realm for realm in brought if not hasattr(realm.contracts, "iterdir")]:
            msg = f"The plugin {plugin} names {odd[0].contracts!r} as contracts of {odd[0].name}: a Path is expected."
            raise PluginError(msg)
        realms.extend(brought)
    _refuse_duplicates(realms)
    return realms


def load_identity_sources(manager: pluggy.PluginManager, platform: PlatformContext) -> list[IdentitySource]:
    """Every source of identities; what was registered last is asked first."""
    sources: list[IdentitySource] = []
    known = {"settings": platform.settings, "clock": platform.clock, "platform": platform}
    for plugin, brought in _asked(manager.hook.symphainy_identity_sources, **known):
        if odd := [source for source in brought if not callable(getattr(source, "identify", None))]:
            msg = f"The plugin {plugin} brings a {type(odd[0]).__name__} where an IdentitySource is expected."
            raise PluginError(msg)
        sources = [*brought, *sources]
    return sources


def load_proofs(manager: pluggy.PluginManager, platform: PlatformContext, catalog: Catalog) -> dict[str, Proof]:
    """Every proof by its name; each public contract must have its own, with the facts that it speaks of."""
    proofs: dict[str, Proof] = {}
    bringers: dict[str, str] = {}
    hook = manager.hook.symphainy_proofs
    for impl in hook.get_hookimpls():
        brought: dict[str, Proof] = _brought(hook.name, impl, {"platform": platform}, dict)
        for name, proof in brought.items():
            if not callable(getattr(proof, "prove", None)) or not isinstance(getattr(proof, "facts", None), frozenset):
                msg = (
                    f"The plugin {impl.plugin_name} brings a {type(proof).__name__} where a Proof is expected: {name}."
                )
                raise PluginError(msg)
            if name in proofs:
                msg = f"Two plugins bring a proof {name}: {bringers[name]} and {impl.plugin_name}."
                raise PluginError(msg)
            proofs[name], bringers[name] = proof, impl.plugin_name
    for sourced in catalog.contracts.values():
        _refuse_unproven(sourced.value, sourced.source.file, proofs)
    return proofs


def open_store(manager: pluggy.PluginManager, settings: Settings, clock: Clock) -> Store:
    """The store that the settings name, not yet opened."""
    try:
        store: Store | None = manager.hook.symphainy_store(url=settings.store, clock=clock, settings=settings)
    except StartError:
        raise
    except (Exception, SystemExit) as error:  # the plugin boundary: whatever its hook raises stops the start
        msg = f"SYMPHAINY_STORE: a plugin failed over this store: {type(error).__name__}: {error}"
        raise PluginError(msg) from error
    if store is None:
        scheme, is_url, _ = settings.store.partition("://")
        named = f"the scheme {scheme!r}" if is_url and scheme.isalnum() else "this form"  # it may be a secret
        known = "sqlite:///PATH, postgresql://HOST/DATABASE or supabase"
        msg = f"SYMPHAINY_STORE: no plugin knows stores of {named}; use {known}."
        raise SettingsError(msg)
    return store


def _asked(hook: pluggy.HookCaller, **known: Any) -> list[tuple[str, list[Any]]]:
    """What each plugin brings, beside its name."""
    return [(impl.plugin_name, _brought(hook.name, impl, known, list)) for impl in hook.get_hookimpls()]


def _brought(hook: str, impl: pluggy.HookImpl, known: Mapping[str, Any], kind: Callable[[Any], B]) -> B:
    try:
        brought: Any = impl.function(*(known[name] for name in impl.argnames))
        return kind(brought)
    except (Exception, SystemExit) as error:  # the plugin boundary: whatever its hook raises stops the start
        msg = f"The plugin {impl.plugin_name} fails in {hook}: {type(error).__name__}: {error}"
        raise PluginError(msg) from error


def _refuse_duplicates(realms: Sequence[Realm]) -> None:
    seen: dict[str, Realm] = {}
    for realm in realms:
        if (other := seen.setdefault(realm.name, realm)) is not realm:
            msg = f"Two plugins bring a realm {realm.name}: from {other.contracts} and from {realm.contracts}."
            raise PluginError(msg)


def _refuse_unproven(contract: Contract, origin: str, proofs: Mapping[str, Proof]) -> None:
    """A public intent gets its tenant and user from a registered proof; without one it must not be served."""
    if "public" not in contract.access:
        return
    proof = proofs.get(contract.proof or "")
    if proof is None:
        msg = f"{origin}: {contract.intent} is public, but no plugin registers a proof named {contract.proof!r}."
        raise PluginError(msg)
    spoken_of = {*contract.idempotency.key, *(read.id for read in contract.effects.reads)}
    facts = {name.removeprefix(PROOF) for name in spoken_of if name.startswith(PROOF)}
    if missing := facts - proof.facts:
        msg = f"{origin}: {contract.intent} names proof.{min(missing)}, which the proof {contract.proof} does not give."
        raise PluginError(msg)


def _service(contract: Contract, origin: str, settings: Settings) -> IntentService | None:
    """The one service of the handler module; None for a draft whose module does not exist yet."""
    try:
        module = importlib.import_module(contract.handler)
    except ModuleNotFoundError as error:
        if contract.status == "draft" and error.name is not None and contract.handler.startswith(error.name):
            return None
        raise _broken(contract, origin, error) from error
    except (Exception, SystemExit) as error:  # the plugin boundary: whatever its import raises stops the start
        raise _broken(contract, origin, error) from error
    services = [value for value in vars(module).values() if _serves(value, contract.intent, module)]
    if len(services) != 1:
        msg = (
            f"{origin}: the handler {contract.handler} must define exactly one IntentService with"
            f" intent_type = {contract.intent!r}; it defines {len(services)}."
        )
        raise PluginError(msg)
    return _instance(services[0], contract, origin, settings)


def _instance(service: type[IntentService], contract: Contract, origin: str, settings: Settings) -> IntentService:
    derive = contract.idempotency.derive
    if missing := [entry.by for entry in derive.values() if not callable(getattr(service, entry.by, None))]:
        msg = f"{origin}: the key derives {missing[0]}, but {service.__qualname__} has no method {missing[0]}(params)."
        raise PluginError(msg)
    asked = contract.idempotency.replay_while
    if asked and not inspect.iscoroutinefunction(getattr(service, asked, None)):
        msg = f"{origin}: replay_while asks for `async def {asked}(ctx, params)`; {service.__qualname__} has none."
        raise PluginError(msg)
    if _replays_secrets(contract) and service.restore is IntentService.restore:
        msg = f"{origin}: replays lack the secret fields of the answer: {service.__qualname__} does not define restore."
        raise PluginError(msg)
    if not inspect.iscoroutinefunction(service.execute):
        msg = f"{origin}: {service.__qualname__}.execute must be `async def`."
        raise PluginError(msg)
    try:
        return service(settings)
    except (Exception, SystemExit) as error:  # the plugin boundary: a constructor may raise anything
        raise _broken(contract, origin, error) from error


def _replays_secrets(contract: Contract) -> bool:
    """By its own key, or by the caller's: which a public intent ignores."""
    is_replayed = bool(contract.idempotency.key) or "public" not in contract.access
    return is_replayed and any(shape.secret for shapes in contract.returns.values() for shape in shapes.values())


def _serves(value: Any, intent_type: str, module: ModuleType) -> bool:
    return (
        isinstance(value, type)
        and issubclass(value, IntentService)
        and value.__module__ == module.__name__
        and getattr(value, "intent_type", None) == intent_type
    )


def _broken(contract: Contract, origin: str, error: BaseException) -> PluginError:
    return PluginError(f"{origin}: the handler {contract.handler} cannot be loaded: {type(error).__name__}: {error}")


def _presenter(path: str, origin: str) -> Presenter:
    module_name, _, name = path.rpartition(".")
    try:
        presenter = getattr(importlib.import_module(module_name), name)
    except (Exception, SystemExit) as error:  # the plugin boundary: whatever its import raises stops the start
        msg = f"{origin}: the presenter {path} cannot be loaded: {type(error).__name__}: {error}"
        raise PluginError(msg) from error
    if not callable(presenter):
        msg = f"{origin}: the presenter {path} is no function."
        raise PluginError(msg)
    found: Presenter = presenter
    return found

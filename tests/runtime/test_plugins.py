"""Plugins that are broken: the start is refused with a sentence that names them, and nothing is left open."""

import threading
from types import SimpleNamespace

import pytest

from symphainy_platform import Platform, PluginError, Realm, Settings, hookimpl
from symphainy_platform.errors import SettingsError


def fails():
    raise ValueError("boom")


def of_another_shape(wrong):
    return [wrong]


BROKEN = [
    ("symphainy_realms", fails, "odd_plugin fails in symphainy_realms: ValueError: boom"),
    ("symphainy_realms", lambda: None, "odd_plugin fails in symphainy_realms: TypeError"),
    ("symphainy_realms", lambda: ["shop"], "odd_plugin brings a str where a Realm is expected"),
    ("symphainy_realms", lambda: [Realm("shop", "contracts")], "odd_plugin names 'contracts' as contracts of shop"),
    ("symphainy_realms", of_another_shape, "odd_plugin does not fit"),
    ("symphainy_identity_sources", fails, "odd_plugin fails in symphainy_identity_sources: ValueError"),
    ("symphainy_identity_sources", lambda: [5], "odd_plugin brings a int where an IdentitySource is expected"),
    ("symphainy_store", fails, "SYMPHAINY_STORE: a plugin failed over this store: ValueError: boom"),
    ("symphainy_shops", lambda: None, "odd_plugin does not fit: unknown hook"),
]


@pytest.mark.parametrize(("hook", "answer", "sentence"), BROKEN)
async def test_a_broken_plugin_stops_the_start(settings, hook, answer, sentence):
    threads = threading.active_count()
    plugin = SimpleNamespace(__name__="odd_plugin", **{hook: hookimpl(answer)})
    with pytest.raises(PluginError) as refused:
        async with Platform.open(settings, plugins=[plugin]):
            pytest.fail("it started")
    assert sentence in str(refused.value)
    assert threading.active_count() == threads


TYPE = """
type: 1
artifact: parcel
realm: shop
lifecycle: {{initial: [OPEN]}}
present: {module}.present
shapes: {{stored: {{text: {{type: string}}}}}}
"""


SOURCES = [
    ("raise RuntimeError('boom')", "cannot be loaded: RuntimeError: boom"),
    ("present = 5", "is no function"),
    ("", "cannot be loaded: AttributeError"),
]


@pytest.fixture
def shop(request, tmp_path, monkeypatch):
    """A realm whose parcels are shown by a module of this source."""
    module = f"shop_{request.param_index}"
    (tmp_path / f"{module}.py").write_text(request.param)
    monkeypatch.syspath_prepend(tmp_path)
    contracts = tmp_path / "contracts"
    contracts.mkdir()
    (contracts / "parcel.yaml").write_text(TYPE.format(module=module))
    return SimpleNamespace(__name__="shop", symphainy_realms=hookimpl(lambda: [Realm("shop", contracts)]))


@pytest.mark.parametrize(("shop", "reason"), SOURCES, indirect=["shop"])
async def test_a_broken_presenter_stops_the_start(settings, shop, reason):
    with pytest.raises(PluginError) as refused:
        async with Platform.open(settings, plugins=[shop]):
            pytest.fail("it started")
    assert "parcel.yaml: the presenter shop_" in str(refused.value)
    assert reason in str(refused.value)


@pytest.mark.parametrize(
    ("store", "said"),
    [("mongodb://u:hunter2@h/d", "the scheme 'mongodb'"), ("hunter2@h/d", "this form"), ("hunter2", "this form")],
)
async def test_a_store_that_no_plugin_knows_is_not_shown(tmp_path, store, said):
    with pytest.raises(SettingsError) as refused:
        async with Platform.open(Settings(home=tmp_path, store=store)):
            pass
    assert said in str(refused.value)
    assert "hunter2" not in str(refused.value)

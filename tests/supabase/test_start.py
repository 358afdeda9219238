"""Starting on a Supabase project: its settings, its schema, and what its API cannot do."""

import subprocess
import sys

import pytest
from servers.supabase_gateway import PUBLISHABLE_KEY, SECRET_KEY

from symphainy_platform.context import SystemClock
from symphainy_platform.errors import SettingsError, StoreRefusedError
from symphainy_platform.plugins import load_plugins, open_store
from symphainy_platform.settings import Settings
from symphainy_platform.state.postgres.migrate import known_steps
from symphainy_platform.state.supabase.store import SupabaseStore


def configured(**given):
    return open_store(load_plugins(), Settings(store="supabase", **given), SystemClock())


@pytest.fixture(autouse=True)
def _no_settings_of_ours(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("SUPABASE_URL", "SUPABASE_SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({}, "SUPABASE_URL"),
        ({"supabase_url": "project.supabase.co", "supabase_secret_key": "k"}, "SUPABASE_URL"),
        ({"supabase_url": "postgresql://db/x", "supabase_secret_key": "k"}, "SUPABASE_URL"),
        ({"supabase_url": "https://project.supabase.co"}, "SUPABASE_SECRET_KEY"),
        ({"supabase_url": "https://project.supabase.co", "supabase_secret_key": ""}, "SUPABASE_SECRET_KEY"),
    ],
)
def test_both_settings_are_needed(given, named):
    with pytest.raises(SettingsError, match=f"SYMPHAINY_STORE=supabase needs {named}"):
        configured(**given)


NO_URLS = [
    "https://x.supabase.co:99999",
    "https://[::1",
    "https://x co",
    "https://ann:hemlig@x.co",
    "https://:1",
    "//x.co",
]


@pytest.mark.parametrize("url", NO_URLS)
def test_an_address_that_is_none_is_refused(url):
    with pytest.raises(SettingsError, match="needs SUPABASE_URL") as refusal:
        configured(supabase_url=url, supabase_secret_key="k")
    assert "hemlig" not in str(refusal.value)


@pytest.mark.parametrize("key", ["sb_secret_…", "clé", " k", "k\n", " ", "a b", "\0"])
def test_a_key_that_cannot_be_sent_is_refused(key):
    with pytest.raises(SettingsError, match="copy the key anew") as refusal:
        configured(supabase_url="https://x.supabase.co", supabase_secret_key=key)
    assert "clé" not in str(refusal.value)


def test_settings_have_the_names_that_supabase_gives_them(monkeypatch, tmp_path):
    monkeypatch.setenv("SUPABASE_URL", "https://project.supabase.co")
    (tmp_path / ".env").write_text("SUPABASE_SECRET_KEY=sb_secret_abc\n")
    settings = Settings(store="supabase")
    shown = {line.name: (line.value, line.source) for line in settings.describe()}
    assert shown["supabase_url"] == ("https://project.supabase.co", "environment")
    assert shown["supabase_secret_key"] == ("****", ".env")
    assert "sb_secret_abc" not in repr(settings)
    assert isinstance(configured(), SupabaseStore)
    monkeypatch.setenv("SYMPHAINY_SUPABASE_URL", "x")
    with pytest.raises(SettingsError, match="did you mean SUPABASE_URL"):
        Settings()


def said(code):
    """What a fresh interpreter prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)  # noqa: S603
    return done.stdout.strip()


def test_the_client_is_imported_by_the_store_alone():
    code = "import sys; from symphainy_platform.plugins import load_plugins; load_plugins()"
    assert said(f"{code}; print(sorted({{'asyncpg', 'postgrest', 'supabase'}} & set(sys.modules)))") == "[]"


def test_a_missing_client_is_said():
    code = """
import sys
sys.modules["supabase"] = None
from symphainy_platform.context import SystemClock
from symphainy_platform.errors import SettingsError
from symphainy_platform.plugins import load_plugins, open_store
from symphainy_platform.settings import Settings
try:
    settings = Settings(store="supabase", supabase_url="https://x.co", supabase_secret_key="k")
    open_store(load_plugins(), settings, SystemClock())
except SettingsError as error:
    print(error)
"""
    assert said(code) == "A Supabase store needs its client: install symphainy-platform[supabase]."


async def test_an_api_cannot_migrate(projects, clock):
    store = SupabaseStore(projects.url(), SECRET_KEY, clock)
    assert await store.migrate(dry_run=True) == list(known_steps())
    with pytest.raises(StoreRefusedError, match=r"supabase db push.*SYMPHAINY_MIGRATION_URL"):
        await store.migrate()
    with pytest.raises(StoreRefusedError, match=r"cannot change the schema"):
        await store.migrate(to=next(iter(known_steps())))
    with pytest.raises(StoreRefusedError, match=r"nobody can tell.*SYMPHAINY_MIGRATION_URL"):
        await store.steps()
    with pytest.raises(StoreRefusedError, match="apply the migrations"):
        await store.open()
    assert not (await store.health()).ready
    await store.close()


async def test_a_project_that_was_migrated_by_others_needs_no_direct_way(projects, open_store, clock):
    await open_store()
    store = SupabaseStore(projects.url(), SECRET_KEY, clock)
    assert await store.migrate() == await store.migrate(dry_run=True) == []
    assert [(step.name, step.applied, step.applied_at) for step in await store.steps()] == [
        (name, True, None) for name in known_steps()
    ]
    await store.open()
    assert (await store.health()).ready
    await store.close()


@pytest.mark.parametrize("key", ["sb_secret_wrong", PUBLISHABLE_KEY])
@pytest.mark.usefixtures("store")
async def test_another_key_is_refused_with_a_sentence_that_does_not_show_it(projects, clock, key):
    store = SupabaseStore(projects.url(), key, clock)
    for attempt in (store.open, store.migrate):
        with pytest.raises(StoreRefusedError, match=r"SUPABASE_SECRET_KEY|service_role") as refusal:
            await attempt()
        assert key not in str(refusal.value)
    await store.close()


async def test_a_schema_that_is_newer_is_refused(projects, open_store, connect, clock):
    await open_store()
    await (await connect(user="postgres")).execute("insert into symphainy.schema_migrations values ('9999_later')")
    store = SupabaseStore(projects.url(), SECRET_KEY, clock)
    for attempt in (store.open, store.migrate):
        with pytest.raises(StoreRefusedError, match="newer than this program"):
            await attempt()
    await store.close()

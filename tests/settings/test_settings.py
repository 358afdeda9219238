import os
from pathlib import Path

import pytest

from symphainy_platform.cli.settings_page import settings_page
from symphainy_platform.errors import SettingsError
from symphainy_platform.settings import Settings
from symphainy_platform.state.postgres.connections import Database
from symphainy_platform.state.postgres.migrate import place_of


@pytest.fixture(autouse=True)
def _clean_folder(tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith("SYMPHAINY_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def _in_force(settings, name):
    return next(line for line in settings.describe() if line.name == name)


def test_the_store_is_in_the_data_folder_unless_one_is_chosen(tmp_path):
    assert Settings().store == f"sqlite:///{tmp_path}/.symphainy/platform.db"
    assert Settings(home=Path("here")).store == f"sqlite:///{tmp_path}/here/platform.db"
    assert Settings(store="sqlite:///other.db").store == "sqlite:///other.db"


def test_arguments_beat_the_environment_which_beats_the_env_file(tmp_path, monkeypatch):
    (tmp_path / ".env").write_text("SYMPHAINY_PORT=1\nSYMPHAINY_HOST=localhost\nSYMPHAINY_ISSUER=file\nOTHER=x\n")
    monkeypatch.setenv("SYMPHAINY_PORT", "2")
    monkeypatch.setenv("SYMPHAINY_HOST", "127.0.0.2")
    settings = Settings(port=3)
    assert (settings.port, settings.host, settings.issuer) == (3, "127.0.0.2", "file")
    sources = {line.name: line.source for line in settings.describe()}
    assert (sources["port"], sources["host"], sources["issuer"], sources["audience"]) == (
        "argument",
        "environment",
        ".env",
        "default",
    )


def test_settings_do_not_change():
    settings = Settings()
    with pytest.raises(ValueError, match="frozen"):
        settings.port = 1


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("SYMPHAINY_STOER", "SYMPHAINY_STORE"),
        ("symphainy_prot", "SYMPHAINY_PORT"),
        ("SYMPHAINY_CORS_ORIGIN", "SYMPHAINY_CORS_ORIGINS"),
        ("SYMPHAINY_QQQQQQQQQQQQ", "`symphainy doctor`"),
    ],
)
def test_an_unknown_variable_is_refused_with_the_nearest_name(monkeypatch, tmp_path, name, nearest):
    monkeypatch.setenv(name, "x")
    with pytest.raises(SettingsError, match=rf"{name} \(in the environment\) is no setting.*{nearest}"):
        Settings()
    monkeypatch.delenv(name)
    (tmp_path / ".env").write_text(f"{name}=x\n")
    with pytest.raises(SettingsError, match=rf"{name} \(in .env\) is no setting.*{nearest}"):
        Settings()


def test_an_unknown_argument_is_refused_with_the_nearest_name():
    with pytest.raises(SettingsError, match=r"'stor' \(argument\) is no setting; did you mean store"):
        Settings(stor="x")


def test_names_of_the_tests_are_not_settings(monkeypatch):
    monkeypatch.setenv("SYMPHAINY_TEST_DATABASE_URL", "postgresql://localhost")
    assert Settings().port == 8000


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("port", "abc", "integer"),
        ("port", "65536", "65535"),
        ("port", "-1", "0"),
        ("dev", "perhaps", "boolean"),
        ("host", "", "at least 1 character"),
        ("store", "", "at least 1 character"),
        ("default_deadline_seconds", "0", "greater than 0"),
        ("default_deadline_seconds", "nan", "3600"),
        ("default_deadline_seconds", "inf", "3600"),
        ("execution_retention_days", "inf", "36500"),
        ("max_body_bytes", "1", "1024"),
        ("log_level", "loud", "'debug', 'info', 'warning' or 'error'"),
        ("home", "", "the path of a folder"),
        ("trusted_proxy", "*", "an address such as"),
        ("trusted_proxy", "proxy.internal", "an address such as"),
        ("trusted_proxy", "10.0.0.1/24", "an address such as"),
        ("cors_origins", "*", "exact origins"),
        ("cors_origins", "https://a.example/path", "exact origins"),
        ("cors_origins", "https://a.example, https://*.example", "exact origins"),
        ("public_origins", "a.example", "exact origins"),
        ("public_origins", "https://a.example/", "exact origins"),
        ("public_origins", "https://A.example", "exact origins"),
        ("public_origins", "https://a.example:443", "exact origins"),
        ("cors_origins", "http://a.example:80", "exact origins"),
        ("cors_origins", "https://a.example:0443", "exact origins"),
        ("cors_origins", "https://user@a.example", "exact origins"),
        ("password_memory_kib", "19455", "19456"),
        ("authenticate_limit_per_account", "0", "1"),
        ("authenticate_limit_per_address", "0", "1"),
        ("refresh_limit_per_session", "0", "1"),
        ("session_retention_days", "0", "0"),
        ("session_cookie", "perhaps", "boolean"),
        ("jwks", "perhaps", "boolean"),
        ("supabase_auth_url", "", "an https URL"),
        ("supabase_auth_url", "x.supabase.co/auth/v1", "an https URL"),
        ("supabase_auth_url", "http://x.supabase.co/auth/v1", "an https URL"),
        ("supabase_auth_url", "https://x.supabase.co/auth/v1/", "an https URL"),
        ("supabase_auth_url", "https://x.supabase.co/auth/v1?a=b", "an https URL"),
        ("supabase_auth_url", "https://ann@x.supabase.co/auth/v1", "an https URL"),
        ("supabase_auth_url", "https://x.supabase.co:port/auth/v1", "an https URL"),
        ("supabase_auth_url", "https:///auth/v1", "an https URL"),
        ("supabase_auth_url", "file:///etc/passwd", "an https URL"),
    ],
)
def test_a_bad_value_names_the_setting_its_source_and_what_was_expected(monkeypatch, name, given, expected):
    monkeypatch.setenv(f"SYMPHAINY_{name.upper()}", given)
    with pytest.raises(SettingsError) as refused:
        Settings()
    sentence = str(refused.value)
    assert sentence.startswith(f"SYMPHAINY_{name.upper()} (from environment) should be")
    assert expected in sentence
    assert sentence.endswith(f"given: {given}")


NO_MASTER_KEYS = {
    "empty": "",
    "too short": "B" * 42,
    "too long": "B" * 44,
    "35 bytes": "B" * 46 + "A",
    "31 bytes, padded": "B" * 41 + "A==",
    "loose last character": "A" * 42 + "B",
    "another alphabet": "+" * 43,
    "hexadecimal": "ab" * 32,
    "with a line end": "A" * 43 + "\n",
    "not ASCII": "Å" * 43,
}


@pytest.mark.parametrize("given", NO_MASTER_KEYS.values(), ids=NO_MASTER_KEYS)
def test_what_is_no_master_key_is_refused_and_never_shown(monkeypatch, given):
    monkeypatch.setenv("SYMPHAINY_MASTER_KEY", given)
    with pytest.raises(SettingsError) as refused:
        Settings()
    sentence = str(refused.value)
    assert sentence.startswith("SYMPHAINY_MASTER_KEY (from environment) should be base64url of 32 bytes")
    assert sentence.endswith("given: ****")


def test_a_master_key_is_masked_and_its_absence_is_not(monkeypatch):
    assert _in_force(Settings(), "master_key").value == "None"
    monkeypatch.setenv("SYMPHAINY_MASTER_KEY", "A" * 43)
    line = _in_force(Settings(), "master_key")
    assert (line.value, line.source) == ("****", "environment")
    assert Settings().master_key.get_secret_value() == "A" * 43


@pytest.mark.parametrize(
    "given", ["https://x.supabase.co/auth/v1", "http://127.0.0.1:54321/auth/v1", "http://localhost:1/auth/v1"]
)
def test_an_issuer_is_https_or_this_machine(given):
    assert Settings(supabase_auth_url=given).supabase_auth_url == given


def test_public_origins_are_separated_and_shown_by_commas(monkeypatch):
    monkeypatch.setenv("SYMPHAINY_PUBLIC_ORIGINS", "https://a.example,https://b.example")
    assert Settings().public_origins == ("https://a.example", "https://b.example")
    assert _in_force(Settings(), "public_origins").value == "https://a.example, https://b.example"


@pytest.mark.parametrize("given", ["10.0.0.7", "10.0.0.0/24", "::1"])
def test_a_proxy_is_an_address_or_a_network(given):
    assert Settings(trusted_proxy=given).trusted_proxy == given


def test_an_env_file_that_is_not_text_is_refused(tmp_path):
    (tmp_path / ".env").write_bytes(b"SYMPHAINY_ISSUER=\xff\n")
    with pytest.raises(SettingsError, match=r"^\.env cannot be read: it is not UTF-8$"):
        Settings()


def test_the_url_of_the_default_store_means_the_data_folder(tmp_path):
    assert Settings(home=tmp_path / "a%20b").store == f"sqlite:///{tmp_path}/a%2520b/platform.db"


def test_a_bad_argument_is_called_by_its_own_name():
    with pytest.raises(SettingsError, match=r"^port \(from argument\) should be .* given: 70000$"):
        Settings(port=70000)
    with pytest.raises(SettingsError, match=r"^home \(from argument\) should be a path"):
        Settings(home=3)


def test_origins_are_separated_by_commas(monkeypatch):
    monkeypatch.setenv("SYMPHAINY_CORS_ORIGINS", "https://a.example:80, http://localhost:3000,http://[::1]:5173")
    assert Settings().cors_origins == ("https://a.example:80", "http://localhost:3000", "http://[::1]:5173")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://ann:hunter2@db:5432/x?sslmode=require", "postgresql://ann:****@db:5432/x"),
        ("postgresql://db/x?password=hunter2", "****"),
        ("postgresql://ann:hunter2@[db", "****"),
        ("sqlite:////data/platform.db", "sqlite:////data/platform.db"),
        ("sqlite:////data/a@b/c:d.db", "sqlite:////data/a@b/c:d.db"),
        ("postgresql://ann:hunter2@db:1,[::1]:2/x", "postgresql://ann:****@db:1,[::1]:2/x"),
        ("postgresql://ann:p%2Fw@db/x", "postgresql://ann:****@db/x"),
        ("postgresql://ann@db/x?password=hunter2", "postgresql://ann@db/x"),
        ("postgresql://db:5432/x", "postgresql://db:5432/x"),
        ("postgresql:///x", "postgresql:///x"),
        ("supabase", "supabase"),
    ],
)
def test_a_password_in_the_store_url_is_masked(url, shown):
    assert _in_force(Settings(store=url), "store").value == shown


@pytest.mark.parametrize(
    "password", [f"{before}{odd}lig" for odd in "/#?@:%[] \n,&=\\'\"" for before in ("hem", "", "12")]
)
@pytest.mark.parametrize(
    "url", ["postgresql://ann:{}@db:5/x", "postgresql://ann:{}@[::1]/x?a=b", "postgresql:/ann:{}@db/x"]
)
def test_no_part_of_a_password_that_is_not_encoded_is_shown(monkeypatch, url, password):
    given = url.format(password)
    monkeypatch.setenv("SUPABASE_URL", given)
    settings = Settings(store=given, migration_url=given)
    shown = [_in_force(settings, name).value for name in ("store", "migration_url", "supabase_url")]
    shown.append(place_of(Database(given)))
    assert [text for text in shown if "lig" in text or "hem" in text or "12" in text] == []


def test_every_setting_is_described():
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_the_page_of_settings_is_current():
    page = Path(__file__).parents[2] / "docs" / "settings.md"
    assert page.read_text("utf-8") == settings_page(), (
        "run: python -m symphainy_platform.cli.settings_page > docs/settings.md"
    )

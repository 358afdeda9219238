import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from symphainy_platform.errors import SettingsError, StartError
from symphainy_platform.identity.keyring import KeyRing
from symphainy_platform.identity.master_key import (
    master_key,
    master_key_file,
    new_master_key,
    refuse_serving_without_master_key,
)
from symphainy_platform.settings import Settings

KEY = "A" * 43


def of(settings, *, in_data_folder=True, may_make=True):
    return master_key(settings, in_data_folder=in_data_folder, may_make=may_make)


def test_the_setting_is_the_key_and_no_file_is_made(tmp_path):
    settings = Settings(home=tmp_path / "home", master_key=KEY)
    assert of(settings).secret == bytes(32)
    assert not (tmp_path / "home").exists()


def test_both_spellings_of_a_setting_are_one_key(tmp_path):
    assert of(Settings(home=tmp_path, master_key=KEY)) == of(Settings(home=tmp_path, master_key=f"{KEY}="))


def test_a_generated_key_is_a_key(tmp_path):
    made = new_master_key()
    assert len(of(Settings(home=tmp_path, master_key=made)).secret) == 32
    assert made != new_master_key()


def test_the_file_of_the_data_folder_is_made_once_for_its_owner_only(tmp_path):
    settings = Settings(home=tmp_path / "home")
    assert of(settings) == of(settings)
    path = master_key_file(settings.home)
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert [each.name for each in path.parent.iterdir()] == ["master.key"]


def test_racing_makers_share_one_key(tmp_path):
    settings = Settings(home=tmp_path)
    with ThreadPoolExecutor(8) as pool:
        assert len({key.kid for key in pool.map(lambda _: of(settings), range(8))}) == 1


def test_the_setting_beats_the_file(tmp_path):
    in_file = of(Settings(home=tmp_path))
    assert of(Settings(home=tmp_path, master_key=KEY)) != in_file


@pytest.mark.parametrize("content", [b"", b"garbage", b"A" * 42, b"A" * 100, b"\xff" * 43])
def test_a_file_that_holds_no_key_is_refused_and_kept(tmp_path, content):
    settings = Settings(home=tmp_path)
    of(settings)
    master_key_file(tmp_path).write_bytes(content)
    with pytest.raises(StartError, match="holds no master key") as refused:
        of(settings)
    assert content == b"" or content.decode(errors="replace") not in str(refused.value)
    assert master_key_file(tmp_path).read_bytes() == content


def test_a_file_with_a_line_end_is_the_same_key(tmp_path):
    settings = Settings(home=tmp_path)
    key = of(settings)
    path = master_key_file(tmp_path)
    path.write_bytes(path.read_bytes() + b"\n")
    assert of(settings) == key


def test_a_file_that_others_may_read_is_refused(tmp_path):
    of(Settings(home=tmp_path))
    os.chmod(master_key_file(tmp_path), 0o644)  # noqa: PTH101
    with pytest.raises(StartError, match="others may read the master key"):
        of(Settings(home=tmp_path))


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path):
    (tmp_path / "home").write_text("a file")
    with pytest.raises(StartError, match=r"the master key .* cannot be used"):
        of(Settings(home=tmp_path / "home"))


def test_a_lost_file_is_not_made_anew(tmp_path):
    with pytest.raises(SettingsError, match="master key that is missing"):
        of(Settings(home=tmp_path), may_make=False)


def test_a_shared_store_needs_the_setting(tmp_path):
    with pytest.raises(SettingsError, match="set SYMPHAINY_MASTER_KEY"):
        of(Settings(home=tmp_path), in_data_folder=False)
    assert of(Settings(home=tmp_path, master_key=KEY), in_data_folder=False)


async def test_a_ring_on_a_shared_store_needs_the_setting(open_store, home, clock):
    store = await open_store()
    store.name = "postgres"
    with pytest.raises(SettingsError, match="this store is shared"):
        await KeyRing(store, Settings(home=home), clock).current()
    assert await KeyRing(store, Settings(home=home, master_key=KEY), clock).current()


def test_a_server_needs_the_setting_unless_it_is_for_development(tmp_path):
    with pytest.raises(SettingsError, match="serving needs SYMPHAINY_MASTER_KEY"):
        refuse_serving_without_master_key(Settings(home=tmp_path))
    refuse_serving_without_master_key(Settings(home=tmp_path, dev=True))
    refuse_serving_without_master_key(Settings(home=tmp_path, master_key=KEY))


def test_no_repr_and_no_dump_shows_the_key(tmp_path):
    settings = Settings(home=tmp_path, master_key="B" * 42 + "A")
    shown = [repr(settings), str(settings), str(settings.describe()), str(settings.model_dump()), repr(of(settings))]
    assert not any("B" * 42 in text for text in shown)

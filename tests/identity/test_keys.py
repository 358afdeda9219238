import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

from symphainy_platform.context import Identity, SystemClock
from symphainy_platform.errors import StartError, Unauthenticated
from symphainy_platform.identity.keys import signing_key
from symphainy_platform.identity.source import CommandLineTokens, tokens_of
from symphainy_platform.settings import Settings

ANN = Identity(tenant_id="t1", user_id="ann", external=True)


def test_the_key_is_made_once_for_its_owner_only(tmp_path):
    home = tmp_path / "home"
    assert signing_key(home).kid == signing_key(home).kid
    (key,) = (home / "keys").iterdir()
    assert (key.stat().st_mode & 0o777, (home / "keys").stat().st_mode & 0o777) == (0o600, 0o700)


def test_racing_makers_share_one_key(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        kids = set(pool.map(lambda _: signing_key(tmp_path).kid, range(8)))
    assert len(kids) == 1
    assert len(list((tmp_path / "keys").iterdir())) == 1


def test_a_key_that_others_may_read_is_refused(tmp_path):
    signing_key(tmp_path)
    os.chmod(tmp_path / "keys" / "cli-ed25519.pem", 0o640)  # noqa: PTH101
    with pytest.raises(StartError, match="others may read"):
        signing_key(tmp_path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "holds no usable signing key"),
        (b"garbage", "holds no usable signing key"),
        (
            ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
            "another kind",
        ),
        (
            Ed25519PrivateKey.generate().private_bytes(
                Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")
            ),
            "holds no usable signing key",
        ),
    ],
    ids=["empty", "garbage", "another kind", "under a passphrase"],
)
def test_a_file_that_is_no_key_is_refused_and_kept(tmp_path, content, reason):
    signing_key(tmp_path)
    path = tmp_path / "keys" / "cli-ed25519.pem"
    path.write_bytes(content)
    with pytest.raises(StartError, match=reason):
        signing_key(tmp_path)
    assert path.read_bytes() == content


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path):
    (tmp_path / "home").write_text("a file")
    with pytest.raises(StartError, match="cannot be used"):
        signing_key(tmp_path / "home")


async def test_the_source_proves_its_own_tokens_and_leaves_others(tmp_path):
    settings, clock = Settings(home=tmp_path), SystemClock()
    token = tokens_of(settings).mint(ANN, ttl_seconds=60, clock=clock)
    assert await CommandLineTokens(settings, clock).identify(token) == ANN
    assert await CommandLineTokens(settings, clock).identify("e30.e30.e30") is None
    with pytest.raises(Unauthenticated):
        await CommandLineTokens(settings, clock).identify(token[:-4] + "AAAA")


async def test_a_token_of_another_data_folder_proves_nothing(tmp_path):
    here, there = Settings(home=tmp_path / "here"), Settings(home=tmp_path / "there")
    token = tokens_of(there).mint(ANN, ttl_seconds=60, clock=SystemClock())
    with pytest.raises(Unauthenticated):
        await CommandLineTokens(here, SystemClock()).identify(token)

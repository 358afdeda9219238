"""Which passwords are accepted, and how their hashes are made."""

import asyncio
import multiprocessing
import threading
import unicodedata

import pytest
from argon2 import extract_parameters
from argon2.low_level import Type

from symphainy_platform import IntentError
from symphainy_platform.realms.security import passwords
from symphainy_platform.realms.security.passwords import check_strength, hash_of_nobody, hashed, is_password_of

MEMORY = 19456
EMAIL = "ann@example.com"

WEAK = {
    "too short": "9 bytes..",
    "empty": "",
    "too long": "x" * 1025,
    "too long in bytes": "ü" * 513,
    "one of the commonest": "Password123",
    "the e-mail": "ANN@example.com",
}
STRONG = {
    "as short as allowed": "10 bytes..",
    "short in characters": "üüüüü",
    "as long as allowed": "ü" * 512,
    "spaces are kept": "  a b c d e  ",
    "other scripts": "пароль-из-слов",
}


@pytest.mark.parametrize("password", WEAK.values(), ids=WEAK)
def test_weak_passwords(password):
    with pytest.raises(IntentError) as refused:
        check_strength(password, EMAIL)
    assert refused.value.code == "WEAK_PASSWORD"
    assert not password or password not in str(refused.value.details)


@pytest.mark.parametrize("password", STRONG.values(), ids=STRONG)
def test_strong_passwords(password):
    check_strength(password, EMAIL)


async def test_a_hash_is_argon2id_of_the_profile_and_verifies_only_its_password():
    encoded = await hashed("correct horse battery", MEMORY)
    profile = extract_parameters(encoded)
    assert (profile.type, profile.time_cost, profile.memory_cost, profile.parallelism) == (Type.ID, 3, MEMORY, 4)
    assert await is_password_of(encoded, "correct horse battery")
    assert not await is_password_of(encoded, "correct horse batterz")


async def test_equal_passwords_have_different_hashes():
    assert await hashed("correct horse battery", MEMORY) != await hashed("correct horse battery", MEMORY)


async def test_a_password_is_the_same_from_every_keyboard():
    encoded = await hashed(unicodedata.normalize("NFD", "größere Schlüssel"), MEMORY)
    assert await is_password_of(encoded, unicodedata.normalize("NFC", "größere Schlüssel"))


class Keys:
    async def keyed(self, *parts):
        return repr(parts).encode().ljust(32, b".")[-32:]


async def test_the_hash_of_nobody_costs_the_same_and_has_no_password():
    nobody, somebody = await hash_of_nobody(Keys(), MEMORY), await hashed("correct horse battery", MEMORY)
    assert extract_parameters(nobody) == extract_parameters(somebody)
    assert len(nobody) == len(somebody)
    assert not await is_password_of(nobody, "correct horse battery")


async def test_hashing_is_off_the_event_loop_and_no_wider_than_the_cores(monkeypatch):
    running, most, lock = 0, 0, threading.Lock()
    gate = threading.Barrier(passwords._HASHING._max_workers)

    def verify(*_):
        nonlocal running, most
        with lock:
            running, most = running + 1, max(most, running + 1)
        gate.wait(10)
        with lock:
            running -= 1
        return threading.current_thread().name.startswith("argon2")

    monkeypatch.setattr(passwords, "_verified", verify)
    workers = passwords._HASHING._max_workers
    verdicts = await asyncio.gather(*(is_password_of("", "") for _ in range(3 * workers)))
    assert verdicts == [True] * 3 * workers
    assert most == workers == multiprocessing.cpu_count()

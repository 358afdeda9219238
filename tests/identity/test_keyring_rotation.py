import asyncio
import sys
from pathlib import Path

import pytest

from symphainy_platform.errors import DatabaseUnavailable, SettingsError, StartError
from symphainy_platform.identity.claims import NotAToken
from symphainy_platform.identity.keyring import KeyRing
from symphainy_platform.settings import Settings
from symphainy_platform.testing.faulty_store import FaultyStore

CHILD = Path(__file__).with_name("key_maker.py")
TYP = "sess+jwt"
SHAPE = {"gen": int}
HOUR, DAY = 3600, 86_400
LIFE = 7 * DAY + HOUR
REMINT = 60
UNAWARE = 1  # another process may sign with a rotated key for as long as it does not know


async def token_by(ring, kid, gen=1):
    return await ring.sign(TYP, {"gen": gen}, kid=kid)


async def proves(ring, token):
    try:
        return (await ring.verify(token, TYP, SHAPE))["gen"] == 1
    except NotAToken:
        return False


async def signs(ring, kid):
    try:
        return bool(await token_by(ring, kid))
    except LookupError:
        return False


async def kids(ring):
    return [key.kid for key in await ring.list()]


async def test_a_new_ring_touches_nothing(open_store, home, clock):
    store = await open_store()
    KeyRing(store, Settings(home=home), clock)
    assert store.asked == 0
    assert not (home / "keys").exists()


async def test_the_first_use_makes_the_key_and_later_ones_keep_it(ring, open_ring):
    kid = await ring.current()
    assert await ring.current() == kid == await (await open_ring()).current()
    assert await kids(ring) == [kid]


async def test_a_rotated_key_is_not_current_at_once(ring):
    old = await ring.current()
    new = await ring.rotate()
    assert new != old
    assert await ring.current() == new
    first, second = await ring.list()
    assert (first.kid, first.rotated_at, second.kid, second.rotated_at) == (old, second.created_at, new, None)


async def test_a_purpose_that_is_none_has_no_key(ring):
    with pytest.raises(ValueError, match="is no purpose of keys"):
        await ring.current("backups")
    assert await kids(ring) == []


async def test_rotating_before_any_use_makes_one_key(ring):
    assert [await ring.rotate()] == await kids(ring)


async def test_a_rotated_key_makes_the_same_bytes_for_a_minute_and_then_none(ring, clock):
    old = await ring.current()
    token = await token_by(ring, old)
    await ring.rotate()
    for wait in (0, 30, 30):
        clock.advance(wait)
        assert await token_by(ring, old) == token
    clock.advance(UNAWARE)
    with pytest.raises(LookupError):
        await token_by(ring, old)


async def test_tokens_of_a_rotated_key_hold_until_the_last_one_has_ended(ring, clock):
    old = await ring.current()
    token = await token_by(ring, old)
    await ring.rotate()
    clock.advance(LIFE + UNAWARE - 0.001)
    assert await proves(ring, token)
    clock.advance(0.001)
    assert not await proves(ring, token)  # although it is remembered
    assert [key["kid"] for key in await ring.public_keys()] == [await ring.current()]


@pytest.mark.parametrize("times", [1, 3])
async def test_each_rotation_has_its_own_timeline(ring, clock, times):
    tokens = []
    for _ in range(times):
        tokens.append(await token_by(ring, await ring.current()))
        await ring.rotate()
        clock.advance(DAY)
    clock.advance(LIFE - times * DAY + UNAWARE)
    assert [await proves(ring, token) for token in tokens] == [False] + [True] * (times - 1)


async def test_a_spent_key_is_destroyed_and_no_other(ring, clock):
    old, naming = await ring.current(), await ring.keyed("x", "y")
    sealed = await ring.seal(b"plain", place=("t", "table", "row", "column"))
    await ring.rotate()
    assert await ring.prune() == 0
    clock.advance(LIFE + UNAWARE - 0.001)
    assert await ring.prune() == 0
    clock.advance(0.001)
    assert await ring.prune() == 1
    assert await ring.prune() == 0
    assert old not in await kids(ring)
    assert await ring.keyed("x", "y") == naming
    assert await ring.unseal(sealed, place=("t", "table", "row", "column")) == b"plain"


async def test_the_current_key_is_never_destroyed(ring, clock):
    kid = await ring.current()
    clock.advance(1000 * DAY)
    assert await ring.prune() == 0
    assert await signs(ring, kid)


async def test_destroying_leaves_nothing_of_the_key_in_the_file(ring, clock, home):
    await ring.current()
    sealed = (await ring._store.keys())[0].sealed
    await ring.rotate()
    assert sealed in b"".join(path.read_bytes() for path in home.glob("platform.db*"))
    clock.advance(LIFE + UNAWARE)
    await ring.prune()
    await ring._store._writer.run(lambda connection: connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone())
    assert sealed not in b"".join(path.read_bytes() for path in home.glob("platform.db*"))


async def test_another_process_learns_of_a_rotation_within_a_second(ring, open_ring, clock):
    other = await open_ring()
    old = await other.current()
    new = await ring.rotate()
    clock.advance(0.999)
    assert await other.current() == old
    clock.advance(0.001)
    assert await other.current() == new


async def test_a_token_by_a_new_key_of_another_process_holds_at_once(ring, open_ring):
    other = await open_ring()
    await other.current()
    new = await ring.rotate()
    assert await proves(other, await token_by(ring, new))
    assert await signs(other, new)


async def test_tokens_by_a_new_key_that_come_at_once_all_hold(ring, open_ring):
    other = await open_ring()
    await other.current()
    new = await ring.rotate()
    tokens = [await token_by(ring, new) for _ in range(10)]
    assert all(await asyncio.gather(*(proves(other, token) for token in tokens)))


async def test_what_another_process_signed_unaware_is_made_again_for_the_whole_minute(ring, open_ring, clock):
    unaware = await open_ring()
    old = await unaware.current()
    await ring.rotate()
    clock.advance(0.999)
    token = await token_by(unaware, await unaware.current())
    clock.advance(REMINT)
    assert await token_by(ring, old) == token


async def test_unknown_keys_cost_one_look_a_second(open_store, open_ring, home, clock):
    store, elsewhere = await open_store(), await open_ring(issuer="symphainy")
    ring = KeyRing(store, Settings(home=home), clock)
    kid = await ring.current()
    token = await token_by(elsewhere, kid)
    forged = [token.replace(token.partition(".")[0], _header(f"{number:016}")) for number in range(20)]
    for _second in range(3):
        before = store.asked
        assert not any([await proves(ring, each) for each in forged])
        assert store.asked - before <= 2  # what is a second old is asked for again, and once for the unknown
        clock.advance(1)


async def test_unknown_keys_that_come_at_once_cost_one_look(open_store, home, clock):
    store = await open_store()
    ring = KeyRing(store, Settings(home=home), clock)
    token = await token_by(ring, await ring.current())
    forged = [token.replace(token.partition(".")[0], _header(f"{number:016}")) for number in range(20)]
    before = store.asked
    assert not any(await asyncio.gather(*(proves(ring, each) for each in forged)))
    assert store.asked == before + 1


def _header(kid):
    import base64  # noqa: PLC0415
    import json  # noqa: PLC0415

    header = json.dumps({"alg": "EdDSA", "kid": kid, "typ": TYP}).encode()
    return base64.urlsafe_b64encode(header).rstrip(b"=").decode()


async def test_many_at_once_ask_once(open_store, home, clock):
    store = await open_store()
    ring = KeyRing(store, Settings(home=home), clock)
    await ring.current()
    clock.advance(1)
    before = store.asked
    assert len(set(await asyncio.gather(*(ring.current() for _ in range(50))))) == 1
    assert store.asked == before + 1


async def test_a_clock_that_goes_back_does_not_make_knowledge_young(ring, open_ring, clock):
    other = await open_ring()
    await other.current()
    clock.advance(-100)
    new = await ring.rotate()
    assert await other.current() == new
    assert await signs(other, new)


async def test_rings_that_make_the_first_key_at_once_agree(open_ring):
    rings = [await open_ring() for _ in range(4)]
    names = await asyncio.gather(*(ring.keyed("x", "y") for ring in rings))
    assert len(set(names)) == 1
    assert len(set(await asyncio.gather(*(ring.current() for ring in rings)))) == 1
    assert len(await kids(rings[0])) == 2


async def test_rings_that_rotate_at_once_leave_one_current_key(open_ring):
    rings = [await open_ring() for _ in range(4)]
    first = await rings[0].current()
    made = await asyncio.gather(*(ring.rotate() for ring in rings))
    current = [key.kid for key in await rings[0].list() if key.rotated_at is None]
    assert len(current) == 1
    assert first not in made
    assert current[0] in made


async def test_processes_that_make_the_first_key_at_once_agree(home, open_ring):
    home.mkdir(mode=0o700)
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, str(CHILD), str(home), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        for _ in range(3)
    ]
    for process in processes:
        assert await process.stdout.readline() == b"ready\n"
    for process in processes:
        process.stdin.write(b"go\n")
    said = [(await process.communicate())[0] for process in processes]
    assert len(set(said)) == 1
    ring = await open_ring()
    assert said[0].split()[0].decode() == await ring.current()
    assert len(await kids(ring)) == 2


async def test_a_store_that_is_away_is_said(open_store, home, clock):
    store = FaultyStore(await open_store())
    ring = KeyRing(store, Settings(home=home), clock)
    await ring.current()
    clock.advance(1)
    await store.close()
    with pytest.raises(DatabaseUnavailable):
        await ring.current()


async def test_a_wrong_master_key_signs_proves_and_makes_nothing(ring, open_ring):
    kid = await ring.current()
    token = await token_by(ring, kid)
    other = await open_ring(master_key="A" * 43)
    uses = [
        other.check,
        other.current,
        other.rotate,
        lambda: other.sign(TYP, {"gen": 1}, kid=kid),
        lambda: other.verify(token, TYP, SHAPE),
        lambda: other.keyed("x"),
        lambda: other.seal(b"", place=("t",)),
    ]
    for use in uses:
        with pytest.raises(StartError, match="SYMPHAINY_MASTER_KEY is not the key that sealed") as refused:
            await use()
        assert "A" * 43 not in str(refused.value)
    assert await kids(other) == [kid]


async def test_a_lost_master_key_is_not_made_anew(ring, open_ring, home):
    await ring.current()
    (home / "keys" / "master.key").unlink()
    other = await open_ring()
    with pytest.raises(SettingsError, match="missing: set SYMPHAINY_MASTER_KEY, or restore"):
        await other.current()
    assert not (home / "keys" / "master.key").exists()


async def test_checking_makes_nothing(ring, home):
    await ring.check()
    assert await kids(ring) == []
    assert not (home / "keys").exists()

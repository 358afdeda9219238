"""Accounts: made once per address, given roles and status; asked what they may do."""

import asyncio
import base64
import sqlite3
from contextlib import closing

import pytest
from account_platform import (
    EMAIL,
    OTHER_SERVICE,
    PASSWORD,
    SERVICE,
    opened,
    owner_of,
)

from symphainy_platform import Identity, IntentError
from symphainy_platform.state.store import ArtifactById, load_one


@pytest.fixture
async def accounts(tmp_path):
    async with opened(tmp_path) as found:
        yield found


async def refusal(call):
    with pytest.raises(IntentError) as refused:
        await call
    return refused.value


async def stored(accounts, artifact_id):
    return await load_one(accounts.platform.store, ArtifactById("acme", artifact_id))


async def rows_of(accounts):
    await accounts.platform.drain()
    with closing(sqlite3.connect(accounts.platform.settings.store.removeprefix("sqlite:///"))) as connection:
        rows = "SELECT user_id, email, name, roles, status, epoch, version FROM user_accounts"
        return connection.execute(rows).fetchall()


async def test_an_account_shows_nothing_of_its_password(accounts):
    made = await accounts.create(name="Ann", roles=["editor", "author", "editor"])
    assert made["user_id"].startswith("usr_")
    assert (made["status"], made["roles"], made["version"]) == ("ACTIVE", ["author", "editor"], 1)
    assert not {"password", "sealed_hash", "epoch"} & made.keys()


async def test_everything_of_an_account_belongs_to_its_user(accounts):
    made = await accounts.create()
    read, ann = accounts.platform.read, owner_of(made)
    items = (await read.artifacts(identity=ann))["artifacts"]
    shown = {
        item["artifact_type"]: (await read.artifact(item["artifact_id"], identity=ann))["semantic_payload"]
        for item in items
    }
    assert set(shown) == {"user_account", "credential", "user_email"}
    assert shown["credential"] == shown["user_email"] == {"user_id": made["user_id"]}


async def test_the_hash_at_rest_is_sealed_for_its_place(accounts):
    made = await accounts.create()
    credential = await stored(accounts, "crd_" + made["user_id"].removeprefix("usr_"))
    assert b"argon2" not in base64.b64decode(credential.semantic_payload["sealed_hash"])
    assert set(credential.semantic_payload) == {"sealed_hash", "changed_at"}


async def test_twenty_at_once_make_one_account(accounts):
    calls = (accounts.create(EMAIL.upper() if n % 2 else EMAIL) for n in range(20))
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    codes = [outcome.code for outcome in outcomes if isinstance(outcome, IntentError)]
    assert codes == ["EMAIL_TAKEN"] * 19
    assert len(await accounts.events("user_account_created")) == 1


async def test_the_other_process_finds_the_address_taken(tmp_path, accounts):
    async with opened(tmp_path) as other:
        outcomes = await asyncio.gather(accounts.create(), other.create(), return_exceptions=True)
        assert sorted(getattr(outcome, "code", "made") for outcome in outcomes) == ["EMAIL_TAKEN", "made"]
        assert (await other.authenticate())["authenticated"]


async def test_the_event_of_a_new_account_is_its_users_and_names_no_address(accounts):
    made = await accounts.create(roles=["editor"])
    (event,) = await accounts.events("user_account_created")
    assert (event.user_id, event.payload) == (made["user_id"], {"user_id": made["user_id"], "roles": ["editor"]})


REFUSED = {
    "role service": {"roles": ["service"]},
    "name of spaces": {"name": "  "},
    "name of two lines": {"name": "Ann\nadmin"},
    "trailing space": {"email": "ann@example.com "},
    "inner space": {"email": "an n@example.com"},
    "escape": {"email": "ann\x1b@example.com"},
    "right to left": {"email": "ann\u202e@example.com"},
    "byte order mark": {"email": "\ufeffann@example.com"},
    "two addresses": {"email": "ann@example.com,bob@example.com @x.y"},
    "too long": {"email": f"{'a' * 60}@{'b' * 60}.{'c' * 60}.{'d' * 80}"},
}


@pytest.mark.parametrize("parameters", REFUSED.values(), ids=REFUSED)
async def test_what_no_account_is_made_with(accounts, parameters):
    error = await refusal(accounts.create(**{"email": EMAIL, **parameters}))
    assert (error.code, error.details["parameter"]) == ("INVALID_PARAMETER_VALUE", next(iter(parameters)))
    assert await accounts.events() == []


async def test_a_weak_password_makes_no_account(accounts):
    for password in ("short", "Password123", EMAIL, "x" * 1025):
        assert (await refusal(accounts.create(password=password))).code == "WEAK_PASSWORD"
    assert (await accounts.create())["status"] == "ACTIVE"


async def test_only_services_make_accounts(accounts):
    made = await accounts.create()
    assert (await refusal(accounts.create("bob@example.com", by=owner_of(made)))).code == "PERMISSION_DENIED"
    assert (await refusal(accounts.create("bob@example.com", by=None))).code == "UNAUTHENTICATED"


async def test_roles_are_replaced_and_equal_ones_write_nothing(accounts):
    made = await accounts.create(roles=["editor"])
    changed = await accounts.answer("set_user_roles", SERVICE, user_id=made["user_id"], roles=["author", "editor"])
    again = await accounts.answer("set_user_roles", SERVICE, user_id=made["user_id"], roles=["editor", "author"])
    assert (changed["roles"], changed["version"]) == (["author", "editor"], 2)
    assert again == changed
    assert len(await accounts.events("user_account_updated")) == 1


async def test_accounts_of_another_tenant_are_unknown(accounts):
    made = await accounts.create()
    for parameters in ({"roles": []}, {"status": "DISABLED"}):
        intent = f"set_user_{next(iter(parameters))}"
        error = await refusal(accounts.submit(intent, OTHER_SERVICE, user_id=made["user_id"], **parameters))
        nobody = await refusal(accounts.submit(intent, SERVICE, user_id="usr_nobody", **parameters))
        assert (error.code, error.message) == (nobody.code, nobody.message) == ("USER_NOT_FOUND", error.message)


async def test_another_artifact_is_no_account(accounts):
    made = await accounts.create()
    credential = "crd_" + made["user_id"].removeprefix("usr_")
    call = accounts.submit("set_user_status", SERVICE, user_id=credential, status="DISABLED")
    assert (await refusal(call)).code == "USER_NOT_FOUND"


async def test_a_disabled_account_may_come_back(accounts):
    made = await accounts.create()
    set_to = [
        (await accounts.answer("set_user_status", SERVICE, user_id=made["user_id"], status=status))["version"]
        for status in ("DISABLED", "DISABLED", "ACTIVE")
    ]
    assert set_to == [2, 2, 3]
    assert (await stored(accounts, made["user_id"])).semantic_payload["epoch"] == 2
    assert (await accounts.authenticate())["authenticated"]


async def test_the_row_follows_the_account(accounts):
    made = await accounts.create(name="Ann", roles=["editor"])
    await accounts.submit("set_user_status", SERVICE, user_id=made["user_id"], status="DISABLED")
    assert await rows_of(accounts) == [(made["user_id"], EMAIL, "Ann", '["editor"]', "DISABLED", 2, 2)]


async def test_a_token_tells_what_its_user_may_do_and_is_not_used_up(accounts):
    made = await accounts.create(roles=["editor"])
    proof = await accounts.proof()
    for _ in range(2):
        told = await accounts.answer("validate_authorization", authentication_token=proof, required_roles=["editor"])
        assert told == {"authorized": True, "user_id": made["user_id"], "roles": ["editor"], "permissions": []}


async def test_a_token_that_has_opened_its_session_tells_nothing_more(accounts):
    await accounts.create(roles=["editor"])
    proof = await accounts.proof()
    await accounts.answer("create_session", authentication_token=proof)
    error = await refusal(accounts.submit("validate_authorization", authentication_token=proof))
    assert error.code == "INVALID_AUTHENTICATION_TOKEN"


async def test_an_identity_may_ask_for_itself(accounts):
    told = await accounts.answer("validate_authorization", SERVICE, required_permissions=["tenant.read"])
    assert (told["authorized"], told["permissions"]) == (True, ["tenant.read"])
    told = await accounts.answer(
        "validate_authorization", SERVICE, required_permissions=["tenant.read", "tenant.write"]
    )
    assert told["authorized"] is False


async def test_every_role_and_every_permission_that_is_needed_counts(accounts):
    needed = [{"required_roles": ["service", "editor"]}, {"required_permissions": ["tenant.read", "tenant.write"]}]
    told = [await accounts.answer("validate_authorization", SERVICE, **each) for each in needed]
    assert [each["authorized"] for each in told] == [False, False]
    assert [event.type for event in await accounts.events()] == ["authorization_failed"] * 2


async def test_an_identity_that_is_only_introduced_may_not_ask(accounts):
    external = Identity("acme", "supabase:1", external=True)
    assert (await refusal(accounts.submit("validate_authorization", external))).code == "UNAUTHENTICATED"
    assert (await refusal(accounts.submit("validate_authorization"))).code == "UNAUTHENTICATED"


async def test_tokens_end_after_a_minute_and_with_their_account(accounts):
    made = await accounts.create()
    old = await accounts.proof()
    accounts.clock.advance(60)
    young = await accounts.proof()
    await accounts.submit("set_user_status", SERVICE, user_id=made["user_id"], status="DISABLED")
    for proof in (old, young, young + "A", "Bearer x"):
        error = await refusal(accounts.submit("validate_authorization", authentication_token=proof))
        assert (error.code, error.http_status) == ("INVALID_AUTHENTICATION_TOKEN", 401)


async def test_a_token_of_before_does_not_come_back_with_its_account(accounts):
    made = await accounts.create()
    proof = await accounts.proof()
    for status in ("DISABLED", "ACTIVE"):
        await accounts.submit("set_user_status", SERVICE, user_id=made["user_id"], status=status)
    error = await refusal(accounts.submit("validate_authorization", authentication_token=proof))
    assert error.code == "INVALID_AUTHENTICATION_TOKEN"


async def test_a_disabled_user_with_the_right_password_is_a_stranger(accounts):
    made = await accounts.create()
    await accounts.submit("set_user_status", SERVICE, user_id=made["user_id"], status="DISABLED")
    refused = await accounts.authenticate()
    assert refused == await accounts.authenticate("nobody@example.com") == await accounts.authenticate(password="x")
    assert refused["authenticated"] is False
    assert PASSWORD not in str(await accounts.events())

"""Wrong accounts: each breaks one rule of 40-auth-sessions on users, passwords and proofs."""

from dataclasses import replace

from planting import shows_in

from symphainy_platform import IntentResult
from symphainy_platform.realms.security import account_proofs, accounts, passwords, rate_limits, session_tokens
from symphainy_platform.realms.security.intent_services import (
    authenticate_user_service,
    change_password_service,
    create_user_account_service,
    set_user_roles_service,
    set_user_status_service,
    validate_authorization_service,
)

Authenticate = authenticate_user_service.AuthenticateUserService
ChangePassword = change_password_service.ChangePasswordService


async def nothing(*_):
    return []


async def true(*_):
    return True


@shows_in("authenticate_user")
def unknown_is_told_apart(patch):
    """authenticate_user: an unknown address is refused in other words than a wrong password"""
    real = Authenticate.execute

    async def execute(self, ctx, params):
        result = await real(self, ctx, params)
        answer = result.artifacts["authentication_result"]
        if ctx.user_id == accounts.UNKNOWN_USER:
            return IntentResult({"authentication_result": {**answer, "reason": "Unknown address."}}, result.events)
        return result

    patch.setattr(Authenticate, "execute", execute)


@shows_in("authenticate_user")
def any_password(patch):
    """authenticate_user: the password is not compared"""
    patch.setattr(authenticate_user_service, "is_password_of", true)


@shows_in("authenticate_user")
def disabled_may_sign_in(patch):
    """authenticate_user: an account that was disabled signs in"""
    patch.setattr(authenticate_user_service, "ACTIVE", Whatever())


class Whatever:
    """Equal to everything."""

    def __eq__(self, _):
        return True

    __hash__ = None


@shows_in("authenticate_user")
def address_in_an_event(patch):
    """authenticate_user: the event says whose address was tried"""
    real = Authenticate.execute

    async def execute(self, ctx, params):
        result = await real(self, ctx, params)
        return replace(result, events=[{**event, "email": params.email} for event in result.events])

    patch.setattr(Authenticate, "execute", execute)


@shows_in("authenticate_user")
def tries_without_limit(patch):
    """authenticate_user: passwords may be tried as often as anybody likes"""
    patch.setattr(rate_limits.RateLimits, "hit", lambda *_, **__: None)


@shows_in("authenticate_user")
def limit_for_good(patch):
    """authenticate_user: who has tried too often is locked out for good"""
    patch.setattr(rate_limits, "_WINDOW", 10**12)


@shows_in("authenticate_user", "create_user_account")
def letters_of_an_address(patch):
    """e-mail addresses are compared letter by letter"""
    patch.setattr(accounts, "caseless", lambda text: text)


@shows_in("create_user_account")
def address_taken_over(patch):
    """a second account of an address is made"""
    made = iter(range(1_000_000))

    async def new(*_):
        return f"eml_{next(made):022d}"

    patch.setattr(create_user_account_service, "address_id_of", new)


@shows_in("create_user_account")
def short_passwords(patch):
    """nine bytes are enough for a password"""
    patch.setattr(passwords, "LEAST_BYTES", 9)


@shows_in("create_user_account")
def letters_for_bytes(patch):
    """the length of a password is counted in letters"""
    patch.setattr(passwords, "_bytes_of", lambda text: text)


@shows_in("create_user_account")
def address_for_a_password(patch):
    """the address itself is a password"""
    patch.setattr(passwords, "caseless", lambda text: f"{text} ")


@shows_in("create_user_account", "set_user_roles")
def users_as_services(patch):
    """a user may be given the role service"""
    patch.setattr(accounts, "_SERVICE_ROLE", "")


@shows_in("create_user_account")
def password_in_the_name(patch):
    """the password is kept as the user's name"""
    real = create_user_account_service.NewAccount

    def named(**fields):
        return real(**{**fields, "name": "correct horse battery"})

    patch.setattr(create_user_account_service, "NewAccount", named)


@shows_in("set_user_status")
def sessions_outlive_their_account(patch):
    """set_user_status: sessions of an account that was disabled live on"""
    patch.setattr(set_user_status_service, "active_sessions", nothing)


@shows_in("set_user_status", "validate_authorization")
def proofs_outlive_their_account(patch):
    """set_user_status: tokens from before hold again when the account is active again"""
    patch.setattr(accounts, "stage_next_epoch", accounts._with_row)


@shows_in("set_user_roles")
def equal_roles_are_a_change(patch):
    """set_user_roles: roles that the user has already make a new version and an event"""

    async def execute(_self, ctx, params):
        account = await ctx.state_surface.get_artifact(params.user_id)
        roles = list(accounts.accepted_roles(params.roles))
        changed = accounts.stage_changed(ctx, account, roles=roles)
        event = {"type": "user_account_updated", "user_id": changed.artifact_id, "status": changed.lifecycle_state}
        return IntentResult({"user_account": changed}, [{**event, "roles": roles}])

    patch.setattr(set_user_roles_service.SetUserRolesService, "execute", execute)


@shows_in("change_password")
def password_not_asked(patch):
    """change_password: the current password is not compared"""
    patch.setattr(change_password_service, "is_password_of", true)


@shows_in("change_password")
def password_stays(patch):
    """change_password: the old password still signs in"""

    async def stay(ctx, credential, _):
        ctx.state_surface.update_artifact(credential, credential.semantic_payload)

    patch.setattr(change_password_service, "stage_password", stay)


@shows_in("change_password")
def others_stay_signed_in(patch):
    """change_password: sessions elsewhere live on"""
    patch.setattr(ChangePassword, "_end_others", nothing)


@shows_in("change_password")
def own_session_ends(patch):
    """change_password: the session in which it was changed is ended, too"""
    patch.setattr(change_password_service, "stage_epoch", lambda *_: None)


@shows_in("change_password")
def tokens_outlive_the_password(patch):
    """change_password: a token that the old password has got still opens a session"""
    patch.setattr(change_password_service, "stage_next_epoch", accounts.stage_changed)


@shows_in("validate_authorization", "create_session")
def tokens_without_end(patch):
    """an authentication token holds for good"""
    patch.setattr(session_tokens, "_refuse_past", lambda *_: None)


@shows_in("validate_authorization")
def one_permission_suffices(patch):
    """validate_authorization: one of the permissions that are needed is enough"""
    real = validate_authorization_service.ValidateAuthorizationService.execute

    async def execute(self, ctx, params):
        result = await real(self, ctx, params)
        answer = result.artifacts["authorization_result"]
        some = {*params.required_permissions} & {*answer["permissions"]} or {*params.required_roles} & ctx.roles
        return replace(result, artifacts={"authorization_result": {**answer, "authorized": bool(some)}})

    patch.setattr(validate_authorization_service.ValidateAuthorizationService, "execute", execute)


@shows_in("validate_authorization")
def external_is_authorized(patch):
    """validate_authorization: an identity of somebody else's making counts"""
    real = account_proofs.AuthenticationOrIdentity.prove

    async def prove(self, attempt):
        own = attempt.identity and replace(attempt.identity, external=False)
        return await real(self, replace(attempt, identity=own))

    patch.setattr(account_proofs.AuthenticationOrIdentity, "prove", prove)

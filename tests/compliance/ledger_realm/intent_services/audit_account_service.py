from symphainy_platform import IntentError, IntentResult, IntentService


class AuditAccountService(IntentService):
    intent_type = "audit_account"

    async def execute(self, ctx, params):
        account = await ctx.state_surface.get_artifact(params.account_id)
        if account is None:
            raise IntentError("ACCOUNT_NOT_FOUND")
        return IntentResult({"account": account})

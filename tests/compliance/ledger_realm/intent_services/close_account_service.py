from symphainy_platform import IntentError, IntentResult, IntentService


class CloseAccountService(IntentService):
    intent_type = "close_account"

    async def execute(self, ctx, params):
        account = await ctx.state_surface.get_artifact(params.account_id)
        if account is None:
            raise IntentError("ACCOUNT_NOT_FOUND")
        closed = ctx.state_surface.transition(account, "CLOSED")
        return IntentResult({"account": closed}, [{"type": "account_closed", "account_id": account.artifact_id}])

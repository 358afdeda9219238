from symphainy_platform import IntentError, IntentResult, IntentService


class DepositService(IntentService):
    intent_type = "deposit"

    async def execute(self, ctx, params):
        account = await ctx.state_surface.get_artifact(params.account_id)
        if account is None:
            raise IntentError("ACCOUNT_NOT_FOUND")
        balance = self.balance(account) + params.amount
        if self.exceeds(balance, account.semantic_payload["limit"]):
            raise IntentError("LIMIT_EXCEEDED")
        updated = ctx.state_surface.update_artifact(account, {**account.semantic_payload, "balance": balance})
        event = {"type": "deposited", "account_id": account.artifact_id, "balance": balance}
        return IntentResult({"account": updated}, [event])

    def balance(self, account):
        return account.semantic_payload["balance"]

    def exceeds(self, balance, limit):
        return balance > limit

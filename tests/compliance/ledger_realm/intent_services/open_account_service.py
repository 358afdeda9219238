from symphainy_platform import IntentError, IntentResult, IntentService


class OpenAccountService(IntentService):
    intent_type = "open_account"

    async def execute(self, ctx, params):
        if params.number == "0":
            raise IntentError("NUMBER_RESERVED")
        account_id = ctx.new_id()
        payload = {
            "account_id": account_id,
            "branch": params.branch,
            "number": params.number,
            "label": self.label(params),
            "limit": params.limit,
            "balance": 0,
        }
        account = ctx.state_surface.register_artifact("account", payload, artifact_id=account_id)
        opened = {"type": "account_opened", "account_id": account_id, "label": payload["label"]}
        limited = {"type": "account_limited", "account_id": account_id, "limit": params.limit}
        return IntentResult({"account": account}, [opened, limited])

    def label(self, params):
        return f"{params.branch} {params.number}"

"""One request into the ASGI app of this process, and the messages of its answer."""

import asyncio
import json


class Exchange:
    """The caller stays until the end; messages are taken one by one, or all at once."""

    def __init__(self, app, method, path, headers=(), body=b""):
        self.scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": b"",
            "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers],
        }
        self.incoming = [{"type": "http.request", "body": body, "more_body": False}]
        self.sent = asyncio.Queue()
        self.task = asyncio.create_task(app(self.scope, self._receive, self.sent.put))

    async def _receive(self):
        if self.incoming:
            return self.incoming.pop()
        return await asyncio.Event().wait()  # the caller stays

    async def next(self):
        async with asyncio.timeout(5):
            return await self.sent.get()

    async def whole(self):
        """Status, headers (as pairs) and the JSON of an answer that is no stream."""
        start, body = await self.next(), await self.next()
        pairs = [(name.decode(), value.decode()) for name, value in start["headers"]]
        return start["status"], pairs, json.loads(body["body"])

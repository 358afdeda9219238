"""A transaction pooler at its worst: every transaction of a client goes to another server connection."""

import asyncio
import contextlib
import struct
from urllib.parse import urlsplit

_SSL_REQUEST = 80877103
_CONNECTIONS = 3
"""Server connections of one client; after each transaction the next one is its turn."""


class TransactionPooler:
    """Listens on loopback and hands each transaction to the next server connection: `async with` it."""

    def __init__(self, url):
        self._target = urlsplit(url)
        self._server = None
        self._clients = set()

    @property
    def url(self):
        port = self._server.sockets[0].getsockname()[1]
        return self._target._replace(netloc=f"{self._target.username}@127.0.0.1:{port}").geturl()

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._accepted, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_):
        self._server.close()
        for client in list(self._clients):
            client.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)

    async def _accepted(self, reader, writer):
        task = asyncio.current_task()
        self._clients.add(task)
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                await _Client(reader, writer, self._target).serve()
        finally:
            self._clients.discard(task)
            writer.close()


class _Client:
    def __init__(self, reader, writer, target):
        self._reader, self._writer, self._target = reader, writer, target
        self._servers = []
        self._turn = 0

    async def serve(self):
        startup = await self._startup()
        try:
            for _ in range(_CONNECTIONS):
                server = await asyncio.open_connection(self._target.hostname, self._target.port)
                self._servers.append(server)
                server[1].write(startup)
                await self._answers(server[0], shown=len(self._servers) == 1)
            while True:
                await self._exchange()
        finally:
            for _, server in self._servers:
                server.close()

    async def _startup(self):
        while True:
            head = await self._reader.readexactly(8)
            length, code = struct.unpack("!ii", head)
            if code != _SSL_REQUEST:
                return head + await self._reader.readexactly(length - 8)
            self._writer.write(b"N")

    async def _exchange(self):
        """What the client sends up to a Sync or a simple query, and what the server answers to it."""
        reader, server = self._servers[self._turn]
        answers = asyncio.create_task(self._answers(reader))  # meanwhile: a Flush is answered before the Sync
        try:
            kind = b""
            while kind not in {b"S", b"Q"}:
                kind, message = await _message(self._reader)
                if kind == b"X":
                    raise ConnectionError
                server.write(message)
            if await answers == b"I":
                self._turn = (self._turn + 1) % _CONNECTIONS
        finally:
            answers.cancel()

    async def _answers(self, reader, *, shown=True):
        """Pass on answers up to ReadyForQuery; returns whether a transaction is open (b"I": none)."""
        while True:
            kind, message = await _message(reader)
            if shown:
                self._writer.write(message)
            if kind == b"Z":
                return message[-1:]


async def _message(reader):
    head = await reader.readexactly(5)
    return head[:1], head + await reader.readexactly(struct.unpack("!i", head[1:])[0] - 4)

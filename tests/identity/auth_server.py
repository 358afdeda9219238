"""A real Supabase Auth on the loopback, as far as its key set goes, which can misbehave and rotate its keys."""

import asyncio
import base64
import json
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

KEY_SET = "/auth/v1/.well-known/jwks.json"


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def to_bytes(value):
    return value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()


@dataclass
class Key:
    """A signing key of the issuer."""

    kid: str
    algorithm: str
    private: object

    @classmethod
    def ec(cls, kid, curve=None):
        return cls(kid, "ES256", ec.generate_private_key(curve or ec.SECP256R1()))

    @classmethod
    def rsa(cls, kid, bits=2048):
        return cls(kid, "RS256", rsa.generate_private_key(65537, bits))

    @classmethod
    def ed25519(cls, kid):
        return cls(kid, "EdDSA", ed25519.Ed25519PrivateKey.generate())

    @classmethod
    def ed448(cls, kid):
        return cls(kid, "EdDSA", ed448.Ed448PrivateKey.generate())

    def jwk(self, **changes):
        """The public half as Supabase publishes it."""
        public = jwt.get_algorithm_by_name(self.algorithm).to_jwk(self.private.public_key(), as_dict=True)
        return public | {"kid": self.kid, "alg": self.algorithm, "use": "sig", "key_ops": ["verify"]} | changes

    def private_jwk(self):
        return jwt.get_algorithm_by_name(self.algorithm).to_jwk(self.private, as_dict=True) | {"kid": self.kid}

    def sign(self, claims, header=None, algorithm=None):
        """Sign anything, with any header: what no honest issuer would make, too."""
        header = {"alg": self.algorithm, "kid": self.kid, "typ": "JWT"} if header is None else header
        signed = f"{b64(to_bytes(header))}.{b64(to_bytes(claims))}"
        signer = jwt.get_algorithm_by_name(algorithm or self.algorithm)
        return f"{signed}.{b64(signer.sign(signed.encode(), self.private))}"


def answer(body, status="200 OK", *headers):
    """An answer as it goes over the wire."""
    body = to_bytes(body)
    lines = (f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers)
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@dataclass
class AuthServer:
    """Publishes `keys`, unless `raw` (bytes for the wire) replaces its answer.

    Closing `gate` makes it hang; after an answer that `drips`, a byte follows every 10 ms.
    """

    keys: list = field(default_factory=list)
    raw: bytes | None = None
    drips: bool = False
    requests: list = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    port: int = 0
    scheme: str = "http"

    @property
    def issuer(self):
        return f"{self.scheme}://127.0.0.1:{self.port}/auth/v1"

    def hang(self):
        self.gate.clear()
        self.arrived.clear()

    async def serve(self, reader, writer):
        self.requests.append((await reader.readuntil(b"\r\n\r\n")).decode())
        self.arrived.set()
        await self.gate.wait()
        writer.write(answer({"keys": self.keys}) if self.raw is None else self.raw)
        await writer.drain()
        while self.drips and not writer.is_closing():
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.01)


@asynccontextmanager
async def auth_server(*keys, tls=None):
    """Serve until the end of the block; no connection outlives it."""
    server = AuthServer([key.jwk() for key in keys], scheme="https" if tls else "http")
    server.gate.set()
    connections = set()

    async def connected(reader, writer):
        connections.add(asyncio.current_task())
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await server.serve(reader, writer)
            writer.close()
            await writer.wait_closed()
        writer.transport.abort()

    listener = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections)
        await asyncio.sleep(0)  # the loop lets go of what was aborted

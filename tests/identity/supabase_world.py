"""A Supabase project on the loopback, its users' tokens, and our source of their identities."""

from contextlib import asynccontextmanager

import pytest
from auth_server import Key, auth_server

from symphainy_platform.context import Identity
from symphainy_platform.errors import Unauthenticated
from symphainy_platform.identity.supabase import SupabaseAuth
from symphainy_platform.settings import Settings
from symphainy_platform.testing.clock import START, ManualClock

NOW = int(START.timestamp())
SUB = "5f3c6f2e-8a53-4d0e-9a6e-0d0d6c9f2b11"
ANN = Identity(tenant_id="t1", user_id=f"supabase:{SUB}", roles=frozenset(), external=True)
EC, RSA, ED = Key.ec("ec-1"), Key.rsa("rsa-1"), Key.ed25519("ed-1")
NEW, OTHER = Key.ec("ec-2"), Key.ec("ec-1")
ISSUER = "https://project.supabase.co/auth/v1"
HEADER = {"alg": "ES256", "kid": "ec-1", "typ": "JWT"}


def claims_of(issuer, **changes):
    """What Supabase puts into an access token."""
    return {
        "iss": issuer,
        "sub": SUB,
        "aud": "authenticated",
        "exp": NOW + 3600,
        "iat": NOW,
        "email": "ann@example.com",
        "phone": "",
        "app_metadata": {"provider": "email", "providers": ["email"], "tenant_id": "t1"},
        "user_metadata": {"tenant_id": "t2", "name": "Ann Ünal", "score": 0.5},
        "role": "authenticated",
        "aal": "aal1",
        "amr": [{"method": "password", "timestamp": NOW}],
        "session_id": "a5a1b0a2-6a0f-4a2e-8f0f-4d6c2d0f7a10",
        "is_anonymous": False,
    } | changes


def without(mapping, *names):
    return {key: value for key, value in mapping.items() if key not in names}


class World:
    """A Supabase project, our source of its users' identities, and the time."""

    def __init__(self, server):
        self.server = server
        self.clock = ManualClock()
        self.auth = SupabaseAuth(Settings(supabase_auth_url=server.issuer), self.clock)

    def token(self, key=EC, **changes):
        return key.sign(claims_of(self.server.issuer, **changes))

    async def identity(self, key=EC, **changes):
        return await self.auth.identify(self.token(key, **changes))

    async def refused(self, token):
        with pytest.raises(Unauthenticated) as refusal:
            await self.auth.identify(token)
        assert refusal.value.to_dict() == Unauthenticated().to_dict()
        return True

    async def landed(self):
        """Wait for a fetch that nobody waits for."""
        if self.auth._keys._flight is not None:
            await self.auth._keys._flight

    @property
    def fetches(self):
        return len(self.server.requests)


@asynccontextmanager
async def world_of(*keys, tls=None):
    async with auth_server(*keys, tls=tls) as server:
        world = World(server)
        yield world
        await world.landed()

"""How long a session and its tokens hold (40-auth-sessions). All times are seconds."""

from __future__ import annotations

HOUR = 3600.0
GRACE = HOUR
"""After `expires_at`: a session that has expired may still be refreshed or terminated."""

LONGEST_LIFE = 7 * 24 * HOUR
"""From its creation: no session lives longer, however often it is refreshed."""

DEFAULT_HOURS = 24

OVERLAP = 10.0
"""After a rotation: what was under way with the token before still passes."""

LOST_ANSWER = 60.0
"""After a rotation whose successor nobody has used: its answer may have been lost."""

SKEW = 30.0
"""How far ahead of ours the clock of another machine may be; it never prolongs anything."""

PROOF_LIFE = 60.0
"""Of an authentication token."""

"""All attacks, in the groups of 40-auth-sessions ("Attack list"), and the settings that a group needs."""

from attacks.groups import bodies, browsers, foreign, generations, limits, parameters, proofs, sessions, texts, tokens

GROUPS = {
    "forged tokens refresh": tokens.AT_REFRESH,
    "forged tokens as bearers": tokens.AS_BEARER,
    "forged tokens elsewhere": tokens.ELSEWHERE,
    "odd tokens": tokens.SIZES,
    "forged proofs": proofs.FORGED_PROOFS,
    "used proofs": proofs.USED_PROOFS,
    "tokens of others": sessions.OTHERS,
    "ended sessions": sessions.ENDED,
    "replaced tokens": generations.GENERATIONS,
    "session fixation": parameters.FIXATION,
    "claimed identities": parameters.IDENTITY,
    "hours": parameters.HOURS,
    "session ids": texts.SESSION_IDS,
    "other ids": texts.OTHER_IDS,
    "paths": texts.PATHS,
    "bodies": bodies.BODIES,
    "Idempotency-Keys": bodies.KEYS,
    "log lines": bodies.LINES,
    "foreign things": foreign.READS,
    "escalation": foreign.ESCALATION,
    "other sites": browsers.ORIGINS,
    "cookies": browsers.COOKIES,
    "limits": limits.LIMITS,
}

SETTINGS = {
    "other sites": {"session_cookie": True, "public_origins": (browsers.OURS,)},
    "cookies": {"session_cookie": True},
    "limits": {"authenticate_limit_per_address": limits.PER_ADDRESS, "refresh_limit_per_session": limits.PER_SESSION},
}

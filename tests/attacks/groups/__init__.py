"""All attacks, in the groups of 40-auth-sessions ("Attack list"), and the settings that a group needs."""

from attacks.groups import proofs, sessions, tokens

GROUPS = {
    "forged tokens refresh": tokens.AT_REFRESH,
    "forged tokens as bearers": tokens.AS_BEARER,
    "forged tokens elsewhere": tokens.ELSEWHERE,
    "odd tokens": tokens.SIZES,
    "forged proofs": proofs.FORGED_PROOFS,
    "used proofs": proofs.USED_PROOFS,
    "tokens of others": sessions.OTHERS,
    "ended sessions": sessions.ENDED,
    "replaced tokens": sessions.GENERATIONS,
}

SETTINGS = {}

"""All attacks, in the groups of 40-auth-sessions ("Attack list"), and the settings that a group needs."""

from attacks.groups import tokens

GROUPS = {
    "forged tokens refresh": tokens.AT_REFRESH,
    "forged tokens as bearers": tokens.AS_BEARER,
    "forged tokens elsewhere": tokens.ELSEWHERE,
    "odd tokens": tokens.SIZES,
}

SETTINGS = {}

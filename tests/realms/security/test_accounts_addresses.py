"""One address, whatever its spelling: the law behind `one account per address`."""

import unicodedata
from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from symphainy_platform.realms.security.accounts import address_id_of
from symphainy_platform.realms.security.spelling import caseless

TEXTS = st.text(min_size=1, max_size=20)


@given(TEXTS)
def test_composition_does_not_matter(text):
    forms = {caseless(unicodedata.normalize(form, text)) for form in ("NFC", "NFD")}
    assert forms == {caseless(text)}


@given(TEXTS)
def test_folding_twice_is_folding_once(text):
    assert caseless(caseless(text)) == caseless(text)


@given(st.text(st.characters(max_codepoint=0x17F), min_size=1).filter(lambda text: not set(text) & set("İıŉµſ")))
def test_case_does_not_matter(text):
    assert caseless(text.upper()) == caseless(text.lower()) == caseless(text)


class Keys:
    async def keyed(self, *parts):
        return sha256(repr(parts).encode()).digest()


async def test_the_id_is_of_the_tenant_too_and_shows_nothing():
    ids = {await address_id_of(Keys(), tenant, email) for tenant in ("a", "b") for email in ("x@y.zz", "X@Y.ZZ")}
    assert len(ids) == 2
    assert all(found.startswith("eml_") and len(found) == 26 for found in ids)

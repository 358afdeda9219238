"""A chat message: what identifies it, and the key under which the log holds it (30-chat, rules 5 and 6)."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from symphainy_platform import IntentError, LogEntry
from symphainy_platform.realms.coexistence.canonical_form import canonical, fingerprint

Body = Mapping[str, Any]
"""A message as JSON; its fields are values, replaced whole by an edit."""

IDENTITY_FIELDS = ("role", "content", "timestamp")
"""What identifies a message that has no id."""

LONGEST_PLAIN_ID = 120
"""Characters of an id that stand in its key as they are; longer ones are hashed."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message as sent. `key` is the entry key of its id, or of the id that the server gives it.

    An anonymous message (neither id nor timestamp) has the key of the first such text; when
    it repeats, the later ones get other keys.
    """

    body: Body
    key: str
    anonymous: bool


def check_messages(history: Sequence[Any], parameter: str) -> None:
    """Refuse what is not a message: an object whose id, if any, is a string or an integer."""
    for place, body in enumerate(history):
        if not isinstance(body, dict):
            raise IntentError(
                "INVALID_PARAMETER_TYPE", details={"parameter": f"{parameter}[{place}]", "expected": "object"}
            )
        if "id" in body and type(body["id"]) not in (str, int):
            raise IntentError(
                "INVALID_PARAMETER_TYPE",
                details={"parameter": f"{parameter}[{place}].id", "expected": "string or integer"},
            )


def read_message(body: Body) -> Message:
    """Identify one checked message."""
    if "id" in body:
        return Message(body, key_of_id(body["id"]), anonymous=False)
    return Message(body, key_of_id(server_id(body)), anonymous="timestamp" not in body)


def key_of_id(message_id: str | int) -> str:
    """The entry key of an id: typed, so that "1" and 1 differ, and bounded."""
    text = f"i:{message_id}" if isinstance(message_id, int) else f"s:{unicodedata.normalize('NFC', message_id)}"
    return text if len(text) <= LONGEST_PLAIN_ID else f"h:{fingerprint(text)}"


def server_id(body: Body, *salt: int) -> str:
    """The id that the server gives: a hash of role, content and timestamp (absent differs from null).

    `salt` tells repeated anonymous texts apart.
    """
    fields = [[body[name]] if name in body else [] for name in IDENTITY_FIELDS]
    return "msg_" + fingerprint([*fields, *salt])[:32]


def repeat_key(body: Body, *salt: int) -> str:
    """The entry key of an anonymous text that the log holds already; `salt` begins with its seq."""
    return key_of_id(server_id(body, *salt))


def presented(entry: LogEntry) -> Body:
    """The message as answers show it: with its id, the sender's or the server's."""
    return entry.body if "id" in entry.body else {"id": entry.key[2:], **entry.body}


def stands_for(message: Message, entry: LogEntry) -> bool:
    """Whether `message` is the very message that the log holds in this place."""
    if not message.anonymous:
        return message.key == entry.key
    return message.key == text_key(entry) or repeat_key(message.body, entry.seq) == entry.key


def text_key(entry: LogEntry) -> str:
    """The key that an anonymous message of this text has: equal for all repeats of one text."""
    body = entry.body
    return entry.key if "id" in body or "timestamp" in body else read_message(body).key


def reworded(body: Body, message: Message) -> Body:
    """The message in its new wording, field by field; unsent fields stay.

    What came without an id is the same message by its role, content and timestamp, so it can
    only change other fields. A body keeps no server-given id as long as its identity tells it.
    """
    if "id" not in message.body:
        return {**body, **{name: value for name, value in message.body.items() if name not in IDENTITY_FIELDS}}
    merged = {**body, **message.body}
    if "id" not in body and server_id(merged) == server_id(body):
        del merged["id"]
    return merged


def same(one: Body, other: Body) -> bool:
    """Whether two bodies are the same JSON value (1 and 1.0 are, 1 and true are not)."""
    return canonical(one) == canonical(other)


def collapsed(messages: Sequence[Message]) -> list[Message]:
    """One message per identity: the first one's place, the last one's wording (rule 7).

    Anonymous messages never collapse.
    """
    kept: list[Message] = []
    first: dict[str, int] = {}
    for message in messages:
        place = len(kept) if message.anonymous else first.setdefault(message.key, len(kept))
        if place == len(kept):
            kept.append(message)
        else:
            earlier = kept[place]
            kept[place] = Message(reworded(earlier.body, message), earlier.key, anonymous=False)
    return kept

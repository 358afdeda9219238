"""The history merge of 30-chat-context, as slow and plain as can be: every rule by a full scan.

A log is a list of (key, body). Only the hash functions are shared with the real one.
"""

from __future__ import annotations

from symphainy_platform.canonical import canonical_bytes
from symphainy_platform.realms.coexistence.messages import key_of_id, repeat_key, server_id

IDENTITY = ("role", "content", "timestamp")


def naive_merge(log, incoming):
    """Merge a list of messages into a log; returns the new log."""
    log, sent = list(log), _collapse(incoming)
    old = list(log)
    prefix = 0
    while prefix < min(len(sent), len(old)) and _same_place(sent[prefix], old, prefix):
        prefix += 1
    snapshot = prefix >= min(2, len(old))
    partner = _partners(sent, old, snapshot=snapshot)
    for index, body in enumerate(sent):
        at = partner.get(index)
        if at is not None:
            log[at] = (log[at][0], _reword(log[at][1], body))
    taken = {key for key, _ in old} | {_own_key(body) for body in sent if not _anonymous(body)}
    for index, body in enumerate(sent):
        if index not in partner:
            key = _fresh_key(body, len(log) + 1, taken) if _anonymous(body) else _own_key(body)
            taken.add(key)
            log.append((key, body))
    return [
        (key, old[i][1] if i < len(old) and canonical_bytes(old[i][1]) == canonical_bytes(body) else body)
        for i, (key, body) in enumerate(log)
    ]


def _partners(sent, old, *, snapshot):
    partner = {}
    for index, body in enumerate(sent):
        if not _anonymous(body):
            for at, (key, _) in enumerate(old):
                if key == _own_key(body):
                    partner[index] = at
        elif snapshot and index < len(old) and _same_place(body, old, index):
            partner[index] = index
    for index, body in enumerate(sent):
        if snapshot and _anonymous(body) and index not in partner:
            free = [
                at for at, entry in enumerate(old) if at not in partner.values() and _text_key(entry) == _own_key(body)
            ]
            if free:
                partner[index] = free[0]
    return partner


def _anonymous(body):
    return "id" not in body and "timestamp" not in body


def _own_key(body):
    return key_of_id(body["id"] if "id" in body else server_id(body))


def _text_key(entry):
    key, body = entry
    return _own_key(body) if _anonymous(body) else key


def _same_place(body, old, at):
    key = old[at][0]
    if not _anonymous(body):
        return key == _own_key(body)
    return _text_key(old[at]) == _own_key(body) or key == repeat_key(body, at + 1)


def _reword(old, body):
    if "id" not in body:
        return {**old, **{name: value for name, value in body.items() if name not in IDENTITY}}
    merged = {**old, **body}
    if "id" not in old and all(merged.get(n, ...) == old.get(n, ...) for n in IDENTITY):
        del merged["id"]
    return merged


def _collapse(incoming):
    kept = []
    for body in incoming:
        for at, earlier in enumerate(kept):
            if not _anonymous(body) and not _anonymous(earlier) and _own_key(earlier) == _own_key(body):
                kept[at] = _reword(earlier, body)
                break
        else:
            kept.append(body)
    return kept


def _fresh_key(body, seq, taken):
    key, salt = _own_key(body), [seq]
    while key in taken:
        key = repeat_key(body, *salt)
        salt.append(len(salt))
    return key

"""Shipped tests: the compliance suite for contracts and the store suite for stores.

`pytest --contracts` attacks every installed realm (see `collection`); `run_compliance` does the
same as a library. A store binds the store suite and joins `stores.STORES`.
"""

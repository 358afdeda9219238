"""The intent services of the security realm: one module per intent, named by its contract."""

"""The intent services of the coexistence realm: one module per intent, named by its contract."""

"""The SQLite store: one file, one writer thread, readers in their own connections."""

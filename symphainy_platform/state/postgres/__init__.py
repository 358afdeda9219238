"""The Postgres store: any Postgres 15 or newer, many processes, one SQL function per commit."""

"""Services of the vault."""

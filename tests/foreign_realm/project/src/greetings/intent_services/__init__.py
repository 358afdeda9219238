"""One module per intent."""

"""The way of an intent, one module per stage."""

"""Rules between the parts of a contract; each is a function that yields findings."""

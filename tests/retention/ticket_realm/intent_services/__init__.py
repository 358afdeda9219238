"""One module per intent, as the contracts name them."""

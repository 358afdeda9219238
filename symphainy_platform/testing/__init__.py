"""What is shipped for the tests of realm teams and of store authors."""

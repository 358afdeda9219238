"""The contract as a value: its model, its sources, and what the runtime executes of it."""

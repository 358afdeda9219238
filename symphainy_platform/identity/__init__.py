"""Who asks: identity sources behind the hook `symphainy_identify`, and the tokens of this one."""

"""Who asks: identity sources behind the hook `symphainy_identity_sources`, and the tokens of this one."""

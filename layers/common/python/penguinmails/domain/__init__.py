"""Rules and statements that more than one function needs, one module per concept."""

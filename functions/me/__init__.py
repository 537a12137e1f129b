"""Tells a caller who it is and what it may do. Any valid API key or session; owns no table."""

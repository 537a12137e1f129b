"""Answers every path that no resource serves, as a problem document. Anyone may call it; it owns no table."""

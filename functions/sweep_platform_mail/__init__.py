"""Hands the platform's own mail that is due again, or whose queue message was lost, to its sender. Runs each minute."""

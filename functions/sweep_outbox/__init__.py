"""Sends messages that could not be handed to their queue right after their commit. Runs each minute."""

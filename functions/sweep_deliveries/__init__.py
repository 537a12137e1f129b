"""Hands webhook deliveries that are due, or whose queue message was lost, to the dispatcher. Runs each minute."""

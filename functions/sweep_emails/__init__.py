"""Queues emails again whose message was lost, whose worker died or whose retry is due. Runs each minute."""

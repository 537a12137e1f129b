"""What happened: the catalogue of event types, and how an event leaves the transaction that caused it."""

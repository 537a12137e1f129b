"""What a person may ask: a copy of all that is held about them, or that it is erased."""

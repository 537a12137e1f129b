"""The schema: forward-only migrations, and the function that applies them."""

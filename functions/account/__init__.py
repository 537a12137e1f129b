"""The account itself: closing it, and having everything that it holds exported."""

"""Measured claims. Each module is one command and prints medians; `bench/README.md` quotes them with the machine."""

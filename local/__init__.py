"""The one-machine stack: what AWS and its managed services do, done on loopback for development and tests."""

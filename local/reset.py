"""`make reset`: forgets the data of `make run`, unless it is running. Uses the standard library alone."""

import fcntl
import shutil
import sys
from pathlib import Path


def main() -> int:
    """Remove the state directory (default: .local of the checkout); 1 with a sentence when it is in use."""
    state = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent / ".local")
    if state.is_dir():
        with (state / "lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print("The stack is running; stop it first with Ctrl-C.", file=sys.stderr)
                return 1
            shutil.rmtree(state)
    print("forgotten: the next 'make run' starts from nothing")
    return 0


if __name__ == "__main__":
    sys.exit(main())

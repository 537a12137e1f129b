"""A circuit breaker: spares callers the time-outs while something they depend on is known to be away."""

import time
from dataclasses import dataclass, field


@dataclass(slots=True)
class Circuit:
    """Opens after `opens_after` failures in a row, for `open_seconds`; then the next call decides."""

    opens_after: int
    open_seconds: float
    _failures: int = field(default=0, init=False)
    _opened_at: float = field(default=0.0, init=False)

    @property
    def seconds_until_retry(self) -> float:
        """How long calls are refused from now on, in seconds; 0 when they may be tried."""
        if self._failures < self.opens_after:
            return 0.0
        return max(0.0, self._opened_at + self.open_seconds - time.monotonic())

    @property
    def is_on_probation(self) -> bool:
        """Whether the next call decides alone if the circuit closes or opens again."""
        return self._failures >= self.opens_after

    def failed(self) -> None:
        """Count a failure; the one that reaches the limit opens the circuit."""
        self._failures += 1
        self._opened_at = time.monotonic()

    def succeeded(self) -> None:
        """Close the circuit."""
        self._failures = 0

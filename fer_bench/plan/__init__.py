"""From a request to every trial with its identity, cost and, where it cannot run, the reason."""

"""A run from its plan to its report: trials, executors, the run's folder."""

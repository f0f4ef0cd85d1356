"""The formats of a run's report, a module each. Each sees a finished run, and nothing else."""

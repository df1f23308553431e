"""Which detectors exist, how their weights are kept and how each is run."""

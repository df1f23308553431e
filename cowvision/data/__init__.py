"""Pictures and their ground truth: read, described, written, composed."""

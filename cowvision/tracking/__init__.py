"""Clips: their frames with true timestamps."""

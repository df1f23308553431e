"""What stays on this machine between visits: one SQLite file, and pictures by their content."""

"""The parts of the run screen. Each pulls from a ``RunState`` on a tick and repaints only what changed."""

"""Small pure helpers that turn a run into characters: no widget, no clock, no state."""

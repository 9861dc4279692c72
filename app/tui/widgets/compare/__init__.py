"""The panes of the comparison screen."""

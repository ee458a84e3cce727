"""Pure decisions: what is due, and when."""

"""The façade that users hold: one class, no logic."""

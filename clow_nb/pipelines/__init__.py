"""Train, evaluate, serve: again, by hand or by itself."""

"""Converters that come with the product, to be started from; see `runs.examples`."""

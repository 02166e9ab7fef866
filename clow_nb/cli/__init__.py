"""The command line `clow`."""

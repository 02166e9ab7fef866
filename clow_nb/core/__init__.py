"""Names, settings, catalog and events: what every room stands on."""

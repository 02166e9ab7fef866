"""From documents to models: the trainer, what it trains, what came out, and which of it is in production."""

"""How good a model is, on which documents, shown the way each reader reads it."""

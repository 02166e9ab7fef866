"""What models do in the world, watched; what they say to people, reviewed."""

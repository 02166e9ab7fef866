"""The kinds of task that come with the product; a package can add more."""

"""Other systems from the literature, rebuilt from their papers."""

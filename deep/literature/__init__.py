"""Systems that the article names, rebuilt from their papers."""

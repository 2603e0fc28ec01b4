"""Which networks there are, how they are built and cut, and where their weights are."""

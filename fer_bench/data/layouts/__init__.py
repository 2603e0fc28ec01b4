"""How datasets are laid out on disk, each layout a file, and which are known."""

"""Where files come from: folders, archives, tables."""

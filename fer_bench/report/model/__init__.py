"""What all forms of the report are made of: tables, words, and a run as sections see it."""

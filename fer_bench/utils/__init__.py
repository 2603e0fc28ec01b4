"""What every package uses and what knows of none: files, texts, progress, plug-ins, provenance."""

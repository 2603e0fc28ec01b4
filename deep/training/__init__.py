"""How a network learns: stages, batches, steps, precision, memory, checkpoints."""

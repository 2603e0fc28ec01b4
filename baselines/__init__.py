"""Classical methods: hand-made features and shallow classifiers.

May import the public contracts of fer_bench (errors, labels, methods); never deep, never torch.
"""

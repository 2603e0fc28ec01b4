"""Networks. torch lives here and nowhere else.

May import the public contracts of fer_bench (errors, labels, methods); never baselines.
"""

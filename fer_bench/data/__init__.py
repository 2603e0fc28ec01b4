"""Datasets: manifests, the image store and the embedded faces. May import fer_bench.errors and labels."""

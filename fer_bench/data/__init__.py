"""Datasets: manifests, the image store and the embedded faces. May import the public contracts of fer_bench."""

__all__ = ["DATASETS"]

DATASETS = {
    "synthetic": "faces that fer-bench renders itself, in KDEF's grammar: 70 people x 7 expressions x 5 views x "
    "2 sessions (default)",
    "PATH": "a folder or zip of KDEF: pictures named like AF01AFS.JPG, at any depth",
}

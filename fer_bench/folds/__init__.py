"""Protocols, the folds that they make, files of folds, and what is proven of them."""

"""The shallow classifiers, each as its literature states it, and the registry that names them."""

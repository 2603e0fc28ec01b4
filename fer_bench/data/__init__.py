"""Datasets: manifests, image store, built-in rendered faces. May import the public contracts of fer_bench."""

__all__ = ["DATASETS", "LAYOUT_SUMMARIES"]

DATASETS = {
    "synthetic": "faces that fer-bench renders itself, in KDEF's grammar: 70 people x 7 expressions x 5 views x "
    "2 sessions (default)",
    "PATH": "a folder, archive or table in one of the layouts below; its content tells which",
    "LAYOUT:PATH": "the same, read in the layout that you name",
}

LAYOUT_SUMMARIES = {
    "kdef": "KDEF: pictures named like AF01AFS.JPG, at any depth, also resized, cropped or grey copies",
    "kaggle-kdef": "KDEF as packed anew on Kaggle: angry/12_3.jpg; original names, and with them people, are lost",
    "jaffe": "JAFFE: pictures named like KA.AN1.39.tiff",
    "ckplus": "CK+ as its makers give it out: S010/001/S010_001_00000014.png and Emotion/.../S010_001_..._emotion.txt",
    "ckplus48": "CK+ in class folders: anger/S010_004_00000017.png",
    "fer2013-csv": "FER2013 as one table with the columns emotion, pixels and Usage",
    "fer2013": "FER2013 in class folders under train/ and test/: train/angry/Training_3908.jpg",
    "csv": "a table of your own with the columns path and label, if you like also subject, session, view, split, "
    "sequence and gender; paths are relative to the table",
    "folders": "a folder of class folders of your own: angry/..., happy/..., also under train/ and test/",
}
"""Layout by layout, in the order in which they are listed; here because listing them must import nothing heavy."""

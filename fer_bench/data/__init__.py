"""Datasets: manifests, image store, built-in rendered faces. May import the public contracts of fer_bench."""

__all__ = ["CROP_WORDS", "DATASETS", "LAYOUT_SUMMARIES"]

CROP_WORDS = {
    "fixed": "faces are cut out by fixed boxes, KDEF's",
    "detect": "faces are cut out by a detector's box",
    "none": "no face is cut out: pictures are taken as they are",
}
"""What a crop does, by its name."""

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
    "ferplus": "FER+: the votes fer2013new.csv beside FER2013's table or pictures; a label is their majority",
    "rafdb": "RAF-DB, basic expressions: list_patition_label.txt and the aligned faces train_00001_aligned.jpg",
    "rafdb-folders": "RAF-DB in numbered folders as on Kaggle: DATASET/train/4/train_00012_aligned.jpg",
    "affectnet": "AffectNet: train_set/images/12.jpg and train_set/annotations/12_exp.npy; numbered folders 0 to 7 "
    "only where you name the layout",
    "expw": "ExpW: label.lst and the photographs, each face cut out by its box",
    "csv": "a table of your own with the columns path and label, if you like also subject, session, view, split, "
    "sequence and gender; paths are relative to the table",
    "folders": "a folder of class folders of your own: angry/..., happy/..., also under train/ and test/",
}
"""Layout by layout, in the order in which they are listed; here because listing them must import nothing heavy."""

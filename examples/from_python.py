"""fer-bench from Python, cell by cell: open it in an editor that knows ``# %%``, or run it as it is.

Faces, arrays and folds; a scikit-learn model and a training loop of one's own on the same folds; a run with its tables,
a comparison and a report. Takes less than a minute, without a GPU and without data: the faces are rendered.
"""

# %% Faces: one row an image, arrays as the benchmark's methods see them
import numpy as np
import torch
from sklearn.decomposition import PCA
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import SVC
from torch import nn
from torch.utils.data import DataLoader, Subset

import fer_bench as fb

dataset = fb.load_dataset(people=4, views="S")  # or the path of a folder, archive or table
print(dataset)
print(dataset.table[["image", "label", "subject", "view"]].head(3))

images = dataset.images(size=48, channels=1)  # (56, 48, 48) uint8, mapped from a file
print(images.shape, images.dtype, [fb.EMOTIONS[label] for label in dataset.labels[:3]])

# %% Folds by person, and the proof that nobody is in train and test
folds = fb.make_folds(dataset, "subject-2fold", seed=0)
found = fb.check_folds(folds, data=dataset)
print(folds, "accepted" if found.accepted else "refused", found.people.state, dict(found.people.counts))

leaky = fb.check_folds(fb.make_folds(dataset, "random-2fold"), data=dataset, claim="person")
print("by image:", leaky.people.state, leaky.people.leaks[0].pairs[0])

# %% A scikit-learn model on these folds
flat = FunctionTransformer(lambda pictures: pictures.reshape(len(pictures), -1) / 255.0)
model = make_pipeline(flat, PCA(20), SVC())
print("SVC:", cross_val_score(model, images, dataset.labels, cv=folds).round(3))

# %% One of the benchmark's methods: it is told who is who, and chooses by people within the training fold
spec = fb.load_methods()["linear_svc-lbp"]
pictures = dataset.images(spec.image.size, spec.image.channels, spec.image.source)
who = {"groups": dataset.groups}
print(f"{spec.name}:", cross_val_score(spec.make(random_state=0), pictures, dataset.labels, cv=folds, params=who))


# %% A training loop of one's own: a torch Dataset over the arrays
class Faces(torch.utils.data.Dataset):
    """Pictures and labels as tensors; rows are those of the dataset, which folds speak of."""

    def __init__(self, images, labels):
        self.images, self.labels = images, labels

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, row):
        picture = np.array(self.images[row], dtype=np.float32) / 255.0  # a copy: the file cannot be written to
        return torch.from_numpy(picture)[None], int(self.labels[row])


faces = Faces(images, dataset.labels)
proba = np.zeros((len(faces), len(fb.EMOTIONS)), dtype=np.float32)
for fold, (train, test) in enumerate(folds.split(dataset)):
    torch.manual_seed(fold)
    net = nn.Sequential(nn.Conv2d(1, 8, 5, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(len(fb.EMOTIONS)))
    loader = DataLoader(Subset(faces, train.tolist()), batch_size=14, shuffle=True)
    net(next(iter(loader))[0])  # the last layer learns its size
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    for _ in range(20):
        for batch, labels in loader:
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(batch), labels).backward()
            optimizer.step()
    with torch.no_grad():
        for row in test:
            proba[row] = net(faces[row][0][None]).softmax(1)[0]
print("network:", (proba.argmax(1) == dataset.labels).mean().round(3))

# %% A run: given again, it does only what is missing. A quick one has seven people and declares no winner.
result = fb.run(
    "classical", only=["knn-pixels", "linear_svc-lbp"], protocols="subject-2fold", views="S", out="runs/example"
)
print(result, "ok" if result.ok else result.trials[["method", "state", "reason"]])
print(result.results[["method", "protocol", "accuracy", "accuracy_low", "accuracy_high"]])

# %% Read back, its predictions one row an image; two methods compared person by person
again = fb.load_run("runs/example")
print(again.predictions[["method", "image", "label", "predicted"]].head(3))
compared = fb.compare(again, again, method_a="linear_svc-lbp", method_b="knn-pixels")
print(
    compared.table[["method_a", "method_b", "difference", "difference_low", "difference_high", "p_adjusted", "verdict"]]
)

# %% A report of this run; several runs are merged into one
print(fb.write_report([again], "runs/report"))

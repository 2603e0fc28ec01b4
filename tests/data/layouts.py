"""Writes a small set of each layout: built-in rendered faces in exact naming, with the bad files that real sets have.

Each ``write_*`` takes an empty folder and returns the path to give to ``--data``.
"""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from fer_bench.data.render import render_portrait
from fer_bench.labels import EMOTIONS

WORDS = dict(zip(EMOTIONS, ("fear", "angry", "disgust", "happy", "neutral", "sad", "surprise"), strict=True))
WOMEN = ("KA", "KL", "KM", "KR", "MK", "NA", "NM", "TM", "UY", "YM")


@cache
def face(name: str, width: int = 60, height: int = 81) -> np.ndarray:
    """A built-in rendered face under KDEF's name, RGB (height, width, 3); rendered once a session."""
    return render_portrait(name, size=(width, height))


@cache
def square(name: str, side: int) -> np.ndarray:
    """The face of a portrait, cut out, RGB (side, side, 3)."""
    picture = Image.fromarray(face(name)).crop((8, 22, 52, 66))
    return np.asarray(picture.resize((side, side), Image.Resampling.BILINEAR))


def varied(picture: np.ndarray, seed: int) -> np.ndarray:
    """The same picture taken once more: other noise."""
    noise = np.random.default_rng(seed).normal(0, 4, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def save(picture: np.ndarray, path: Path, mode: str = "RGB") -> None:
    """Write a picture in a mode of Pillow's, the format by its ending."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).convert(mode).save(path)


def kdef_names() -> Iterator[str]:
    """Two people, two sessions, seven expressions, three views: 84 names."""
    for session in "AB":
        for person in ("F31", "M31"):
            for label in EMOTIONS:
                for view in ("S", "HL", "FR"):
                    yield f"{session}{person}{label}{view}"


def write_kdef_official(folder: Path) -> Path:
    """KDEF as it comes, one folder too deep: two broken names, a blank frame, averages, a text."""
    home = folder / "KDEF_and_AKDEF" / "KDEF_and_AKDEF"
    broken = {"AF31SAHL": "AF31V", "AM31SUHR": "AM31H"}
    for name in [*kdef_names(), "AM31SUHR"]:
        save(face(name), home / "KDEF" / name[:4] / f"{broken.get(name, name)}.JPG")
    save(np.zeros((81, 60, 3), np.uint8), home / "KDEF" / "AF31" / "AF31SUFR.JPG")
    for average in ("FAFS", "MSUS", "FAHR"):
        save(face("AF31AFS"), home / "AKDEF" / f"{average}.JPG")
    (home / "ReadThis.txt").write_text("Please read this.")
    return folder


def write_kdef_as(folder: Path, place: Callable[[str], str], change: Callable = lambda p: p, mode: str = "RGB") -> Path:
    """KDEF's pictures where ``place(name)`` says, after ``change``."""
    for name in kdef_names():
        save(change(face(name)), folder / place(name), mode)
    return folder


def write_jaffe(folder: Path) -> Path:
    """Ten women, seven expressions, one or two poses; grey TIFFs, some with a palette, one cut short."""
    number = 1
    for i, woman in enumerate(WOMEN):
        for code in ("AN", "DI", "FE", "HA", "NE", "SA", "SU"):
            for pose in (1, 2) if code == "HA" and i < 3 else (1,):
                picture = varied(square(f"AF{i + 1:02d}{code.replace('FE', 'AF')}S", 64), number)
                mode = "P" if number % 9 == 0 else "L"
                save(picture, folder / "jaffedbase" / f"{woman}.{code}{pose}.{number}.tiff", mode)
                number += 1
    short = folder / "jaffedbase" / "YM.HA2.999.tiff"
    short.write_bytes((folder / "jaffedbase" / "KA.AN1.1.tiff").read_bytes()[:2000])
    save(square("AF01AFS", 64), folder / "jaffedbase" / "KA.XX1.7.tiff", "L")
    (folder / "README").write_text("JAFFE")
    return folder


def write_ckplus(folder: Path) -> Path:
    """Four people with sequences of six frames from neutral to a peak; one of contempt, one without a label."""
    codes = {"AN": 1, "contempt": 2, "DI": 3, "AF": 4, "HA": 5, "SA": 6, "SU": 7}
    shown = {
        "S010": ["AN", "HA", "contempt"],
        "S011": ["HA", "SU"],
        "S022": ["SA", "AF", None],
        "S130": ["DI", "SU"],
    }
    for person, (subject, labels) in enumerate(shown.items(), start=1):
        for i, label in enumerate(labels, start=1):
            sequence = f"{subject}/{i:03d}"
            stem = f"{subject}_{i:03d}"
            peak = face(f"BF{person:02d}{label if label in EMOTIONS else 'DI'}S").astype(float)
            calm = face(f"BF{person:02d}NES").astype(float)
            for frame in range(1, 7):
                share = (frame - 1) / 5
                picture = varied(share * peak + (1 - share) * calm, 100 * person + 10 * i + frame)
                save(picture, folder / "cohn-kanade-images" / sequence / f"{stem}_{frame:08d}.png", "L")
            if label is not None:
                note = folder / "Emotion" / sequence / f"{stem}_00000006_emotion.txt"
                note.parent.mkdir(parents=True)
                note.write_text(f"   {codes[label]:.7e}\n")
    (folder / "Emotion" / "S022" / "003").mkdir(parents=True)
    (folder / "Emotion" / "S022" / "003" / "S022_003_00000006_emotion.txt").write_text("unknown")
    return folder


def write_ckplus48(folder: Path) -> Path:
    """Three frames of each sequence in class folders, 48 x 48 grey."""
    words = {"AN": "anger", "DI": "disgust", "AF": "fear", "HA": "happy", "SA": "sadness", "SU": "surprise"}
    for person, subject in enumerate(("S010", "S011", "S022"), start=1):
        for i, (label, word) in enumerate([*words.items(), ("DI", "contempt")], start=1):
            for frame in range(15, 18):
                picture = varied(square(f"BF{person:02d}{label}S", 48), 1000 * person + 100 * i + frame)
                save(picture, folder / "CK+48" / word / f"{subject}_{i:03d}_{frame:08d}.png", "L")
    return folder


def fer_rows() -> list[tuple[str, np.ndarray, str]]:
    """Label, picture (48, 48) and part: six of each label, four to train on."""
    rows = []
    for label in EMOTIONS:
        for i, part in enumerate(("Training", "Training", "Training", "Training", "PublicTest", "PrivateTest")):
            person = i % 3 + 1
            picture = varied(square(f"AF{person:02d}{label}S", 48), 7 * i + EMOTIONS.index(label)).mean(axis=2)
            rows.append((label, picture.astype(np.uint8), part))
    return rows


def write_fer2013_csv(folder: Path) -> Path:
    """FER2013's table with a copy across parts, a picture under two labels, a blank one and three broken rows."""
    codes = {"AN": 0, "DI": 1, "AF": 2, "HA": 3, "SA": 4, "SU": 5, "NE": 6}
    rows = fer_rows()
    leaked = rows[5]
    rows += [(leaked[0], leaked[1], "Training"), ("SU", rows[6][1], "Training"), ("HA", rows[6][1] * 0, "Training")]
    lines = ["emotion,pixels,Usage"]
    lines += [f"{codes[label]},{' '.join(map(str, picture.ravel()))},{part}" for label, picture, part in rows]
    good = lines[1].split(",")
    lines += [f"7,{good[1]},Training", f"0,{good[1]} 3,Training", f"0,{good[1]},Practice"]
    path = folder / "fer2013.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def write_fer2013(folder: Path) -> Path:
    """FER2013 in class folders: test/ holds both test parts; one picture of train/ is also in test/."""
    rows = fer_rows()
    rows.append((rows[5][0], rows[5][1], "Training"))
    for number, (label, picture, part) in enumerate(rows, start=1000):
        side = "train" if part == "Training" else "test"
        save(picture, folder / side / WORDS[label] / f"{part}_{number}.png", "L")
    return folder


def write_kaggle_kdef(folder: Path) -> Path:
    """KDEF as packed anew: four groups (two people, two sessions), seven expressions, three views."""
    for group, start in enumerate(("AF31", "BF31", "AM31", "BM31"), start=1):
        for label, word in WORDS.items():
            for view, angle in enumerate(("S", "HL", "FR")):
                number = 3 * EMOTIONS.index(label) + view + 1
                save(face(f"{start}{label}{angle}"), folder / "KDEF" / word / f"{group}_{number}.jpg")
    return folder


def write_csv(folder: Path) -> Path:
    """A table of one's own over pictures in a folder beside it; one picture is not there, one shows contempt."""
    lines = ["path,label,subject,session,view"]
    for person in range(1, 5):
        for label in EMOTIONS:
            for session in "AB":
                name = f"pictures/{person}-{WORDS[label]}-{session}.png"
                save(varied(square(f"AF{person:02d}{label}S", 48), 50 * person + ord(session)), folder / name)
                word = label if session == "A" else WORDS[label].title()
                lines.append(f"{name},{word},p{person},{session},S")
    lines += ["pictures/lost.png,happy,p1,A,S", "pictures/1-happy-A.png,contempt,p1,B,S"]
    path = folder / "table.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def write_folders(folder: Path) -> Path:
    """Class folders of one's own, with an expression that is none of the seven and a folder of something else."""
    for label in ("AN", "HA", "SU"):
        for i in range(1, 6):
            save(varied(square(f"AF{i:02d}{label}S", 48), i), folder / "mine" / WORDS[label].title() / f"{i}.png")
    save(square("AF01DIS", 48), folder / "mine" / "contempt" / "1.png")
    save(square("AF01DIS", 48), folder / "mine" / "holiday" / "1.png")
    return folder


RAFDB = dict(zip(("SU", "AF", "DI", "HA", "SA", "AN", "NE"), "1234567", strict=True))
AFFECTNET = dict(zip(("NE", "HA", "SA", "SU", "AF", "DI", "AN", "contempt"), "01234567", strict=True))
EXPW = dict(zip(("AN", "DI", "AF", "HA", "SA", "SU", "NE"), "0123456", strict=True))
FERPLUS = ("NE", "HA", "SU", "SA", "AN", "DI", "AF", "contempt", "unknown", "NF")


def web_faces(times: int = 3) -> Iterator[tuple[int, str, np.ndarray]]:
    """Number, label and picture (48, 48, 3) of so many faces of each expression."""
    for number, (i, label) in enumerate(((i, label) for i in range(times) for label in EMOTIONS), start=1):
        yield number, label, varied(square(f"AF{i + 1:02d}{label}S", 48), 900 + number)


def write_ferplus(folder: Path) -> Path:
    """FER2013's table and the votes of FER+ beside it: one of contempt, one without a majority, one without a face."""
    write_fer2013_csv(folder)
    lines = (folder / "fer2013.csv").read_text().splitlines()[1:]
    (folder / "fer2013.csv").write_text("\n".join(["emotion,pixels,Usage", *lines[:42]]) + "\n")
    table = ["Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"]
    odd = {
        3: [0] * 7 + [8, 2, 0],
        4: [4, 0, 0, 4, 1, 1, 0, 0, 0, 0],
        8: [0] * 9 + [10],
        9: [1, 0, 1] + [0] * 5 + [8, 0],
    }
    for i, (label, _, part) in enumerate(fer_rows()):
        votes = [7 if label == word else 1 if word in ("NE", "SA", "AF") else 0 for word in FERPLUS]
        table.append(",".join([part, f"fer{i:07d}.png", *map(str, odd.get(i, votes))]))
    (folder / "fer2013new.csv").write_text("\n".join(table) + "\n")
    return folder


def write_rafdb(folder: Path) -> Path:
    """RAF-DB's basic set: aligned faces and one whole photograph, a picture that no line lists, and the other list."""
    lines = []
    for number, label, picture in web_faces():
        name = f"test_{number:04d}" if number % 3 == 0 else f"train_{number:05d}"
        save(picture, folder / "basic" / "Image" / "aligned" / f"{name}_aligned.jpg")
        lines.append(f"{name}.jpg {RAFDB[label]}")
    save(square("AF01AFS", 48), folder / "basic" / "Image" / "original" / "train_00001.jpg")
    save(square("AF02AFS", 48), folder / "basic" / "Image" / "aligned" / "train_12000_aligned.jpg")
    save(square("AF03AFS", 48), folder / "compound" / "Image" / "aligned" / "train_0001_aligned.jpg")
    for home, text in (("basic", [*lines, "test_3000.jpg 4"]), ("compound", ["train_0001.jpg 11"])):
        (folder / home / "EmoLabel").mkdir(parents=True)
        (folder / home / "EmoLabel" / "list_patition_label.txt").write_text("\n".join(text) + "\n")
    return folder


def write_rafdb_folders(folder: Path) -> Path:
    """RAF-DB as on Kaggle: numbered folders, and a picture beside them."""
    for number, label, picture in web_faces():
        part, name = ("test", f"test_{number:04d}") if number % 3 == 0 else ("train", f"train_{number:05d}")
        save(picture, folder / "DATASET" / part / RAFDB[label] / f"{name}_aligned.jpg")
    save(square("AF02AFS", 48), folder / "DATASET" / "sample.jpg")
    (folder / "train_labels.csv").write_text("image,label\n")
    return folder


def write_affectnet(folder: Path) -> Path:
    """AffectNet: annotations beside images, one of contempt, one that is damaged, one picture without any."""
    for number, label, picture in [
        *web_faces(),
        (22, "contempt", square("AF01DIS", 48)),
        (23, "AF", square("AF02AFS", 48)),
    ]:
        home = folder / ("val_set" if number % 3 == 0 else "train_set")
        save(picture, home / "images" / f"{number}.jpg")
        (home / "annotations").mkdir(parents=True, exist_ok=True)
        np.save(home / "annotations" / f"{number}_exp.npy", np.array(AFFECTNET[label]))
        np.save(home / "annotations" / f"{number}_aro.npy", np.array("0.1"))
    (folder / "train_set" / "annotations" / "23_exp.npy").write_bytes(b"no numbers")
    save(square("AF03AFS", 48), folder / "train_set" / "images" / "24.jpg")
    return folder


def write_expw(folder: Path) -> Path:
    """ExpW: photographs with two faces each, boxes beside each other, and lines that are of no use."""
    lines = []
    faces = list(web_faces(4))
    for (number, left, one), (_, right, two) in zip(faces[::2], faces[1::2], strict=True):
        name = f"happy_people_{number}.png"
        save(np.hstack([one, two]), folder / "image" / "origin" / name)
        lines += [f"{name} 0 0 0 48 48 50.5 {EXPW[left]}", f"{name} 1 0 48 96 48 30.25 {EXPW[right]}"]
    lines += ["lost.png 0 0 0 48 48 50 3", "happy_people_1.png 2 0 0 48", "happy_people_1.png 3 90 90 99 99 9 3"]
    save(square("AF01AFS", 48), folder / "image" / "origin" / "unlisted.png")
    (folder / "label").mkdir()
    (folder / "label" / "label.lst").write_text("\n".join(lines) + "\n")
    return folder


def named(name: str, write: Callable[[Path], Path]) -> Callable[[Path], str]:
    """A set too small to be told for the whole data set: its layout is named."""
    return lambda folder: f"{name}:{write(folder)}"


WRITERS = {
    "kdef": write_kdef_official,
    "kaggle-kdef": named("kaggle-kdef", write_kaggle_kdef),
    "jaffe": write_jaffe,
    "ckplus": write_ckplus,
    "ckplus48": write_ckplus48,
    "fer2013-csv": named("fer2013-csv", write_fer2013_csv),
    "fer2013": write_fer2013,
    "ferplus": write_ferplus,
    "rafdb": write_rafdb,
    "rafdb-folders": write_rafdb_folders,
    "affectnet": write_affectnet,
    "expw": write_expw,
    "csv": write_csv,
    "folders": write_folders,
}

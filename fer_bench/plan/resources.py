"""What a plan may use: the device, and the weights that are there or can be fetched."""

from __future__ import annotations

import shutil
import subprocess
import sys

from fer_bench.errors import UserError, WeightsUnavailableError
from fer_bench.methods import WeightsSpec
from fer_bench.methods.weights import FoundWeights, fetch_weights, find_weights, misplaced_weights, nameless_weights
from fer_bench.utils.near import did_you_mean
from fer_bench.utils.progress import say

from .profiles import Profile
from .request import Request
from .skipped import SkippedLike

__all__ = ["WeightsFinder", "choose_device"]

_FETCH = "fer-bench weights fetch"


class WeightsFinder:
    """Weights by name, found or fetched once, with the reason where they cannot be had."""

    def __init__(self, request: Request, profile: Profile, fetch: bool) -> None:
        self._request, self._profile, self._fetch = request, profile, fetch
        self._known: dict[str, tuple[FoundWeights | None, str, SkippedLike | None]] = {}
        self._no_connection = ""
        self.downloads: list[WeightsSpec] = []
        self.notes = nameless_weights(request.weights_dir)

    def get(self, spec: WeightsSpec) -> tuple[FoundWeights | None, str, SkippedLike | None]:
        """Return the file, or None, why there is none, and what it has in common with others."""
        if spec.name not in self._known:
            self._known[spec.name] = self._look(spec)
        return self._known[spec.name]

    def _look(self, spec: WeightsSpec) -> tuple[FoundWeights | None, str, SkippedLike | None]:
        found = find_weights(spec, self._request.weights_dir)
        if found is not None:
            return found, "", None
        if misplaced := misplaced_weights(spec, self._request.weights_dir):
            reason = f"pretrained weights of {spec.name} are not found: {misplaced}"
            return None, reason, SkippedLike(f"want weights of {spec.name}, which are not found", misplaced)
        limit = self._profile.download_megabytes
        why = ""
        if self._request.offline:
            why = "--offline forbids the download"
        elif spec.megabytes > limit:
            why = f"the {self._profile.name} profile downloads at most {limit:.0f} MB a file"
        elif self._no_connection:
            why = self._no_connection
        elif not self._fetch:
            self.downloads.append(spec)
            return None, "", None
        else:
            try:
                return fetch_weights(spec), "", None
            except WeightsUnavailableError as error:
                why = self._no_connection = str(error)
                say(f"No weights: {why}")
        reason = (
            f"pretrained weights of {spec.name} ({spec.megabytes:.0f} MB) are not on this machine: {why}; "
            f"get them with `{_FETCH} {spec.name}`"
        )
        return None, reason, SkippedLike(f"want weights that are not on this machine ({why})", _FETCH, spec.name)


def choose_device(asked: str, executor: str) -> str:
    """Resolve ``auto``: a GPU counts where the driver lists one and the installed torch can use it."""
    if asked == "cpu":
        return "cpu"
    if asked == "cuda" and executor == "dask":
        return "cuda"  # a cluster's workers may have one where this machine has none
    if asked not in ("auto", "cuda"):
        raise UserError(f"`device` {asked}: expected auto, cpu or cuda{did_you_mean(asked, ('auto', 'cpu', 'cuda'))}")
    if _gpu_usable():
        return "cuda"
    if asked == "cuda":
        raise UserError("`device` cuda: no GPU that the installed torch can use; see `nvidia-smi`, or use `device` cpu")
    return "cpu"


def _gpu_usable() -> bool:
    if shutil.which("nvidia-smi") is None:
        return False
    # In a process of its own: the harness never imports torch.
    question = "import torch; print(torch.cuda.is_available())"
    answer = subprocess.run([sys.executable, "-c", question], capture_output=True, text=True, check=False)
    return answer.stdout.strip().endswith("True")

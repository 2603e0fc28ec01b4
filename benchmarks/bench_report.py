"""How long a report takes, how much memory, and how large its page becomes, on simulated predictions.

    python benchmarks/bench_report.py                       # 60 methods x 3 protocols x 4,900 images
    python benchmarks/bench_report.py --methods 150         # more methods than any suite has

The run is simulated (tests/report/simulate.py): figures mean nothing, sizes are those of a full KDEF run. A process of
its own writes the report, so that memory is the report's alone; seconds are given by the clock and of the processor,
since a busy machine stretches the clock.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PROTOCOLS = ("subject-10fold", "random-10fold", "session-out")
CHILD = """
import json, re, sys, time
from pathlib import Path
from fer_bench.report import write_report
write_report([Path(sys.argv[1])])
# Not ru_maxrss, which a new process takes over from the one that started it.
peak = int(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024
print(json.dumps({"cpu_seconds": round(time.process_time(), 1), "peak_mb": round(peak)}))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--methods", type=int, default=60)
    parser.add_argument("--people", type=int, default=70, help="70 images each: 70 people make 4,900")
    parser.add_argument("--protocols", type=int, default=3, choices=(1, 2, 3))
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run = simulated(Path(folder) / "run", asked.methods, asked.people, PROTOCOLS[: asked.protocols])
        print(json.dumps(measure(run), indent=1))


def simulated(folder: Path, methods: int, people: int, protocols: tuple[str, ...] = PROTOCOLS) -> Path:
    """Write a simulated run of so many methods, the suite's own names first."""
    sys.path.insert(0, str(ROOT / "tests" / "report"))
    from simulate import Simulation, all_methods, write_run

    names = list(all_methods())
    copies = [f"{head}{copy}-{tail}" for copy in range(2, 2 + methods // len(names)) for head, _, tail in
              (name.partition("-") for name in names)]  # fmt: skip
    step = max(1, len(names) // methods)
    chosen = (*names[::step], *(name for name in names if name not in names[::step]), *copies)[:methods]
    return write_run(folder, Simulation(people=people, protocols=protocols, methods=tuple(chosen)))


def measure(run: Path) -> dict[str, Any]:
    """Write the report in a process of its own, and say what it took."""
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-P", "-c", CHILD, str(run)], check=True, stdout=subprocess.PIPE, encoding="utf-8"
    )
    return {
        "seconds": round(time.perf_counter() - start, 1),
        **json.loads(done.stdout.splitlines()[-1]),
        "html_mb": round((run / "report.html").stat().st_size / 1e6, 2),
        "markdown_mb": round((run / "report.md").stat().st_size / 1e6, 2),
        "json_mb": round((run / "tables" / "report.json").stat().st_size / 1e6, 2),
    }


if __name__ == "__main__":
    main()

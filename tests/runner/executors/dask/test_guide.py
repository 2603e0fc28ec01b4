"""What docs/cluster.md tells people to type, and what they are told where Dask or its scheduler is not there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[4]


@pytest.mark.slow
def test_the_guides_commands_start_a_cluster(kdef_folder, tmp_path):
    """What docs/cluster.md starts by hand runs as it stands there, on a smaller suite."""
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "docs" / "cluster.md").read_text(), re.DOTALL)
    start = next(block for block in blocks if block.startswith("# start"))
    run = next(block for block in blocks if block.startswith("# run"))
    assert "--suite classical" in run
    smaller = run.replace("--suite classical", f"--suite classical --only knn-pixels --data {kdef_folder}")
    # The lines in the order in which people type them; all end with the shell.
    wait = "while [ ! -s cluster.json ]; do sleep 0.1; done\n"
    script = f"trap 'kill $(jobs -p)' EXIT\n{start}{wait}{smaller}"
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = ["bash", "-c", script]
    environment = {**os.environ, "PATH": path}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (pd.read_csv(tmp_path / "runs" / "cluster" / "trials.csv")["state"] == "ok").all()


@pytest.mark.slow
def test_the_guides_slurm_jobs_ask_for_what_trials_need(tmp_path, monkeypatch):
    """The recipe for Slurm gives a job of one core and one thread, with the memory that it names."""
    jobqueue = pytest.importorskip("dask_jobqueue", reason="the recipe's package is not needed by anything else")
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "cluster.md").read_text(), re.DOTALL)
    made = []

    class Recorded(jobqueue.SLURMCluster):
        def scale(self, n=None, jobs=0):
            if jobs:
                made.append(self.job_script())
                self.close()
                raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(jobqueue, "SLURMCluster", Recorded)
    with pytest.raises(KeyboardInterrupt):
        exec(compile(blocks[0], "slurm_run.py", "exec"), {"__name__": "__main__"})
    for line in ("#SBATCH --cpus-per-task=1", "#SBATCH --mem=4G", "#SBATCH -t 08:00:00", "--nthreads 1"):
        assert line in made[0]


def test_dask_is_an_extra():
    """Nothing of it is imported without --executor dask; with it, where it is not installed, a sentence says so."""
    script = """
import sys
import fer_bench.cli.app, fer_bench.runner.run, fer_bench.runner.executors.local
from fer_bench.errors import UserError
from fer_bench.runner.executors import get_executor
assert not {"dask", "distributed"} & set(sys.modules)
sys.modules["distributed"] = None  # as if it were not installed
try:
    get_executor("dask", "tcp://localhost:8786")
except UserError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, text=True, check=True)
    assert (
        "distributed is not installed; install it with `pip install -c constraints.txt '.[dask]'` in the clone"
        in done.stdout
    )


def test_without_a_scheduler_nothing_is_begun(cli, tmp_path):
    """A scheduler that does not answer is found out before data are read: exit code 2, no folder."""
    done = cli("run", "--executor", "dask", "--scheduler", "tcp://127.0.0.1:9", "--out", "r", expect=2)
    assert "no Dask scheduler answers there (Connection refused)" in done.stderr
    assert not (tmp_path / "r").exists()

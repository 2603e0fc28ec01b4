"""How many built-in rendered faces a second.

    pytest benchmarks/bench_render.py --benchmark-columns=min,median

The extra column ``pictures_per_second`` is the figure of docs/faces.md. Workers are spawned inside the timed call, as
for a user; the small size renders enough pictures for that not to matter.
"""

import pytest

from fer_bench.data.render import portrait_names, render_many, render_portrait


def consume(n: int, size: tuple[int, int], workers: int) -> int:
    return sum(1 for _ in render_many(portrait_names(70)[:n], size=size, workers=workers))


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(("size", "n"), [((128, 128), 980), ((94, 128), 980), ((562, 762), 70)])
def test_pictures_per_second(benchmark, size, n, workers):
    """Rendering many portraits, in the order of their names."""
    render_portrait("AF01NES", size=size)
    done = benchmark.pedantic(consume, (n, size, workers), rounds=2)
    assert done == n
    benchmark.extra_info["pictures_per_second"] = round(n / benchmark.stats.stats.min, 1)


def test_one_full_size_portrait(benchmark):
    """A single portrait with a warm cache of its person."""
    render_portrait("AF01NES")
    benchmark.pedantic(render_portrait, ("AF01NEHL",), rounds=5, warmup_rounds=1)

"""Score intervals of shares over people: Wilson's, with the variation between people in place of independent images."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri, stdtrit

from .people import Floats, Statistic, jackknife_error

__all__ = ["score_bounds", "wilson_bounds"]

PRIOR_ERRORS = 6.0
"""So many images count for what is assumed of the variation between people where few images tell of it; more of them
where people are few, in whom the variation is known worse."""

PRIOR_CORRELATION = 0.03
PRIOR_MOST = 3.0
"""What is assumed: images of one person go together by this much, and inflate the variance by no more than this."""


def score_bounds(counts: Floats, statistic: Statistic, value: float, n: int, level: float) -> tuple[float, float]:
    """Bounds of a share that varies over people.

    Wilson's score interval, whose width follows the share that is tried and not the one that was found, with Student's
    t and the variance inflated by the design effect: the leave-one-person-out variance over that of as many independent
    images (Kish 1965, Survey Sampling; the idea is Korn and Graubard's, 1998, Survey Methodology 24:193-201). A plain t
    interval is too narrow near 0 and 1, and its width there jumps.

    Near 0 and 1 few images tell of the design effect: it is shrunk to an assumed one, so that the bounds rise steadily
    to those of all right. What is assumed was not estimated, so t has more than people - 1 degrees of freedom, by as
    much as the estimated part is less than the whole (Satterthwaite 1946, doi 10.2307/3002019): with people - 1 of them
    five people would be covered in 98 to 99 of 100. They are never narrower than Wilson's for independent images.

    Parameters
    ----------
    counts : (people, k)
        At least two people.
    statistic : callable
        (m, k) sums -> (m,) values in [0, 1].
    value : float
    n : int
        Images behind the figure.
    level : float

    Returns
    -------
    float, float
        NaN where one person leaves no figure.
    """
    error, freedom = jackknife_error(counts, statistic)
    if freedom < 1 or n < 1:
        return float("nan"), float("nan")
    alone = value * (1 - value) / n
    found = error**2 / alone if alone > 1e-12 / n else 1.0
    each = n / (freedom + 1)
    assumed = min(1 + max(0.0, each - 1) * PRIOR_CORRELATION, PRIOR_MOST)
    rarer = n * min(value, 1 - value)
    middle = 0.5 + level / 2
    z2 = float(ndtri(middle)) ** 2
    weight = rarer / (rarer + PRIOR_ERRORS * float(stdtrit(freedom, middle)) ** 2 / z2)
    inflated = weight * found + (1 - weight) * assumed
    # A part that was not estimated adds no doubt of its own; where that is all of it, t is the normal quantile. Three
    # people keep theirs: t falls so steeply with its degrees of freedom there that bounds would not rise steadily.
    more = freedom * (inflated / max(weight * found, 1e-6 * inflated)) ** 2 if freedom > 2 else freedom
    return wilson_bounds(value, n, max(float(stdtrit(more, middle)) ** 2 * inflated, z2))


def wilson_bounds(share: float, n: float, squared: float) -> tuple[float, float]:
    """Solve ``(share - p)^2 = squared p (1 - p) / n`` for p: Wilson 1927, doi 10.1080/01621459.1927.10502953.

    Parameters
    ----------
    share : float
        Found, in [0, 1].
    n : float
        Images.
    squared : float
        The squared quantile, such as 1.96 squared, times any design effect.
    """
    wide = squared / n
    half = float(np.sqrt(wide * (share * (1 - share) + wide / 4))) / (1 + wide)
    centre = (share + wide / 2) / (1 + wide)
    low = 0.0 if share == 0 else max(0.0, centre - half)
    return low, 1.0 if share == 1 else min(1.0, centre + half)

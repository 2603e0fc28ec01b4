"""What a test over people would find with a stated power."""

from __future__ import annotations

import math
from functools import lru_cache

from scipy.special import gammaln, nctdtr, ndtri

__all__ = ["POWER", "critical_t", "detectable_shift"]

POWER = 0.8
"""Share of test sets in which a detectable difference is found."""

_MANY = 1_000
"""From this many people on t is normal for all that is printed."""


def critical_t(critical: float, people: int) -> float:
    """Turn a critical total over root sum of squares, as sign flips give it, into the same bound of Student's t.

    With T the total over the root of the sum of squares, t = T sqrt((n - 1) / (n - T^2)).

    Returns
    -------
    float
        Infinite where no data of so many people could reach it.
    """
    room = people - critical**2
    return critical * math.sqrt((people - 1) / room) if room > 1e-6 * people else math.inf


@lru_cache(maxsize=4096)
def detectable_shift(critical: float, people: int, power: float = POWER) -> float:
    """True difference, in estimated standard errors over people, that exceeds a critical value with this power.

    t is noncentral with people - 1 degrees of freedom (Johnson and Welch 1940, doi 10.1093/biomet/31.3-4.362), not a
    shifted t, which promises too much for few people; and the estimated standard error is divided by its mean share of
    the true one (c4), which is below one for few people.

    Parameters
    ----------
    critical : float
        As `critical_t` takes it.
    people : int
    power : float

    Returns
    -------
    float
        NaN for fewer than two people, and where nothing would be found.
    """
    if people < 2 or not math.isfinite(critical):
        return math.nan
    bound, freedom = critical_t(critical, people), people - 1
    if math.isinf(bound):
        return math.nan
    if people > _MANY:
        return bound + float(ndtri(power))
    # A command that needs no power starts a fifth of a second sooner without it.
    from scipy.optimize import brentq

    found = brentq(lambda shift: 1 - power - float(nctdtr(freedom, shift, bound)), 0.0, 3 * bound + 10)
    share = math.sqrt(2 / freedom) * math.exp(gammaln(people / 2) - gammaln(freedom / 2))
    return float(found) / share

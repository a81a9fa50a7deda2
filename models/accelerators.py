"""From the lists that readings hold, one for each measure, to the columns of their accelerators."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from models.columns import UNSAID, AcceleratorColumns, AcceleratorMeasure, Integers, spread, starts_of


def gathered(
    installed: Integers, said: Mapping[AcceleratorMeasure, tuple[Integers, Integers]]
) -> AcceleratorColumns | None:
    """From the values of each measure, each with the reading that it belongs to; none where no reading says any.

    What a reading says in more or fewer values than it has accelerators is left out.
    """
    readings = len(installed)
    spoken = np.zeros(readings, dtype=np.bool_)
    counts = {measure: np.bincount(owners, minlength=readings) for measure, (owners, _) in said.items()}
    for measure, (owners, values) in said.items():
        heard = np.bincount(owners[values != UNSAID[measure]], minlength=readings) > 0
        spoken |= heard & (counts[measure] == installed)
    if not spoken.any():
        return None
    lengths = np.where(spoken, installed, 0)
    columns = AcceleratorColumns(lengths, np.repeat(UNSAID, lengths.sum(), axis=1))
    for measure, (owners, values) in said.items():
        if np.array_equal(counts[measure], lengths):
            columns.values[measure] = values
            continue
        kept = spoken & (counts[measure] == installed)
        places = spread(starts_of(lengths)[kept], lengths[kept])
        columns.values[measure, places] = values[kept[owners]]
    return columns

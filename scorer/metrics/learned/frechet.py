"""The Frechet distance between two sets of features, its standard error, and the form in which features are kept."""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

from scorer.metrics.base import Floats, JsonRow

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Features: TypeAlias = "NDArray[np.floating]"
"""(n, d): a row a thing."""


def frechet_distance(first: Features, second: Features) -> float:
    """Squared Frechet distance of the normal distributions with the mean and covariance of two sets of features (n, d) and (m, d).

    |mu_1 - mu_2|^2 + tr(S_1) + tr(S_2) - 2 tr((S_1 S_2)^(1/2)), covariances S with n - 1 in their denominators; 0..inf.
    Source: Dowson and Landau 1982; as FID: Heusel et al. 2017. The last trace is the sum of the singular values of X_1 X_2^T, X the
    centred features over sqrt(n - 1). That is the same number for any n and d, also if covariances are singular (n <= d), so nothing is
    added to their diagonals; the covariance of a single row is 0.

    >>> import numpy as np
    >>> frechet_distance(np.array([[0.0], [2.0]]), np.array([[3.0], [5.0]]))
    9.0
    >>> round(frechet_distance(np.array([[0.0], [2.0]]), np.array([[0.0], [4.0]])), 9)  # 1 + (sqrt(8) - sqrt(2))^2
    3.0
    """
    return _Pair(first, second).distance


def frechet_with_influences(
    first: Features, second: Features, *, first_owners: Sequence[int], second_owners: Sequence[int], count: int
) -> tuple[float, list[float]]:
    """The distance, and each of ``count`` instances' first-order share in its deviation (they add up to 0).

    owners: which instance each row of features is of; an instance counts with its rows in both sets. The trace's derivative at S_1
    along D is tr(T D) / 2 with the optimal map T between the normal distributions (Bures 1969; Olkin and Pukelsheim 1982).
    """
    import numpy as np

    pair = _Pair(first, second)
    shares = np.zeros(count)
    for influences, owners in zip(pair.influences(), (first_owners, second_owners), strict=True):
        np.add.at(shares, np.asarray(owners, dtype=np.intp), influences / len(influences))
    return pair.distance, [float(share) for share in shares]


class _Pair:
    def __init__(self, first: Features, second: Features) -> None:
        import numpy as np

        self._rows = [np.asarray(rows, dtype=np.float64) for rows in (first, second)]
        means = [rows.mean(axis=0) for rows in self._rows]
        self._centred = [rows - mean for rows, mean in zip(self._rows, means, strict=True)]
        self._difference = means[0] - means[1]
        # An orthogonal basis of the rows' span if there are more rows than columns: the product below stays small.
        reduced = [np.linalg.qr(rows) if len(rows) > rows.shape[1] else (None, rows) for rows in self._centred]
        self._bases = [basis for basis, _rows in reduced]
        scales = [math.sqrt(max(1, len(rows) - 1)) for rows in self._rows]
        product = (reduced[0][1] / scales[0]) @ (reduced[1][1] / scales[1]).T
        self._left, self._values, right = np.linalg.svd(product, full_matrices=False)
        self._right = right.T
        squares = [float(np.square(rows).sum()) / max(1, len(rows) - 1) for rows in self._centred]
        found = float(self._difference @ self._difference) + math.fsum(squares) - 2.0 * float(self._values.sum())
        self.distance = max(0.0, found)  # rounding can take equal sets below

    def influences(self) -> list[Floats]:
        import numpy as np

        found = []
        for rows, basis, vectors, sign in zip(self._centred, self._bases, (self._left, self._right), (1.0, -1.0), strict=True):
            spread = np.square(rows).sum(axis=1)
            whole = vectors if basis is None else basis @ vectors
            moved = np.square(whole) @ self._values * len(rows)
            found.append(2.0 * sign * rows @ self._difference + (spread - spread.mean()) - (moved - moved.mean()))
        return found


def packed(features: Features) -> JsonRow:
    """Features (n, d) as plain JSON: [n, d, base64 of little-endian float32]. Raises ValueError for numbers that are not finite.

    >>> import numpy as np
    >>> unpacked(packed(np.array([[1.0, 2.5]])))
    array([[1. , 2.5]], dtype=float32)
    """
    import numpy as np

    array = np.ascontiguousarray(features, dtype="<f4")
    if array.ndim != 2 or not np.isfinite(array).all():
        raise ValueError(f"features of shape {array.shape} are not finite numbers in rows")
    return [*array.shape, base64.b64encode(array.tobytes()).decode("ascii")]


def unpacked(kept: JsonRow) -> NDArray[np.float32]:
    """The inverse of ``packed``: float32 (n, d)."""
    import numpy as np

    rows, columns, text = kept
    return np.frombuffer(base64.b64decode(text), dtype="<f4").reshape(rows, columns)

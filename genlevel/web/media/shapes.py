"""Point clouds and meshes as the few numbers that the viewer draws (static/viewer3d.js)."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAGIC = b"GL3D"
MOST = 200_000
"""Points, and triangles, that are drawn."""
_SEED = 20261129
HEADER = struct.Struct("<4s4I4d2I")
"""MAGIC, points, triangles, whether points have colours, 0; the centre's x, y, z and half the longest side; all points and triangles of the
file.

Behind it, little-endian: positions float32 (points, 3), less the centre and divided by half the longest side, so that they lie within
-1..1; triangles uint32 (triangles, 3); colours uint8 (points, 3), if there are any.
"""


def shape_bytes(path: Path) -> bytes:
    """A shape for the viewer. Of more than MOST points some are drawn, evenly; of a mesh of more than MOST triangles points of its surface.

    Raises Undecodable.
    """
    import numpy as np

    from scorer.media.bounds import decoding
    from scorer.media.points import MESHES, on_surface, read_mesh, read_points

    triangles: NDArray[np.int64] = np.zeros((0, 3), dtype=np.int64)
    if path.suffix in MESHES:
        points, triangles = read_mesh(path)
    else:
        points = read_points(path)
    colours = _colours(path, len(points))
    all_points, all_triangles = len(points), len(triangles)
    if all_triangles > MOST or (all_triangles and all_points > MOST):
        with decoding(path, "mesh"):
            points, triangles, colours = on_surface(points, triangles, MOST, _SEED), triangles[:0], None
    elif all_points > MOST:
        chosen = np.linspace(0, all_points - 1, MOST).astype(np.int64)
        points, colours = points[chosen], None if colours is None else colours[chosen]
    finite = np.isfinite(points).all(axis=1)
    if not finite.all():
        points, colours = points[finite], None if colours is None else colours[finite]
    return packed(points, triangles, colours, all_points, all_triangles)


def packed(
    points: NDArray[np.float64],
    triangles: NDArray[np.int64],
    colours: NDArray[np.uint8] | None,
    all_points: int,
    all_triangles: int,
) -> bytes:
    """As HEADER says. points: (N, 3), finite. triangles: (M, 3), of points that are there. colours: (N, 3)."""
    import numpy as np

    low, high = (points.min(axis=0), points.max(axis=0)) if len(points) else (np.zeros(3), np.zeros(3))
    centre = (low + high) / 2.0
    half = max(float((high - low).max()) / 2.0, 1e-12)
    head = HEADER.pack(MAGIC, len(points), len(triangles), int(colours is not None), 0, *centre.tolist(), half, all_points, all_triangles)
    parts = [head, ((points - centre) / half).astype("<f4").tobytes(), triangles.astype("<u4").tobytes()]
    return b"".join([*parts, b"" if colours is None else np.ascontiguousarray(colours, dtype=np.uint8).tobytes()])


def _colours(path: Path, count: int) -> NDArray[np.uint8] | None:
    """The colours of a PLY's vertices; None if it has none, or not one for each."""
    import numpy as np
    from trimesh.exchange.ply import load_ply

    with path.open("rb") as file:
        if path.suffix != ".ply" or b" red\n" not in file.read(4096).replace(b"\r\n", b"\n"):
            return None
        file.seek(0)
        try:
            data = load_ply(file, fix_texture=False, skip_materials=True)["metadata"]["_ply_raw"]["vertex"]["data"]
            channels = [np.asarray(data[name]).reshape(-1) for name in ("red", "green", "blue")]
        except Exception:  # a loader of somebody else's format; its shape was read, only its colours are not there
            return None
    found = np.stack(channels, axis=1)
    return found.astype(np.uint8) if len(found) == count and found.dtype.kind in "iu" and found.max(initial=0) <= 255 else None

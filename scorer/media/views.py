"""Pictures of point clouds and meshes, so that networks of pictures can look at them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from scorer.media.points import MESHES, read_cloud

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

VIEWS = 8
SIDE = 224
POINTS = 60_000
ELEVATION_DEGREES = 15.0
_CLOUDS = MESHES | {".pcd", ".xyz", ".pts", ".asc", ".bin"}
_SEED = 20250504
_BACKGROUND, _DARKEST, _BRIGHTEST = 255, 40, 215


def is_shape(path: str | Path) -> bool:
    """Whether a file is a point cloud or mesh by its name."""
    return Path(path).suffix.lower() in _CLOUDS


def views(path: str | Path, count: int = VIEWS) -> NDArray[np.uint8]:
    """uint8 (count, 224, 224, 3): a shape seen from ``count`` sides, all the way round, from 15 degrees above. Raises Undecodable.

    A mesh's surface is drawn as 60,000 points. Grey on white, nearer is brighter; colours and textures are not read. y is up, as in glTF;
    the shape's bounding sphere fills the picture; parallel projection.
    """
    import numpy as np

    points = read_cloud(path, POINTS, _SEED)
    if len(points) > POINTS:
        points = points[np.random.default_rng(_SEED).choice(len(points), POINTS, replace=False)]
    points = points - (points.max(axis=0) + points.min(axis=0)) / 2.0
    points = points / max(float(np.linalg.norm(points, axis=1).max()), 1e-12)
    return np.stack([_view(points, 2.0 * math.pi * index / count) for index in range(count)])


def _view(points: NDArray[np.float64], azimuth: float) -> NDArray[np.uint8]:
    import numpy as np

    elevation = math.radians(ELEVATION_DEGREES)
    right = np.array([math.cos(azimuth), 0.0, -math.sin(azimuth)])
    towards = np.array([math.sin(azimuth) * math.cos(elevation), math.sin(elevation), math.cos(azimuth) * math.cos(elevation)])
    across, up, depth = points @ right, points @ np.cross(towards, right), points @ towards
    # A few points are drawn large, many small, so that a sparse cloud is still seen as a body.
    radius = 1 if len(points) > 20_000 else 2
    margin = radius + 2
    scale = SIDE / 2.0 - margin
    columns, rows = np.rint(SIDE / 2.0 - 0.5 + across * scale).astype(int), np.rint(SIDE / 2.0 - 0.5 - up * scale).astype(int)
    low, high = float(depth.min()), float(depth.max())
    share = (depth - low) / (high - low) if high > low else np.ones_like(depth)
    grey = np.rint(_DARKEST + (_BRIGHTEST - _DARKEST) * share).astype(np.uint8)
    canvas = np.full((SIDE, SIDE), _BACKGROUND, np.uint8)
    order = np.argsort(depth, kind="stable")  # the nearest last, over all others
    columns, rows, grey = columns[order], rows[order], grey[order]
    nearest = np.full((SIDE, SIDE), -1, np.int64)
    positions = np.arange(len(grey))
    for down in range(-radius, radius + 1):
        for over in range(-radius, radius + 1):
            np.maximum.at(nearest, (rows + down, columns + over), positions)
    drawn = nearest >= 0
    canvas[drawn] = grey[nearest[drawn]]
    return np.repeat(canvas[:, :, None], 3, axis=2)

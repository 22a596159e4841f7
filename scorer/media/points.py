"""Point clouds and meshes.

Meshes: PLY, OBJ, OFF, STL, GLB (by trimesh; materials, textures and anything in other files are left alone). Clouds: the vertices
of these, PCD, NumPy arrays, text with x y z first in each row (.xyz, .txt, .pts, .csv, .asc) and KITTI's .bin (float32 x, y, z, intensity).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeAlias, TypedDict

from scorer.media.arrays import Floats, Numbers, is_array, read_array
from scorer.media.bounds import MAX_POINTS, Undecodable, decoding, open_file, suffix

if TYPE_CHECKING:
    import numpy as np
    import trimesh
    from numpy.typing import NDArray

Points: TypeAlias = Floats
"""(N, 3)."""

MESHES = frozenset({".ply", ".obj", ".off", ".stl", ".glb"})
_MOST_BYTES = 256 << 20
_MOST_TEXT_BYTES = 64 << 20
_MOST_GLB_JSON = 4 << 20
_MOST_SHAPES = 5_000
_LONGEST_LINE = 10_000
_FARTHEST = 1e12
"""Larger coordinates are not measurements, and their squares would not be finite."""
_MOST_COLUMNS = 64


def read_points(path: str | Path) -> Points:
    """float64 (N, 3), N >= 1: points of a cloud, vertices of a mesh. Raises Undecodable.

    Points that have no finite coordinates (holes of a depth camera) are left out.
    """
    import numpy as np

    with decoding(path, "point cloud"), open_file(path, _MOST_BYTES) as file:
        start = file.read(16)
        file.seek(0)
        ending = suffix(path)
        if is_array(start) and ending not in MESHES:
            array = read_array(path, MAX_POINTS * _MOST_COLUMNS)
            if array.ndim != 2 or not 3 <= array.shape[1] <= _MOST_COLUMNS:
                raise Undecodable(f"has the shape {array.shape}, not (points, 3)")
            return _checked(array[:, :3])
        if ending in MESHES or start.startswith(_MESH_STARTS):
            return _checked(_mesh(file, start, ending)[0])
        if ending == ".pcd" or start.startswith((b"# .PCD", b"VERSION")):
            from scorer.media.pcd import read_pcd

            return _checked(read_pcd(file, ("x", "y", "z")))
        if ending == ".bin":
            return _checked(np.frombuffer(_whole_rows(file, 16), dtype="<f4").reshape(-1, 4)[:, :3])
        return _checked(_text(file, (0, 1, 2)))


def read_point_labels(path: str | Path) -> NDArray[np.int64]:
    """int64 (N,): the number of each point's class. Raises Undecodable.

    An array (N,) of whole numbers, SemanticKITTI's .label (the lower 16 bits), the property "label" (a PLY's also "class"
    or "scalar_Label") of a PLY or PCD, or text with the number last in each row.
    """
    import numpy as np

    with decoding(path, "point labels"), open_file(path, _MOST_BYTES) as file:
        start = file.read(16)
        file.seek(0)
        if is_array(start):
            array = read_array(path, MAX_POINTS)
            labels = array.reshape(-1) if array.ndim == 2 and 1 in array.shape else array
        elif suffix(path) == ".label":
            labels = np.frombuffer(_whole_rows(file, 4), dtype="<u4") & 0xFFFF
        elif start.startswith(b"ply"):
            labels = _ply_labels(file)
        elif suffix(path) == ".pcd" or start.startswith(b"# .PCD"):
            from scorer.media.pcd import read_pcd

            labels = read_pcd(file, ("label",))[:, 0]
        else:
            labels = _text(file, (-1,))[:, 0]
        if labels.ndim != 1 or not 1 <= len(labels) <= MAX_POINTS:
            raise Undecodable(f"has the shape {labels.shape}, not (points,)")
        if labels.dtype.kind == "f" and not (np.all(np.isfinite(labels)) and np.array_equal(labels, np.rint(labels))):
            raise Undecodable("holds numbers that are not whole, so they are not classes")
        return labels.astype(np.int64)


def read_vectors(path: str | Path) -> Points:
    """float64 (N, 3), row by row as the file has them: an array, or text with three numbers first in each row. Raises Undecodable."""
    import numpy as np

    with decoding(path, "vectors"), open_file(path, _MOST_BYTES) as file:
        start = file.read(16)
        file.seek(0)
        rows = read_array(path, MAX_POINTS * _MOST_COLUMNS) if is_array(start) else _text(file, (0, 1, 2))
        if rows.ndim != 2 or not 3 <= rows.shape[1] <= _MOST_COLUMNS or not 1 <= len(rows) <= MAX_POINTS:
            raise Undecodable(f"has the shape {rows.shape}, not (vectors, 3)")
        return np.asarray(rows[:, :3], dtype=np.float64)


def read_mesh(path: str | Path) -> tuple[Points, NDArray[np.int64]]:
    """(vertices float64 (N, 3), triangles int64 (M, 3)) of a mesh; M is 0 for a mesh format that holds only points. Raises Undecodable."""
    with decoding(path, "mesh"), open_file(path, _MOST_BYTES) as file:
        start = file.read(16)
        file.seek(0)
        if suffix(path) not in MESHES and not start.startswith(_MESH_STARTS):
            raise Undecodable("is not a PLY, OBJ, OFF, STL or GLB file")
        return _mesh(file, start, suffix(path))


def sample_surface(path: str | Path, n: int, seed: int) -> Points:
    """float64 (n, 3): points drawn evenly over a mesh's surface; the same for the same seed.

    Raises Undecodable, also for a mesh without a surface.
    """
    vertices, triangles = read_mesh(path)
    with decoding(path, "mesh"):
        return on_surface(vertices, triangles, n, seed)


def read_cloud(path: str | Path, n: int, seed: int) -> Points:
    """A mesh's surface as ``sample_surface`` draws it; the points themselves of anything without triangles. Raises Undecodable."""
    with open_file(path) as file:
        start = file.read(16)
    if suffix(path) in MESHES or start.startswith(_MESH_STARTS):
        vertices, triangles = read_mesh(path)
        with decoding(path, "mesh"):
            return on_surface(vertices, triangles, n, seed) if len(triangles) else _checked(vertices)
    return read_points(path)


def on_surface(vertices: Points, triangles: NDArray[np.int64], n: int, seed: int) -> Points:
    """float64 (n, 3): evenly over the triangles' area. Source: Osada et al. 2002, section 3.2."""
    import numpy as np

    corners = vertices[triangles]
    areas = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1) / 2.0
    total = areas.sum()
    if not np.isfinite(total) or total <= 0.0:
        raise Undecodable("has no surface")
    generator = np.random.Generator(np.random.PCG64(seed))
    chosen = corners[np.searchsorted(np.cumsum(areas), generator.random(n) * total, side="right").clip(max=len(areas) - 1)]
    along = np.sqrt(generator.random((n, 1)))
    across = generator.random((n, 1))
    points: Points = (1.0 - along) * chosen[:, 0] + along * (1.0 - across) * chosen[:, 1] + along * across * chosen[:, 2]
    return points


_MESH_STARTS = (b"ply", b"glTF", b"OFF", b"solid ")


def _mesh(file: BinaryIO, start: bytes, ending: str) -> tuple[Points, NDArray[np.int64]]:
    import io

    import numpy as np
    import trimesh

    if start.startswith(b"glTF"):
        ending = ".glb"
        _check_glb(file)
    elif start.startswith(b"ply"):
        ending = ".ply"
        _check_ply(file)
    elif ending not in MESHES:
        ending = ".off" if start.startswith(b"OFF") else ".stl"
    content = file.read(_MOST_BYTES)
    if len(content) > _MOST_TEXT_BYTES and b"\0" not in content[:4096]:
        raise Undecodable(f"has {len(content):,} bytes; of a mesh as text at most {_MOST_TEXT_BYTES:,} are read")
    # From memory: by a file's name trimesh would look for others beside it.
    scene = trimesh.load_scene(io.BytesIO(content), file_type=ending[1:], process=False, **_options(ending))
    # A scene can place one shape many times.
    placed = [scene.graph[name] for name in scene.graph.nodes_geometry]
    if sum(_size(scene.geometry[shape]) for _matrix, shape in placed) > MAX_POINTS:
        raise Undecodable(f"has more than {MAX_POINTS:,} vertices and triangles")
    parts = [scene.geometry[shape].copy().apply_transform(matrix) for matrix, shape in placed]
    points, triangles, count = [], [], 0
    for part in parts:
        corners = np.asarray(part.vertices, dtype=np.float64).reshape(-1, 3)
        faces = np.asarray(getattr(part, "faces", np.zeros((0, 3))), dtype=np.int64).reshape(-1, 3)
        if len(faces) and (faces.min() < 0 or faces.max() >= len(corners)):
            raise Undecodable("has a triangle of vertices that do not exist")
        points.append(corners)
        triangles.append(faces + count)
        count += len(corners)
    vertices = np.concatenate(points) if points else np.zeros((0, 3))
    faces = np.concatenate(triangles) if triangles else np.zeros((0, 3), dtype=np.int64)
    if not 1 <= len(vertices) <= MAX_POINTS or len(faces) > MAX_POINTS:
        raise Undecodable(f"has {len(vertices):,} vertices and {len(faces):,} triangles; 1 to {MAX_POINTS:,} are read")
    if not len(faces):
        return vertices, faces
    if not np.all(np.isfinite(vertices)) or np.abs(vertices).max() > _FARTHEST:
        raise Undecodable("has vertices that are not finite numbers")
    return vertices, faces


def _size(shape: trimesh.Trimesh | trimesh.PointCloud) -> int:
    return len(shape.vertices) + len(getattr(shape, "faces", ()))


class _Options(TypedDict, total=False):
    """What trimesh's loaders are told."""

    fix_texture: bool
    skip_materials: bool
    maintain_order: bool


def _options(ending: str) -> _Options:
    """No textures, and vertices in the file's order."""
    options: dict[str, _Options] = {
        ".ply": {"fix_texture": False, "skip_materials": True},
        ".obj": {"skip_materials": True, "maintain_order": True},
        ".glb": {"skip_materials": True},
    }
    return options.get(ending, {})


def _check_ply(file: BinaryIO) -> None:
    """The counts that the header claims, before anything is made of that size."""
    for _line in range(1000):
        words = file.readline(1000).split()
        if not words or words[0] == b"end_header":
            break
        if words[0] == b"element" and len(words) == 3 and int(words[2]) > MAX_POINTS:
            raise Undecodable(f"has {int(words[2]):,} {words[1].decode(errors='replace')} entries; at most {MAX_POINTS:,} are read")
    file.seek(0)


def _check_glb(file: BinaryIO) -> None:
    """The sizes that a GLB's JSON claims: shapes may name the same numbers many times, or numbers that are not in the file."""
    import json

    head = file.read(20)
    length = int.from_bytes(head[12:16], "little")
    if head[16:20] != b"JSON" or length > _MOST_GLB_JSON:
        raise Undecodable("is not a GLB file of version 2, or has too many shapes")
    described = json.loads(file.read(length))
    file.seek(0)
    if any(not str(buffer.get("uri", "data:")).startswith("data:") for buffer in described.get("buffers", [])):
        raise Undecodable("names another file to be read")
    counts = [int(accessor["count"]) for accessor in described.get("accessors", [])]
    if any("bufferView" not in accessor for accessor in described.get("accessors", [])):
        raise Undecodable("names numbers that are not in the file")
    parents = [child for node in described.get("nodes", []) for child in node.get("children", [])]
    if len(parents) != len(set(parents)):
        raise Undecodable("has a shape in two places of its tree")
    shapes = [primitive for mesh in described.get("meshes", []) for primitive in mesh.get("primitives", [])]
    if len(shapes) > _MOST_SHAPES or len(described.get("nodes", [])) > _MOST_SHAPES:
        raise Undecodable(f"has more than {_MOST_SHAPES:,} shapes")
    total = 0
    for shape in shapes:
        used = [*shape.get("attributes", {}).values(), *([shape["indices"]] if "indices" in shape else [])]
        total += sum(counts[index] for index in used)
    if max(total, *counts, 0) > 8 * MAX_POINTS:
        raise Undecodable(f"claims {max(total, *counts, 0):,} numbers; at most {8 * MAX_POINTS:,} are read")


def _ply_labels(file: BinaryIO) -> Numbers:
    import io

    import numpy as np
    from trimesh.exchange.ply import load_ply

    _check_ply(file)
    loaded = load_ply(io.BytesIO(file.read()), fix_texture=False, skip_materials=True)
    vertices = loaded["metadata"]["_ply_raw"]["vertex"]["data"]
    names = vertices.dtype.names if getattr(vertices, "dtype", None) is not None else tuple(vertices)
    for name in ("label", "class", "scalar_Label", "scalar_label", "semantic"):
        if name in names:
            return np.asarray(vertices[name]).reshape(-1)
    raise Undecodable('has no property "label" of its vertices')


def _whole_rows(file: BinaryIO, size: int) -> bytes:
    content = file.read(MAX_POINTS * size + 1)
    if len(content) > MAX_POINTS * size:
        raise Undecodable(f"has more than {MAX_POINTS:,} points")
    if len(content) % size:
        raise Undecodable(f"has {len(content):,} bytes, which are not whole rows of {size}")
    return content


def _text(file: BinaryIO, columns: tuple[int, ...]) -> Points:
    """Columns of rows of numbers, between spaces, tabs, commas or semicolons.

    A first row that holds no numbers, or only how many rows follow, is a heading.
    """
    import io

    import numpy as np

    content = file.read()
    if b"\0" in content[:4096]:
        raise Undecodable("is not text")
    content = content.translate(bytes.maketrans(b",;\t", b"   "))
    first, _newline, rest = content.partition(b"\n")
    if not _is_row(first, max(columns) + 1):
        content = rest
    ends = np.flatnonzero(np.frombuffer(content + b"\n", dtype=np.uint8) == ord("\n"))
    if np.diff(ends, prepend=-1).max() > _LONGEST_LINE:
        raise Undecodable(f"has a line of more than {_LONGEST_LINE:,} characters, which is not a point")
    if len(ends) > MAX_POINTS + 1:
        raise Undecodable(f"has more than {MAX_POINTS:,} points")
    return np.loadtxt(io.BytesIO(content), dtype=np.float64, comments=["#", "//"], usecols=columns, ndmin=2, encoding="latin1")


def _is_row(line: bytes, least: int) -> bool:
    try:
        numbers = [float(word) for word in line.split(b"#")[0].split()]
    except ValueError:
        return False
    return not line.strip() or len(numbers) >= least


def _checked(points: Numbers) -> Points:
    import numpy as np

    if len(points) > MAX_POINTS:
        raise Undecodable(f"has more than {MAX_POINTS:,} points")
    found = np.asarray(points, dtype=np.float64)
    found = found[np.isfinite(found).all(axis=1)]
    if not len(found):
        raise Undecodable("holds no point")
    if np.abs(found).max() > _FARTHEST:
        raise Undecodable("has coordinates too large to be measured")
    return found

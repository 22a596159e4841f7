"""Finding the media files that an annotation names: where they may lie, and never outside the suite."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path, PurePosixPath

from genlevel.benchmark import mime
from genlevel.benchmark.archives import is_archive, unpacked
from genlevel.benchmark.model import MediaFile, Modality

# Folders beside or above the annotation that hold media, by what they are called.
MEDIA_FOLDERS: dict[str, Modality] = {
    "images": Modality.IMAGE,
    "image": Modality.IMAGE,
    "imgs": Modality.IMAGE,
    "videos": Modality.VIDEO,
    "video": Modality.VIDEO,
    "audios": Modality.AUDIO,
    "audio": Modality.AUDIO,
    "pointclouds": Modality.THREE_D,
    "pointcloud": Modality.THREE_D,
    "point_clouds": Modality.THREE_D,
    "point_cloud": Modality.THREE_D,
    "3d": Modality.THREE_D,
    "meshes": Modality.THREE_D,
}
# Folders that hold what labels name: masks, maps, references.
_LABEL_FOLDERS = frozenset(
    (
        *("masks", "mask", "labels", "label", "gt", "gts", "ground_truth", "groundtruth", "annotations", "segmentation", "segmentations"),
        *("depth", "depths", "flow", "flows", "alpha", "alphas", "mattes", "normals", "poses", "tracks", "motions", "midi"),
        *("target", "targets", "output", "outputs", "reference", "references", "results"),
    )
)
_KEY = re.compile(
    r"(?:[a-z0-9]+_)*?(?P<kind>images?|img|pictures?|masks?|depth|sketch|videos?|audios?|speech|sound|music|point_?clouds?|pcd|mesh|scene|3d|media)"
    r"(?:_?(?:files?|paths?|names?|dirs?|folders?))?(?:_?lists?)?(?:_?\d+)?",
    re.IGNORECASE,
)
_HOLDS_PATHS = re.compile(r"(file|path|folder|dir)s?(_?lists?)?_?\d*$", re.IGNORECASE)
_DRIVE_OR_SCHEME = re.compile(r"[A-Za-z]:|[A-Za-z][A-Za-z0-9+.-]*://")
_FOLDERS_REMEMBERED = 1000
_LFS_POINTER = b"version https://git-lfs.github.com/spec/"
_KINDS = {"video": Modality.VIDEO, "audio": Modality.AUDIO, "speech": Modality.AUDIO, "sound": Modality.AUDIO, "music": Modality.AUDIO}
_3D = ("point", "pcd", "mesh", "scene", "3d")
_PATHLIKE = re.compile(
    r"[^\n]{1,400}\.(?:jpe?g|png|gif|webp|bmp|tiff?|avif|mp4|avi|mov|webm|mkv|mpe?g|wav|mp3|flac|ogg|m4a|midi?|ply|pcd|obj|off|glb|gltf|stl|np[yz]|bin)",
    re.IGNORECASE,
)


def is_data_folder(name: str) -> bool:
    """Whether a folder beside an annotation holds media, or what labels name."""
    return name.casefold() in MEDIA_FOLDERS or name.casefold() in _LABEL_FOLDERS


def names_medium(name: str) -> bool:
    """Whether a file's name says that it is a medium."""
    return _PATHLIKE.fullmatch(name) is not None


class MediaProblem(Exception):
    """A media file that an item names cannot be used; says which and why."""


@dataclass(frozen=True, slots=True)
class MediaPlace:
    """Where the media of one task may lie: its folder, the media and label folders in it, and the roots that nothing may leave.

    below: the annotation lies in a subfolder (json/), so that "../images/x.png" stays in the task folder.
    """

    folder: Path
    folders: tuple[Path, ...]
    roots: tuple[str, ...]
    below: bool = False
    label_folders: tuple[Path, ...] = ()
    _real: dict[str, str] = field(default_factory=dict)

    def real_folder(self, folder: str) -> str:
        """Where a folder really is, links followed; remembered, as many files lie in few folders."""
        if folder not in self._real:
            if len(self._real) > _FOLDERS_REMEMBERED:
                self._real.clear()
            self._real[folder] = os.path.realpath(folder)
        return self._real[folder]

    def holds(self, real: str) -> bool:
        """Whether a real path lies in one of the roots."""
        return any(real == root or real.startswith(root + os.sep) for root in self.roots)


def media_place(folder: Path, root: Path, annotation: Path) -> MediaPlace:
    """The place of a task folder, with its annotation, within a suite's root. An archive of media ("images.zip") counts as a folder.

    Raises DatasetError for an archive of media that cannot be unpacked.
    """
    entries = sorted(folder.iterdir(), key=lambda entry: entry.name)
    folders = [entry for entry in entries if entry.is_dir()]
    there = {entry.name.casefold() for entry in folders}
    packed = [entry for entry in entries if is_archive(entry) and entry.is_file()]
    for archive in packed:
        if (name := archive.stem.casefold()) not in there and (name in MEDIA_FOLDERS or name in _LABEL_FOLDERS):
            folders.append(unpacked(archive))
    real = root.resolve()
    # A hub cache keeps files as links from snapshots/<revision>/ to blobs/ beside it.
    parts = real.parts
    cache = [Path(*parts[: parts.index("snapshots")]) / "blobs"] if "snapshots" in parts else []
    outside = [entry.resolve() for entry in folders if not entry.is_relative_to(folder)]
    return MediaPlace(
        folder,
        tuple(entry for entry in folders if entry.name.casefold() in MEDIA_FOLDERS),
        tuple(str(one) for one in (real, *cache, *outside)),
        below=annotation.parent != folder,
        label_folders=tuple(entry for entry in folders if entry.name.casefold() in _LABEL_FOLDERS),
    )


def named_media(fields: dict[str, object], besides: Container[str] = ()) -> list[tuple[str, Modality, str]]:
    """(field, modality, path as written) of every media file that an item's input names, in the file's order.

    besides: fields that are left out.
    """
    found: list[tuple[str, Modality, str]] = []
    for key, value in fields.items():
        if key in besides:
            continue
        kind, certain = _said_by_short(key) if len(key) <= _SHORT else _said_by(key)
        if not kind:
            continue
        values = value if isinstance(value, list) else [value]
        paths = [path for path in values if isinstance(path, str) and path and (certain or _PATHLIKE.fullmatch(path))]
        if values and len(paths) == len(values):
            found += [(key, _modality(kind, path), path) for path in paths]
    return found


def _said_by(key: str) -> tuple[str, bool]:
    """The kind of medium that a field is named for ("" for none), and whether its name says that it holds paths."""
    match = _KEY.fullmatch(key)
    return ("", False) if match is None else (match["kind"].casefold(), _HOLDS_PATHS.search(key) is not None)


_SHORT = 40
_said_by_short = lru_cache(maxsize=512)(_said_by)  # items name the same fields again and again


def _modality(kind: str, path: str) -> Modality:
    if kind.startswith(_3D):
        return Modality.THREE_D
    if kind == "media":
        suffix = PurePosixPath(path).suffix.casefold()
        return (
            Modality.VIDEO
            if suffix in (".mp4", ".avi", ".mov", ".webm")
            else Modality.AUDIO
            if suffix in (".wav", ".mp3", ".flac")
            else Modality.IMAGE
        )
    return _KINDS.get(kind.rstrip("s"), Modality.IMAGE)


def find_media(place: MediaPlace, written: str, modality: Modality, *, look_inside: bool = True, of_label: bool = False) -> MediaFile:
    """The file that an item means by a path: in the task folder, in its media folder, or below a media folder's name in the path.

    look_inside: read its first bytes for the MIME type (else only that it is there). of_label: a label names it, so that it may lie
    in a folder of labels, and such folders come first.
    Raises MediaProblem for a path that leaves the suite, a missing or an empty file.
    """
    plain = written.strip().replace("\\", "/")
    parts, absolute = tuple([part for part in plain.split("/") if part not in ("", ".")]), plain.startswith("/")
    too_long = len(plain) > 255 // 4 and any(len(part.encode("utf-8", "replace")) > 255 for part in parts)
    if not (parts or absolute) or "\x00" in plain or too_long:
        raise MediaProblem(f"{written[:120]!r} is not a file name")
    if absolute or (":" in plain and _DRIVE_OR_SCHEME.match(plain)):
        raise MediaProblem(f"{written[:200]!r} is not a path relative to the task folder")
    if place.below and parts[0] == "..":
        parts = parts[1:]
    if not parts or _climbs_out(parts):
        raise MediaProblem(f"{written[:200]!r} leads out of the task folder")
    for candidate in _candidates(place, parts, modality, of_label):
        try:
            status = os.lstat(candidate)
            if stat.S_ISLNK(status.st_mode):
                status, inside = os.stat(candidate), os.path.realpath(candidate)
            else:
                inside = place.real_folder(os.path.dirname(candidate))
        except OSError:
            continue
        if not place.holds(inside):
            raise MediaProblem(f"{written[:200]!r} is a link out of the suite's folder")
        if stat.S_ISDIR(status.st_mode):
            return MediaFile(modality, Path(candidate), "inode/directory")
        if status.st_size == 0:
            raise MediaProblem(f"the file {written[:200]!r} is empty ({candidate})")
        return MediaFile(modality, Path(candidate), _mime(candidate) if look_inside else "")
    raise MediaProblem(f"the file {written[:200]!r} is missing (looked in {place.folder} and its media folders)")


def _climbs_out(parts: tuple[str, ...]) -> bool:
    depth = 0
    for part in parts if ".." in parts else ():
        depth += -1 if part == ".." else 0 if part == "." else 1
        if depth < 0:
            return True
    return False


def _candidates(place: MediaPlace, parts: tuple[str, ...], modality: Modality, of_label: bool) -> Iterator[str]:
    """Paths to try, in order."""
    yield os.path.join(place.folder, *parts)
    folders = sorted(place.folders, key=lambda folder: MEDIA_FOLDERS[folder.name.casefold()] is not modality)
    if of_label:
        # A mask is often named like the picture that it belongs to.
        folders = [*place.label_folders, *folders]
    for folder in folders:
        yield os.path.join(folder, *parts)
    # "./data/comprehension/<task>/images/x.png": what follows the media folder's name, or the task's.
    for position in range(len(parts) - 2, -1, -1):
        below = parts[position + 1 :]
        name = parts[position].casefold()
        if name in MEDIA_FOLDERS or (of_label and name in _LABEL_FOLDERS):
            for folder in folders:
                if folder.name.casefold() == name:
                    yield os.path.join(folder, *below)
        if parts[position] == place.folder.name:
            yield os.path.join(place.folder, *below)


def _mime(path: str) -> str:
    try:
        with open(path, "rb", buffering=0) as file:
            head = file.read(mime.HEAD_BYTES)
    except OSError as error:
        raise MediaProblem(f"{path} cannot be read ({os.strerror(error.errno or 0)})") from None
    if head.startswith(_LFS_POINTER):
        raise MediaProblem(f"{path} is a pointer of Git LFS, not the file itself")
    return mime.mime_type(head)

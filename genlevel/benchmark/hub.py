"""Fetching General-Bench's open set from the Hugging Face hub, by the hub's own client (extra ``hub``).

What was fetched stays: a fetch that was cut short goes on where it stopped, in the middle of a file too (the client's own download
starts such a file anew), and files that have not changed are not fetched again. Every file is held against the hash that the hub names.
"""

from __future__ import annotations

import fnmatch
import hashlib
import json
import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from genlevel.benchmark.resolve import resolve_task
from genlevel.runtime.errors import DatasetError, UsageError
from genlevel.runtime.shown import said_of, without_secrets

if TYPE_CHECKING:
    from huggingface_hub import HfApi

OPEN_SET = "General-Level/General-Bench-Openset"
"""The data set repository that the authors name (README of github.com/path2generalist/General-Level)."""
AT_ONCE = 8
_STATE = Path(".cache") / "genlevel"


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One file of a repository. size: bytes. hash: "sha256:..." of a large file, "git:..." (a git blob's) of any other."""

    path: str
    size: int
    hash: str


@dataclass(frozen=True, slots=True)
class Listing:
    """The wanted files of a repository at one commit. tasks: the folders (or archives) that they belong to."""

    repository: str
    commit: str
    files: tuple[RemoteFile, ...]
    tasks: int

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)


def listing(repository: str = OPEN_SET, tasks: Iterable[str] = (), *, revision: str = "main", endpoint: str = "") -> Listing:
    """The files of a data set repository, of all tasks or of those that a glob names.

    tasks: globs over a folder's path or name ("image/*", "BirdDetection", "*-NER"), or over a task's name or id; case does not matter.
    Raises UsageError if huggingface_hub is not installed or a glob names nothing, DatasetError if the hub does not give the listing.
    """
    api = _api(endpoint)
    try:
        info = api.repo_info(repository, repo_type="dataset", revision=revision)
        commit = str(info.sha)
        entries = list(api.list_repo_tree(repository, repo_type="dataset", revision=commit, recursive=True))
    except Exception as error:  # of several libraries; each becomes one line
        raise _explained(error, repository, revision, endpoint) from None
    files = [_remote_file(entry) for entry in entries if hasattr(entry, "size") and _is_safe(entry.path)]
    globs = [glob.casefold() for glob in tasks]
    wanted = [file for file in files if not globs or _matches(file.path, globs)]
    if not wanted:
        found = sorted({_folder(file.path) for file in files} - {""})
        near = f" (it has {len(found)}, such as {', '.join(found[:3])})" if found else ""
        raise UsageError(f"{repository} has no task that {', '.join(tasks) or 'can be fetched'} names{near}")
    return Listing(repository, commit, tuple(wanted), len({_folder(file.path) for file in wanted} - {""}))


def fetch(found: Listing, folder: Path, *, endpoint: str = "", on_bytes: Callable[[int], None] = lambda count: None) -> int:
    """Fetches a listing's files into a folder, as they lie in the repository; returns how many were not there yet.

    on_bytes: told of bytes as they arrive, from several threads. Raises DatasetError if a file cannot be fetched; the others stay.
    """
    _api(endpoint)
    from filelock import FileLock, Timeout
    from huggingface_hub.utils import disable_progress_bars, logging

    disable_progress_bars()
    logging.set_verbosity_error()
    try:
        state = folder / _STATE
        state.mkdir(parents=True, exist_ok=True)
        with FileLock(state / "lock", timeout=0):
            return _fetch(found, folder, endpoint, on_bytes)
    except Timeout:
        raise UsageError(f"another fetch into {folder} is under way; wait for it, or fetch into another folder with --to") from None
    except OSError as error:
        raise DatasetError(f"{error.filename or folder}: {error.strerror or error}") from None


class _Stopped(Exception):
    """The fetch is over; what this file lacks is for the next one."""


def _fetch(found: Listing, folder: Path, endpoint: str, on_bytes: Callable[[int], None]) -> int:
    record, stopped = _Record(folder), threading.Event()
    counter = _counting(on_bytes, stopped)
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="fetch") as pool:
        pending = {pool.submit(_fetch_one, found, file, record, endpoint, counter): file for file in found.files}
        try:
            done, _ = wait(pending, return_when=FIRST_EXCEPTION)
        finally:
            stopped.set()
            pool.shutdown(wait=True, cancel_futures=True)
        over = [future for future in pending if future.done() and not future.cancelled()]
        failed = next((future for future in over if not isinstance(future.exception(), _Stopped | None)), None)
        if failed is not None:
            arrived = sum(future.exception() is None for future in over)
            explained = _explained(failed.exception(), found.repository, found.commit, endpoint)
            raise DatasetError(
                f"{pending[failed].path}: {explained}; {arrived} of {len(pending)} files are there: the same command goes on from here"
            )
        return sum(future.result() for future in done)


def _fetch_one(found: Listing, file: RemoteFile, record: _Record, endpoint: str, counter: type[object]) -> bool:
    """Fetches one file; False if it is there already."""
    from huggingface_hub import hf_hub_url
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils import build_hf_headers

    if record.has(file):
        return False
    part = record.part(file)
    url = hf_hub_url(found.repository, file.path, repo_type="dataset", revision=found.commit, endpoint=endpoint or None)
    with open(part, "ab") as written:
        if written.tell() > file.size:
            written.truncate(0)
        http_get(url, written, resume_size=written.tell(), headers=build_hf_headers(), expected_size=file.size, tqdm_class=counter)
    if _hash(part, file) != file.hash:
        part.unlink()
        raise DatasetError("what arrived is not what the hub names (its hash differs); fetch it again")
    record.keep(file, part)
    return True


class _Record:
    """What is in a folder already: a line of JSON for each file that was fetched whole. Parts of files lie beside it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / _STATE / "fetched.jsonl"
        self._lock = threading.Lock()
        self._known: dict[str, list[object]] = {}
        if self._file.exists():
            for line in self._file.read_text("utf-8").splitlines():
                try:
                    entry = json.loads(line)
                    self._known[entry["path"]] = [entry["hash"], entry["size"], entry["mtime_ns"]]
                except (ValueError, KeyError, TypeError):
                    continue  # a line that was cut when its process ended

    def has(self, file: RemoteFile) -> bool:
        """Whether the file is there as it was fetched, and the hub still has the same."""
        stamp = _stamp(self._folder / file.path)
        return stamp is not None and self._known.get(file.path) == [file.hash, *stamp]

    def part(self, file: RemoteFile) -> Path:
        """Where the file's first part lies, or is to lie."""
        return self._file.parent / f"{hashlib.sha256(f'{file.path} {file.hash}'.encode()).hexdigest()[:32]}.part"

    def keep(self, file: RemoteFile, part: Path) -> None:
        """Puts a whole file in its place."""
        target = self._folder / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(part, target)
        stamp = _stamp(target)
        size, mtime_ns = stamp if stamp is not None else (file.size, 0)
        entry = {"path": file.path, "hash": file.hash, "size": size, "mtime_ns": mtime_ns}
        with self._lock, open(self._file, "a", encoding="utf-8") as written:
            written.write(json.dumps(entry, ensure_ascii=False) + "\n")


def _hash(path: Path, file: RemoteFile) -> str:
    """A file's hash, of the kind that the hub names for it."""
    kind = file.hash.partition(":")[0]
    digest = hashlib.sha256() if kind == "sha256" else hashlib.sha1(f"blob {path.stat().st_size}\0".encode())
    with open(path, "rb") as content:
        while chunk := content.read(1 << 20):
            digest.update(chunk)
    return f"{kind}:{digest.hexdigest()}"


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


def _api(endpoint: str) -> HfApi:
    try:
        from huggingface_hub import HfApi
    except ImportError:
        raise UsageError("fetching needs huggingface_hub; install it with: pip install 'genlevel[hub]'") from None
    return HfApi(endpoint=endpoint or None)


def _counting(on_bytes: Callable[[int], None], stopped: threading.Event) -> type[object]:
    """A progress bar of the client's kind that shows nothing, passes on what it is told, and ends a download if all is stopped."""
    from huggingface_hub.utils import tqdm

    class Counter(tqdm):  # type: ignore[misc]
        def __init__(self, *arguments: object, **options: object) -> None:
            super().__init__(*arguments, **{**options, "disable": True})

        def update(self, n: float | None = 1) -> bool | None:
            if stopped.is_set():
                raise _Stopped
            on_bytes(int(n or 0))
            return None

    return Counter


def _remote_file(entry: Any) -> RemoteFile:
    lfs = getattr(entry, "lfs", None)
    return RemoteFile(entry.path, int(entry.size or 0), f"sha256:{lfs.sha256}" if lfs is not None else f"git:{entry.blob_id}")


def _is_safe(path: str) -> bool:
    """Whether a repository's path stays in the folder that it is fetched into, and is data."""
    parts = PurePosixPath(path).parts
    return bool(parts) and not path.startswith("/") and ".." not in parts and "\\" not in path and not parts[0].startswith(".")


def _folder(path: str) -> str:
    """The task folder or archive that a file is of: nlp/X, or image/comprehension/X; "" for files above all tasks."""
    parts = PurePosixPath(path).parts
    depth = 2 if parts[0].casefold() == "nlp" else 3
    return "/".join(parts[:depth]).removesuffix(".zip") if len(parts) >= depth and (len(parts) > depth or path.endswith(".zip")) else ""


def _matches(path: str, globs: list[str]) -> bool:
    names = set()
    parts = PurePosixPath(path.removesuffix(".zip")).parts
    for depth in range(1, len(parts) + 1):
        names |= {"/".join(parts[:depth]).casefold(), parts[depth - 1].casefold()}
    if folder := _folder(path):
        task = resolve_task(folder.rsplit("/", 1)[-1])
        names |= {task.name.strip().casefold(), task.id} if task is not None else set()
    return any(fnmatch.fnmatchcase(name, glob) for name in names for glob in globs)


def _explained(error: BaseException | None, repository: str, revision: str, endpoint: str) -> DatasetError:
    """What went wrong, in one line that says what to do."""
    from huggingface_hub import constants, errors

    address = (endpoint or constants.ENDPOINT).rstrip("/")
    place = without_secrets(address)
    page = f"{place}/datasets/{repository}"
    if isinstance(error, DatasetError):
        return error
    if isinstance(error, errors.GatedRepoError):
        return DatasetError(f"{repository} is gated: accept its terms at {page}, then set HF_TOKEN to a token of that account")
    if isinstance(error, errors.RevisionNotFoundError):
        return DatasetError(f"{repository} has no revision {revision!r}; leave --revision out, or see {page}")
    if isinstance(error, errors.RepositoryNotFoundError):
        return DatasetError(f"{place} has no data set {repository!r} that can be seen; if it is private, set HF_TOKEN")
    if isinstance(error, errors.HfHubHTTPError):
        status = getattr(error.response, "status_code", "?")
        busy = isinstance(status, int) and (status in (408, 429) or status >= 500)
        return DatasetError(f"{place} answered with HTTP {status}; {'wait a while and try again' if busy else f'see {page}'}")
    if isinstance(error, errors.HFValidationError):
        return DatasetError(f"{repository!r} is not the name of a repository; write OWNER/NAME")
    if isinstance(error, OSError) and error.errno is not None and error.filename:
        return DatasetError(f"{error.filename}: {error.strerror}")
    reason = (str(error.__cause__ or error).strip().splitlines() or [type(error).__name__])[0][:200] if error is not None else "stopped"
    return DatasetError(f"{place} cannot be reached ({said_of(address, reason)}); check the network, or name a mirror with --endpoint")

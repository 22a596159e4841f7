"""The OpenMP runtime on systems that lack it."""

import subprocess
import sys

from gateway.embedded import install, openmp, weights


def refuse(name: str) -> object:
    raise OSError(f"{name}: cannot open shared object file")


def test_a_system_that_has_it_needs_nothing(tmp_path):
    assert openmp.environment(tmp_path, system=True) == {}
    assert list(tmp_path.iterdir()) == []


def test_a_wheels_copy_is_put_before_the_childs_library_path(tmp_path, monkeypatch):
    (tmp_path / "site" / "some.libs").mkdir(parents=True)
    copy = tmp_path / "site" / "some.libs" / "libgomp-0123.so.1.0.0"
    copy.write_bytes(b"library")
    monkeypatch.setattr(openmp, "bundled", lambda: copy)
    monkeypatch.setenv("LD_LIBRARY_PATH", "/already/there")
    for _ in range(2):  # a second start finds the first one's link
        added = openmp.environment(tmp_path / "lib", system=False)
    assert added == {"LD_LIBRARY_PATH": f"{tmp_path / 'lib'}:/already/there"}
    assert (tmp_path / "lib" / "libgomp.so.1").read_bytes() == b"library"


def test_the_loader_takes_the_link_by_its_name(tmp_path):
    """The copies in wheels have another name inside; a loader that is asked for libgomp.so.1 takes the file of that name."""
    real = subprocess.run([sys.executable, "-c", "import ctypes; ctypes.CDLL('libgomp.so.1')"], check=False).returncode == 0
    assert openmp.system_has_it() is real
    assert openmp.system_has_it(load=refuse) is not sys.platform.startswith("linux")


def test_where_there_is_none_the_install_brings_one_without_its_dependencies(monkeypatch):
    monkeypatch.setattr(openmp, "system_has_it", lambda: False)
    monkeypatch.setattr(openmp, "bundled", lambda: None)
    assert openmp.OPENMP_REQUIREMENT in weights.missing_packages()
    assert ["--no-deps", openmp.OPENMP_REQUIREMENT] in install.commands_for(weights.missing_packages())

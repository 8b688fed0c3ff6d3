"""Says, as JSON, what the interpreter that runs it is and which folders it needs. Runs as `python3 -I -S describe.py`."""
import importlib.metadata
import importlib.util
import json
import os
import sys


def _existing(paths):
    return sorted({os.path.realpath(path) for path in paths if os.path.exists(path)})


def _library_folders():
    """Folders of the shared libraries that Python and its C modules are linked with."""
    for name in ("_ctypes", "_decimal", "_hashlib", "_bz2", "_lzma", "zlib", "_ssl", "_sqlite3"):
        try:
            __import__(name)
        except ImportError:
            pass
    with open("/proc/self/maps") as file:
        files = {line.split(None, 5)[5].strip() for line in file if len(line.split(None, 5)) == 6}
    return _existing(os.path.dirname(path) for path in files if ".so" in os.path.basename(path))


def _package(name):
    """Folder and version of an installed package, or None. Does not run it."""
    found = importlib.util.find_spec(name)
    if found is None or not found.submodule_search_locations:
        return None
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        version = "unknown"
    return {"folder": os.path.realpath(list(found.submodule_search_locations)[0]), "version": version}


def _describe():
    library = _existing(sys.path)  # before `site` adds to it
    import site

    site.main()
    return {
        "executable": os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable),
        "implementation": sys.implementation.name,
        "version": list(sys.version_info[:3]),
        "hasPidfd": hasattr(os, "pidfd_open"),
        "library": library,
        "libraries": _library_folders(),
        "packages": {name: _package(name) for name in ("sympy", "mpmath")},
    }


if sys.version_info < (3, 9):
    print(json.dumps({"tooOld": list(sys.version_info[:3])}))
else:
    print(json.dumps(_describe()))

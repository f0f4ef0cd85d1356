"""The system calls that name files or ports: their numbers, and which arguments say what.

Numbers are from the kernel's ``arch/x86/entry/syscalls/syscall_64.tbl`` and, for arm64,
``include/uapi/asm-generic/unistd.h``; argument orders from the manual pages, section 2. Knows
nothing of filters or processes.
"""

from __future__ import annotations

from polylane.records import NamedTuple

#: What calls do; the recorder has one method for each.
OPEN = "open"  # flags in an argument
OPEN_HOW = "open_how"  # flags in a `struct open_how`
TRUNCATE = "truncate"  # writes; follows a link at the end of its path
WRITE = "write"  # writes the name itself, not what a link leads to
SYMLINK = "symlink"
RENAME = "rename"
LINK = "link"  # reads its first path, writes its second
METADATA = "metadata"
METADATA_OF = "metadata_of"  # the same by descriptor
LOOK = "look"
EXECUTE = "execute"
LIST = "list"
BIND = "bind"
ROOT = "root"  # may change what absolute paths mean
HANDLE = "handle"  # opens a file without a path

#: Acts that are no writes: trapped only where reads are wanted.
READING = frozenset([LOOK, EXECUTE, LIST])

AT_FDCWD = -100
AT_SYMLINK_NOFOLLOW = 0x100
AT_SYMLINK_FOLLOW = 0x400
AT_EMPTY_PATH = 0x1000

RENAME_EXCHANGE = 1 << 1

#: Alike on both architectures, unlike `O_DIRECTORY` and `O_NOFOLLOW`.
O_WRITES = 0o3 | 0o100 | 0o1000  # the access mode, O_CREAT, O_TRUNC
O_EXCL = 0o200
O_PATH = 0o10000000
O_TMPFILE = 0o20000000  # the bit of its own


class Call(NamedTuple):
    """How one system call says what it touches, by the indexes of its arguments."""

    name: str
    act: str
    #: The directory's descriptor (None: the current directory) and the path.
    paths: tuple[tuple[int | None, int], ...] = ()
    #: The flags, or None.
    flags: int | None = None
    #: Follows a link at the end of its path, unless flags say otherwise.
    follows: bool = True


class Architecture(NamedTuple):
    """One machine: how seccomp calls it, and its numbers."""

    #: ``AUDIT_ARCH_*`` of ``linux/audit.h``.
    audit: int
    #: Numbers from here on belong to another calling convention (x32), or None.
    foreign: int | None
    #: ``O_NOFOLLOW``.
    no_follow: int
    numbers: dict[str, int]


#: The directory's descriptor (None: the current directory) and the path, by argument.
Paths = tuple[tuple[int | None, int], ...]


def _calls() -> dict[str, Call]:
    here: Paths = ((None, 0),)
    at: Paths = ((0, 1),)
    calls = [
        Call("open", OPEN, here, 1),
        Call("openat", OPEN, at, 2),
        Call("openat2", OPEN_HOW, at, 2),
        Call("creat", TRUNCATE, here),
        Call("truncate", TRUNCATE, here),
        Call("symlink", SYMLINK, ((None, 1),)),
        Call("symlinkat", SYMLINK, ((1, 2),)),
        Call("rename", RENAME, ((None, 0), (None, 1))),
        Call("renameat", RENAME, ((0, 1), (2, 3))),
        Call("renameat2", RENAME, ((0, 1), (2, 3)), 4),
        Call("link", LINK, ((None, 0), (None, 1))),
        Call("linkat", LINK, ((0, 1), (2, 3)), 4),
        Call("futimesat", METADATA, at),
        Call("inotify_add_watch", LOOK, ((None, 1),)),
        Call("execve", EXECUTE, here),
        Call("execveat", EXECUTE, at, 4),
        Call("chroot", ROOT, here),
        Call("bind", BIND),
        Call("open_by_handle_at", HANDLE),
    ]
    for act, paths, names in (
        (WRITE, here, "unlink rmdir mkdir mknod"),
        (WRITE, at, "unlinkat mkdirat mknodat"),
        (METADATA, here, "chmod chown utime utimes setxattr removexattr"),
        (METADATA, at, "fchmodat"),
        (METADATA_OF, (), "fchmod fchown fsetxattr fremovexattr"),
        (LOOK, here, "stat access chdir statfs getxattr listxattr"),
        (LOOK, at, "faccessat"),
        (LIST, (), "getdents getdents64"),
        (ROOT, (), "pivot_root unshare setns"),
    ):
        calls += [Call(name, act, paths) for name in names.split()]
    for act, paths, names in (
        (METADATA, here, "lchown lsetxattr lremovexattr"),
        (LOOK, here, "lstat readlink lgetxattr llistxattr"),
        (LOOK, at, "readlinkat"),
    ):
        calls += [Call(name, act, paths, follows=False) for name in names.split()]
    for act, flags, names in (
        (METADATA, 2, "setxattrat removexattrat"),
        (METADATA, 3, "fchmodat2 utimensat"),
        (METADATA, 4, "fchownat file_setattr"),
        (LOOK, 2, "statx getxattrat listxattrat"),
        (LOOK, 3, "newfstatat faccessat2"),
    ):
        calls += [Call(name, act, at, flags) for name in names.split()]
    return {call.name: call for call in calls}


#: By name.
CALLS = _calls()

#: From 424 on all architectures number alike.
_COMMON = {
    "io_uring_setup": 425,
    "openat2": 437,
    "pidfd_getfd": 438,
    "faccessat2": 439,
    "fchmodat2": 452,
    "setxattrat": 463,
    "getxattrat": 464,
    "listxattrat": 465,
    "removexattrat": 466,
    "file_setattr": 469,
}

_X86_64 = """
open 2 stat 4 lstat 6 access 21 bind 49 execve 59 truncate 76 getdents 78 chdir 80 rename 82
mkdir 83 rmdir 84 creat 85 link 86 unlink 87 symlink 88 readlink 89 chmod 90 fchmod 91 chown 92
fchown 93 lchown 94 utime 132 mknod 133 statfs 137 pivot_root 155 chroot 161 setxattr 188
lsetxattr 189 fsetxattr 190 getxattr 191 lgetxattr 192 listxattr 194 llistxattr 195
removexattr 197 lremovexattr 198 fremovexattr 199 getdents64 217 utimes 235
inotify_add_watch 254 openat 257 mkdirat 258 mknodat 259 fchownat 260 futimesat 261
newfstatat 262 unlinkat 263 renameat 264 linkat 265 symlinkat 266 readlinkat 267 fchmodat 268
faccessat 269 unshare 272 utimensat 280 open_by_handle_at 304 setns 308 renameat2 316
seccomp 317 execveat 322 statx 332
"""

_ARM64 = """
setxattr 5 lsetxattr 6 fsetxattr 7 getxattr 8 lgetxattr 9 listxattr 11 llistxattr 12
removexattr 14 lremovexattr 15 fremovexattr 16 inotify_add_watch 27 mknodat 33 mkdirat 34
unlinkat 35 symlinkat 36 linkat 37 renameat 38 pivot_root 41 statfs 43 truncate 45 faccessat 48
chdir 49 chroot 51 fchmod 52 fchmodat 53 fchownat 54 fchown 55 openat 56 getdents64 61
readlinkat 78 newfstatat 79 utimensat 88 unshare 97 bind 200 execve 221 open_by_handle_at 265
setns 268 renameat2 276 seccomp 277 execveat 281 statx 291
"""


def _numbers(table: str) -> dict[str, int]:
    words = iter(table.split())
    return {name: int(next(words)) for name in words} | _COMMON


#: By the machine of `os.uname`.
ARCHITECTURES = {
    "x86_64": Architecture(0xC000003E, 0x40000000, 0o400000, _numbers(_X86_64)),
    "aarch64": Architecture(0xC00000B7, None, 0o100000, _numbers(_ARM64)),
}


def known(architecture: Architecture, *, reads: bool) -> dict[int, Call]:
    """The calls that matter, by their numbers; those that only read where ``reads``."""
    return {
        architecture.numbers[name]: call
        for name, call in CALLS.items()
        if name in architecture.numbers and (reads or call.act not in READING)
    }

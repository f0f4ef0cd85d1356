"""Ways to write outside one's project, each a program: data for ``test_escape.py``.

A Python program finds the names of `PRELUDE`; a shell script ``$own``, ``$other`` and ``$ws``.
Knows nothing of what stops them.
"""

from __future__ import annotations

from typing import NamedTuple

#: ``victim`` is a file of the project ``other``, with a line in it; ``mine`` is one of our own.
PRELUDE = r"""
import ctypes, errno, fcntl, mmap, os, shutil, signal, socket, stat, struct, sys
ws, own, other, outside = (os.environ[name] for name in ("ws", "own", "other", "outside"))
victim, mine = other + "/file", own + "/file"
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *arguments):
    got = libc.syscall(ctypes.c_long(number), *arguments)
    if got < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return got
def spoil(path):
    with open(path, "w") as file:
        file.write("spoilt")
def namespaces(flags):
    uid, gid = os.getuid(), os.getgid()
    if libc.unshare(0x10000000 | flags):
        raise OSError(ctypes.get_errno(), "unshare")
    for name, text in ("setgroups", "deny"), ("uid_map", f"0 {uid} 1"), ("gid_map", f"0 {gid} 1"):
        with open("/proc/self/" + name, "w") as file:
            file.write(text)
def mount(source, target, kind, flags, options):
    words = [each and each.encode() for each in (source, target, kind)]
    if libc.mount(*words, ctypes.c_ulong(flags), options and options.encode()):
        raise OSError(ctypes.get_errno(), "mount")
NEWNS, BIND = 0x20000, 4096
"""

#: One file opened for writing by io_uring(7): neither `open` nor a seccomp filter sees it.
_URING = r"""
params = ctypes.create_string_buffer(120)
ring = call(425, ctypes.c_uint(4), params)
words = struct.unpack_from("30I", params.raw)
sq_tail, sq_mask, sq_array = words[11], words[12], words[16]
queue = mmap.mmap(ring, 4096)
entries = mmap.mmap(ring, 4096, offset=0x10000000)
path = ctypes.create_string_buffer(victim.encode())
at_here, openat = -100, 18
entries[:64] = struct.pack("=BBHiQQIIQ24x", openat, 0, 0, at_here, 0, ctypes.addressof(path), 0,
                           os.O_WRONLY | os.O_TRUNC, 0)
struct.pack_into("I", queue, sq_array, 0)
struct.pack_into("I", queue, sq_tail, 1)
wait_for_one = 1
call(426, ctypes.c_int(ring), ctypes.c_uint(1), ctypes.c_uint(1), ctypes.c_uint(wait_for_one),
     None, ctypes.c_size_t(0))
"""

_HANDLE = r"""
size = 128
handle = ctypes.create_string_buffer(struct.pack("Ii", size, 0), 8 + size)
mount_id = ctypes.c_int()
libc.name_to_handle_at(-100, victim.encode(), handle, ctypes.byref(mount_id), 0)
anywhere = os.open(own, os.O_RDONLY)
fd = libc.open_by_handle_at(anywhere, handle, os.O_WRONLY)
os.write(fd, b"spoilt")
"""

_DAEMON = r"""
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        spoil(victim)
    os._exit(0)
"""

#: A program of 160 bytes without any library: open(path, O_WRONLY|O_TRUNC), write, exit (x86-64).
_STATIC = r"""
base, head = 0x400000, 120
path = victim.encode() + b"\0"
def code(at):
    return (b"\xb8\x02\0\0\0\xbf" + at + b"\xbe\x01\x02\0\0\x0f\x05\x89\xc7\xb8\x01\0\0\0\xbe" + at
            + b"\xba\x01\0\0\0\x0f\x05\xb8\x3c\0\0\0\x31\xff\x0f\x05")
start = base + head
text = code(struct.pack("I", start + len(code(bytes(4))))) + path
size = head + len(text)
elf = struct.pack("4s5B7x2HI3QI6H", b"\x7fELF", 2, 1, 1, 0, 0, 2, 62, 1, start, 64, 0, 0, 64, 56, 1,
                  0, 0, 0)
program = struct.pack("2I6Q", 1, 5, 0, base, base, size, size, 4096)
with open(own + "/program", "wb") as file:
    file.write(elf + program + text)
os.chmod(own + "/program", 0o755)
os.execv(own + "/program", ["program"])
"""


class Escape(NamedTuple):
    """One way out."""

    name: str
    program: str
    #: What the machine must have for it to work at all. Empty: nothing.
    needs: str = ""
    shell: bool = False


USERNS = "unprivileged user namespaces"

ESCAPES = (
    # A file's contents
    Escape("absolute path", "spoil(victim)"),
    Escape("path with dot-dot", "os.chdir(own); spoil('../other/file')"),
    Escape("append", "open(victim, 'a').write('x')"),
    Escape("write in place", "os.pwrite(os.open(victim, os.O_RDWR), b'X', 0)"),
    Escape("open with truncation", "os.open(victim, os.O_RDONLY | os.O_TRUNC)"),
    Escape("truncate by path", "os.truncate(victim, 0)"),
    Escape("fallocate", "os.posix_fallocate(os.open(victim, os.O_RDWR), 0, 9000)"),
    Escape("shared mapping", "mmap.mmap(os.open(victim, os.O_RDWR), 4)[:4] = b'XXXX'"),
    Escape(
        "copy_file_range",
        "os.copy_file_range(os.open(mine, os.O_RDONLY), os.open(victim, os.O_WRONLY), 99)",
    ),
    Escape(
        "sendfile", "os.sendfile(os.open(victim, os.O_WRONLY), os.open(mine, os.O_RDONLY), 0, 99)"
    ),
    Escape(
        "splice from a pipe",
        "r, w = os.pipe(); os.write(w, b'XXX'); call(275 if os.uname().machine == 'x86_64' else 76,"
        " r, None, os.open(victim, os.O_WRONLY), None, ctypes.c_size_t(3), 0)",
    ),
    # Through another name
    Escape("symbolic link out", "os.symlink(other, own + '/l'); spoil(own + '/l/file')"),
    Escape("dangling symbolic link", "os.symlink(other + '/new', own + '/l'); spoil(own + '/l')"),
    Escape("symbolic link outside the workspace", "spoil(outside + '/back/file')"),
    Escape("hard link out, then write", "os.link(victim, own + '/h'); spoil(own + '/h')"),
    Escape("/proc/self/root", "spoil('/proc/self/root' + victim)"),
    Escape("/proc/self/cwd", "os.chdir(other); spoil('/proc/self/cwd/file')"),
    Escape(
        "descriptor for reading opened again",
        "spoil('/proc/self/fd/%d' % os.open(victim, os.O_RDONLY))",
    ),
    Escape(
        "path below an open folder",
        "os.open('file', os.O_WRONLY | os.O_TRUNC, dir_fd=os.open(other, os.O_RDONLY))",
    ),
    Escape("file handle", _HANDLE, needs="the capability DAC_READ_SEARCH"),
    Escape("io_uring", _URING, needs="io_uring"),
    # Names which are made and removed
    Escape("new file", "spoil(other + '/new')"),
    Escape("new file beside the projects", "spoil(ws + '/new')"),
    Escape("new folder", "os.mkdir(other + '/new')"),
    Escape("new symbolic link", "os.symlink('x', other + '/new')"),
    Escape("new fifo", "os.mkfifo(other + '/new')"),
    Escape("new socket", "socket.socket(socket.AF_UNIX).bind(other + '/new')"),
    Escape("new device", "os.mknod(other + '/new', stat.S_IFCHR, 0)"),
    Escape("unlink", "os.unlink(victim)"),
    Escape("rmdir", "os.rmdir(other + '/empty')"),
    Escape("whole tree removed", "shutil.rmtree(other)"),
    Escape(
        "O_TMPFILE there, then linkat",
        "fd = os.open(other, os.O_TMPFILE | os.O_WRONLY)\n"
        "os.link(f'/proc/self/fd/{fd}', other + '/new', src_dir_fd=0, follow_symlinks=True)",
    ),
    Escape(
        "O_TMPFILE here, then linkat",
        "fd = os.open(own, os.O_TMPFILE | os.O_WRONLY)\n"
        "os.link(f'/proc/self/fd/{fd}', other + '/new', src_dir_fd=0, follow_symlinks=True)",
    ),
    # Names that move
    Escape("rename a foreign file to here", "os.rename(victim, own + '/got')"),
    Escape("rename a foreign file to the outside", "os.rename(victim, outside + '/got')"),
    Escape("rename over a foreign file", "os.rename(mine, victim)"),
    Escape("rename from outside over a foreign file", "os.rename(outside + '/file', victim)"),
    Escape("rename within a foreign folder", "os.rename(victim, victim + '2')"),
    Escape("rename a foreign folder to here", "os.rename(other + '/empty', own + '/got')"),
    Escape("rename the other project", "os.rename(other, other + '2')"),
    Escape("rename the own project", "os.rename(own, own + '2')"),
    Escape("rename the workspace", "os.rename(ws, ws + '2')"),
    Escape(
        "exchange two files",
        "exchange = 2\nif libc.renameat2(-100, mine.encode(), -100, victim.encode(), exchange):"
        " sys.exit(1)",
    ),
    Escape("hard link in", "os.link(mine, other + '/new')"),
    # Other processes
    Escape("child in a session of its own", "os.fork() or (os.setsid(), spoil(victim))"),
    Escape("daemon by a double fork", _DAEMON),
    Escape("child with a clean environment", "os.execve('/bin/rm', ['rm', victim], {})"),
    Escape("static binary", _STATIC, needs="x86-64"),
    Escape("shell redirection", 'echo x > "$other/file"', shell=True),
    Escape("sed in place", 'sed -i s/a/b/ "$other/file"', shell=True),
    Escape("cp", 'cp -f "$own/file" "$other/file"', shell=True),
    Escape("tar", 'cd "$own" && tar -cf - file | tar -xf - -C "$other"', shell=True),
    Escape("git's configuration", 'git -C "$ws" config a.b c', needs="git", shell=True),
    Escape("git's index", 'git -C "$ws" add .', needs="git", shell=True),
    Escape("a hook of git", 'echo x > "$ws/.git/hooks/pre-commit"', needs="git", shell=True),
    Escape("npm", 'npm --prefix "$other" pkg set a=b', needs="npm", shell=True),
    # Namespaces
    Escape("user namespace", "namespaces(0); spoil(victim)", USERNS),
    Escape("nested user namespace", "namespaces(0); namespaces(0); spoil(victim)", USERNS),
    Escape(
        "bind mount",
        "namespaces(NEWNS); os.mkdir(own + '/m'); mount(other, own + '/m', None, BIND, None)\n"
        "spoil(own + '/m/file')",
        USERNS,
    ),
    Escape(
        "overlay mount",
        "namespaces(NEWNS); [os.mkdir(own + '/' + name) for name in 'lm']\n"
        "mount('overlay', own + '/m', 'overlay', 0,\n"
        "      f'userxattr,lowerdir={own}/l,upperdir={other}/empty,workdir={other}/work')\n"
        "spoil(own + '/m/new')",
        USERNS,
    ),
    Escape(
        "detached mount",
        "namespaces(NEWNS); clone = 1\n"
        "fd = call(428, -100, other.encode(), clone); spoil(f'/proc/self/fd/{fd}/file')",
        USERNS,
    ),
    Escape("chroot", "namespaces(0); os.chroot(ws); spoil('/other/file')", USERNS),
)

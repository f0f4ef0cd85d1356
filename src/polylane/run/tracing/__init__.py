"""What a task touches, seen by the kernel: seccomp user notification, unprivileged, no C code.

`tracer.Tracer` is the handle, `touches.Touches` the result. The thread that starts a task gets a
filter (`bpf`), by which calls that name files or ports (`syscalls`) wait until another process
(`supervisor`) has read their arguments (`peek`), found out where they lead (`places`) and noted
that (`recorder`, `ledger`). Then each call goes on as it was.

What it cannot know or changes, by its nature (seccomp_unotify(2)):

- It sees attempts. Whether a path was there is looked up at that moment; another thread of the
  task may change a path or a link between the look and the call.
- Files that a task was given open, or gets from another process, were opened by others.
- A signal may take back a call before the supervisor has it. Handlers with `SA_RESTART` repeat
  it; with others it fails with EINTR, which files do not do otherwise.
- The loader of programs (``ld.so``) is opened by the kernel alone, as are interpreters in the first
  lines of scripts; of these the second are noted.
- ``no_new_privs`` holds: setuid programs get no rights.
- Questions about descriptors (``fstat``) are no touches, also where they name a path.

Knows nothing of tasks and claims.
"""

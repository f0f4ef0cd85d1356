"""What the tasks of a comparison do; every runner starts it with the same words.

    python -I -S peers_task.py cpu SECONDS       until this process has used so much CPU time
    python -I -S peers_task.py lines NAME COUNT  so many lines, in writes that cut lines anywhere

Imports nothing that a bare interpreter does not have at hand.
"""

import os
import sys
import time

#: What C's stdio writes at once into a pipe.
_WRITE = 4096

#: Behind a line's name and number; 56 bytes a line with all.
REST = b"abcdefghij" * 4 + b" E\n"


def cpu(seconds: float) -> None:
    """Use CPU time, however busy the machine is; the start of this process counts."""
    while time.process_time() < seconds:
        sum(range(5000))


def lines(name: str, count: int) -> None:
    """Print numbered lines."""
    head = name.encode()
    left = b""
    for first in range(0, count, 1000):
        numbers = range(first, min(first + 1000, count))
        left += b"".join(b"%s L%06d %s" % (head, number, REST) for number in numbers)
        while len(left) >= _WRITE:
            left = left[os.write(1, left[:_WRITE]) :]
    while left:
        left = left[os.write(1, left) :]


if __name__ == "__main__":
    if sys.argv[1] == "cpu":
        cpu(float(sys.argv[2]))
    else:
        lines(sys.argv[2], int(sys.argv[3]))

"""The Invoke tasks of this repository: polylane runs its own checks, and its example's."""

from polylane import namespace

ns = namespace()

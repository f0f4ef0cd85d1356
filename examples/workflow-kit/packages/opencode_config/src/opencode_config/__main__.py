"""Runs the command line as `python -m opencode_config`."""

import sys

from opencode_config.cli import main

sys.exit(main())

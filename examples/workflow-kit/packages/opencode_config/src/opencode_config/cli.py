"""The command line.

Exit codes: 0 every file is valid; 1 some file is not; 2 bad usage, or a file cannot be read.
Findings go to stdout, trouble with reading goes to stderr.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from opencode_config.document import MalformedDocumentError, parse
from opencode_config.schema import schema_text
from opencode_config.validator import validate

VALID, INVALID, UNREADABLE = 0, 1, 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code.

    :param argv: the words after the program's name; those of the process if left out
    :raises SystemExit: with code 2 on bad usage, with code 0 after ``--help``
    """
    arguments = _parser().parse_args(argv)
    if arguments.command == "schema":
        sys.stdout.write(schema_text())
        return VALID
    return max(_validate_file(path) for path in arguments.files)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="opencode-config", description="Validate opencode configuration files."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    validating = commands.add_parser("validate", help="check files against the schema")
    validating.add_argument("files", nargs="+", type=Path, metavar="FILE")
    commands.add_parser("schema", help="print the schema")
    return parser


def _validate_file(path: Path) -> int:
    try:
        findings = [str(problem) for problem in validate(parse(path.read_text("utf-8")))]
    except OSError as error:
        print(f"{path}: cannot be read: {error.strerror}", file=sys.stderr)
        return UNREADABLE
    except UnicodeDecodeError as error:
        print(f"{path}: cannot be read: not UTF-8 at byte {error.start}", file=sys.stderr)
        return UNREADABLE
    except MalformedDocumentError as error:
        findings = [str(error)]
    for finding in findings or ["valid"]:
        print(f"{path}: {finding}")
    return INVALID if findings else VALID

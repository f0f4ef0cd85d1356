"""Templates -> whole HTML pages: the frame, the style and the script that all pages share.

Knows nothing of what a page says.
"""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from polylane.errors import UserError

if TYPE_CHECKING:
    from jinja2 import Environment

_TEMPLATES = Path(__file__).parent / "templates"


def check() -> None:
    """`UserError` where no page can be made here."""
    _environment()


def render(template: str, **values: Any) -> bytes:
    """A page in UTF-8."""
    script = (_TEMPLATES / "page.js").read_text(encoding="utf-8")
    text = (
        _environment()
        .get_template(template)
        .render(
            values,
            style=(_TEMPLATES / "page.css").read_text(encoding="utf-8"),
            script=script,
            script_hash=b64encode(sha256(script.encode()).digest()).decode(),
        )
    )
    return text.encode("utf-8", "backslashreplace")


@cache
def _environment() -> Environment:
    try:
        import jinja2  # only pages need it
    except ImportError as error:
        raise UserError(f"an HTML page needs Jinja2: {error}; pip install jinja2") from None
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def weight(text: str) -> int:
    """How many bytes a text takes in a page."""
    return len(escape(text).encode("utf-8", "backslashreplace"))

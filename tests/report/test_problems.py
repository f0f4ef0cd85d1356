"""Files and lines in the output of real tools, for defects that were planted."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from polylane.report.problems import MOST, Problem, problems

EXAMPLE = Path(__file__).parents[2] / "examples" / "workflow-kit"


def output(folder: Path, *argv: str, **environ: str) -> str:
    """What a tool prints, on both streams; it must fail."""
    done = subprocess.run(
        argv,
        cwd=folder,
        env={**os.environ, **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode != 0, done.stdout
    return done.stdout


def places(text: str) -> set[tuple[str, int]]:
    return {(each.path, each.line) for each in problems(text)}


class TestRealTools:
    """Each tool is run on a defect, in the formats that it has."""

    @pytest.mark.parametrize("style", ["full", "concise"])
    def test_ruff(self, tmp_path: Path, style: str) -> None:
        """An unused import in line 3."""
        (tmp_path / "a.py").write_text('"""A."""\n\nimport os\n', encoding="utf-8")
        ruff = (sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache")
        (found,) = problems(output(tmp_path, *ruff, "--output-format", style, "a.py"))
        assert found[:3] == ("a.py", 3, 8)
        assert found.rule == "F401"
        assert found.message == "`os` imported but unused"

    def test_ruff_where_the_syntax_is_wrong(self, tmp_path: Path) -> None:
        """It has no rule with a number."""
        (tmp_path / "a.py").write_text("x = 1\ndef f(:\n", encoding="utf-8")
        ruff = (sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", "a.py")
        found = problems(output(tmp_path, *ruff))[0]
        assert (found.path, found.line, found.rule) == ("a.py", 2, "invalid-syntax")

    def test_ruff_format(self, tmp_path: Path) -> None:
        """Newer versions name the line, older ones the file."""
        (tmp_path / "a.py").write_text("x = ( 1)\n", encoding="utf-8")
        ruff = (
            sys.executable,
            "-m",
            "ruff",
            "format",
            "--isolated",
            "--no-cache",
            "--check",
            "a.py",
        )
        assert places(output(tmp_path, *ruff)) == {("a.py", 1)}

    @pytest.mark.parametrize("flags", [(), ("--show-column-numbers",), ("--pretty",)])
    def test_mypy(self, tmp_path: Path, flags: tuple[str, ...]) -> None:
        """A wrong type in line 2."""
        (tmp_path / "a.py").write_text("def f() -> str:\n    return 1\n", encoding="utf-8")
        mypy = (sys.executable, "-m", "mypy", "--config-file=", f"--cache-dir={os.devnull}")
        assert places(output(tmp_path, *mypy, *flags, "a.py")) == {("a.py", 2)}

    @pytest.mark.parametrize("style", ["auto", "long", "short", "line"])
    def test_pytest(self, tmp_path: Path, style: str) -> None:
        """The line that fails, also where a test calls it; a failed import."""
        test = "from b import f\n\ndef test_a():\n    assert 1 == 2\n\ndef test_b():\n    f()\n"
        (tmp_path / "test_a.py").write_text(test, encoding="utf-8")
        (tmp_path / "b.py").write_text("def f():\n    raise ValueError('no')\n", encoding="utf-8")
        argv = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"--tb={style}", ".")
        found = problems(output(tmp_path, *argv))
        where = {(Path(each.path).name, each.line) for each in found}
        assert where == {("test_a.py", 4), ("b.py", 2)}
        assert any("ValueError: no" in each.message for each in found)

    def test_pytest_that_collects_nothing(self, tmp_path: Path) -> None:
        """The import that fails, not the machinery that tried it."""
        (tmp_path / "test_a.py").write_text("x = 1\nimport not_there\n", encoding="utf-8")
        argv = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider", ".")
        assert places(output(tmp_path, *argv)) == {("test_a.py", 2)}

    @pytest.mark.parametrize("pretty", ["true", "false"])
    def test_tsc(self, tmp_path: Path, pretty: str) -> None:
        """A wrong type in line 2, with colours and without."""
        tsc = EXAMPLE / "node_modules" / ".bin" / "tsc"
        if not tsc.exists() or not shutil.which("node"):
            pytest.skip("the example's packages are not installed")
        text = "export function f(x: number): string {\n  return x;\n}\n"
        (tmp_path / "a.ts").write_text(text, encoding="utf-8")
        said = output(tmp_path, str(tsc), "--noEmit", "--pretty", pretty, "a.ts")
        (found,) = problems(said)
        assert found[:3] == ("a.ts", 2, 3)
        assert found.rule == "TS2322"

    @pytest.mark.parametrize("colour", ["0", "1"])
    def test_eslint(self, tmp_path: Path, colour: str) -> None:
        """An unused variable in line 2 is an error, a console.log a warning; paths are absolute."""
        eslint = EXAMPLE / "node_modules" / ".bin" / "eslint"
        if not eslint.exists() or not shutil.which("node"):
            pytest.skip("the example's packages are not installed")
        rules = '{rules: {"no-unused-vars": "error", "no-console": "warn"}}'
        (tmp_path / "eslint.config.mjs").write_text(f"export default [{rules}];", encoding="utf-8")
        (tmp_path / "a.js").write_text("console.log(1);\nconst a = 1;\n", encoding="utf-8")
        said = output(tmp_path, str(eslint), "a.js", FORCE_COLOR=colour)
        warned, failed = problems(said)
        assert warned[:3] == (str(tmp_path / "a.js"), 1, 1)
        assert (warned.rule, warned.warning) == ("no-console", True)
        assert failed[:2] == (str(tmp_path / "a.js"), 2)
        assert (failed.rule, failed.warning) == ("no-unused-vars", False)


class TestOtherText:
    """What looks alike, and is not."""

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "12:30: error",
            "https://example.org:80: no",
            "  3:7  error  without a file  some-rule\n",
            " --> a.py:1:2\n",
            "src/a.py:3: note: see there\n",
            "src/a.py:3: DeprecationWarning: old\n",
        ],
    )
    def test_it_gives_nothing(self, text: str) -> None:
        """Times, addresses, notes, warnings, places without a head."""
        assert problems(text) == []

    def test_each_is_given_once_and_no_more_than_people_read(self) -> None:
        """The first so many."""
        line = "a.py:{}: error: no  [misc]\n"
        assert problems(line.format(1) * 3) == [Problem("a.py", 1, None, "no", "misc")]
        assert len(problems("".join(line.format(i) for i in range(2 * MOST)))) == MOST

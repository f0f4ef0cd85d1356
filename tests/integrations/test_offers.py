"""The names that a workspace offers to its hosts."""

from __future__ import annotations

from pathlib import Path

import pytest

from polylane.errors import UserError
from polylane.integrations import offers
from polylane.integrations.bodies import Body
from polylane.plan.selection import Selection
from polylane.planning import Request, make_plan
from tests.integrations.repository import Repository


def body(**said: object) -> Body:
    values = {
        "function": print,
        "name": "own",
        "verb": "lint",
        "language": "",
        "project": "root",
        "reads": (),
        "writes": (),
        "caches": (),
        "locks": (),
        "needs": (),
        "slots": 1,
        "timeout": None,
        "source": "tasks.py:1",
        "help": "",
        **said,
    }
    return Body(**values)  # type: ignore[arg-type]


def names(folder: Path, *bodies: Body) -> list[str]:
    return [offer.name for offer in offers.find(folder, bodies)]


def test_names_come_in_the_order_of_verbs(tmp_path: Path) -> None:
    """Known verbs first, then the user's, then pipelines."""
    Repository(tmp_path).write(
        {
            "polylane.toml": '[tasks."zap:root:a"]\ncommand = "true"\n'
            '[tasks."lint:root:a"]\ncommand = "true"\n'
            '[pipelines]\nall = ["zap", "lint"]\n'
        }
    )
    assert names(tmp_path) == [
        "lint",
        "lint-parallel",
        "zap",
        "zap-parallel",
        "qa",
        "qa-parallel",
        "all",
        "all-parallel",
    ]


def test_a_body_brings_its_verb_its_language_and_its_own_name(tmp_path: Path) -> None:
    """And its own name runs it alone."""
    Repository(tmp_path)
    found = {o.name: o for o in offers.find(tmp_path, [body(language="sql", help="Do it.")])}
    assert {"lint", "lint-parallel", "lint-sql", "own"} <= set(found)
    assert found["own"].ids == {"lint:root:own"}
    assert found["own"].help == "Do it."


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[tasks."test-unit:root:a"]\ncommand = "true"\n', "the name 'test-unit'"),
        ('[pipelines]\nlint = ["test"]\n', "the name 'lint'"),
    ],
)
def test_names_that_meet_are_refused(tmp_path: Path, text: str, told: str) -> None:
    """One line says which two things the name would mean."""
    Repository(tmp_path).write({"polylane.toml": text})
    meeting = [body(verb="test", language="unit"), body(name="other")]
    with pytest.raises(UserError) as caught:
        offers.find(tmp_path, meeting)
    assert told in str(caught.value)
    assert "give a verb, a language or a pipeline another name" in str(caught.value)


def test_an_unknown_verb_in_a_pipeline_is_named(tmp_path: Path) -> None:
    """With its place, and what was meant."""
    Repository(tmp_path).write({"polylane.toml": '[pipelines]\nqa = ["lnt"]\n'})
    with pytest.raises(UserError, match=r"polylane\.toml:2: pipelines\.qa.*'lnt'.*'lint'"):
        offers.find(tmp_path, [])


class TestSelect:
    """``--select``."""

    def test_verbs_and_pipelines_are_taken_in_order(self, tmp_path: Path) -> None:
        """A verb that is named twice counts once."""
        assert offers.verbs_of(tmp_path, "docs, qa,lint", []) == (
            "docs",
            "build",
            "lint",
            "test",
            "security",
        )

    @pytest.mark.parametrize(
        ("text", "told"),
        [("lnt", "did you mean 'lint'"), (",", "names no verb"), ("zzzzzzzz", "known: ")],
    )
    def test_what_is_unknown_is_named(self, tmp_path: Path, text: str, told: str) -> None:
        """With what was meant, or what there is."""
        with pytest.raises(UserError) as caught:
            offers.verbs_of(tmp_path, text, [])
        assert told in str(caught.value)


class TestAudit:
    """``audit = true``."""

    @pytest.mark.parametrize("said", [True, False])
    def test_package_managers_audits_are_offered_on_request(
        self, tmp_path: Path, *, said: bool
    ) -> None:
        """They need a network, so that they are no part of `security` by themselves."""
        Repository(tmp_path).write(
            {
                "polylane.toml": f"audit = {str(said).lower()}\n",
                "package.json": '{"name": "x"}',
                "package-lock.json": "{}",
            }
        )
        assert ("security" in names(tmp_path)) is said
        request = Request(tmp_path, Selection(("security",)), must_match=False)
        assert [task.tool for task in make_plan(request).graph.tasks] == ["npm-audit"] * said

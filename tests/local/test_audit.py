"""`make audit` never calls clean what it could not look up."""

import json

from local.audit import verdict


def answer(*rows: dict[str, object]) -> str:
    return json.dumps({"dependencies": list(rows), "fixes": []})


CLEAN = {"name": "a", "version": "1", "vulns": []}
UNASKED = {"name": "b", "skip_reason": "Dependency not found on PyPI and could not be audited: b (1)"}
KNOWN = {
    "name": "c",
    "version": "2",
    "vulns": [{"id": "PYSEC-2018-28", "fix_versions": ["3"], "aliases": [], "description": ""}],
}


def test_clean_is_only_what_was_looked_up_whole() -> None:
    assert verdict("run", answer(CLEAN), "") == ("clean", "requirements/run.txt: nothing known of 1 packages")
    assert verdict("run", answer(CLEAN, UNASKED), "")[0] == "skipped"


def test_a_weakness_is_told_even_where_others_were_not_looked_up() -> None:
    word, sentence = verdict("run", answer(UNASKED, KNOWN), "")
    assert word == "known"
    assert "c 2: PYSEC-2018-28" in sentence


def test_a_service_that_is_away_is_said() -> None:
    for said in ("", "ConnectionError: no route", "Traceback\nServiceError: x"):
        word, sentence = verdict("run", "", said)
        assert word == "skipped"
        assert "SKIPPED" in sentence

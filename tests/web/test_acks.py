"""The acknowledgement log: a line for each answer, whole or not there, in files that only ever grow."""

from __future__ import annotations

import os
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app import acks

JOURNAL = "0" * 32
AGO, LATER = timedelta(hours=2), timedelta(hours=1)


def read(where: Path, journal: str = JOURNAL) -> tuple[list[acks.Ack], acks.Reader]:
    reader = acks.Reader(where, journal)
    now = datetime.now(UTC)
    return list(reader.between(now - AGO, now + LATER)), reader


def test_what_is_written_is_read(tmp_path: Path) -> None:
    log = acks.Log(tmp_path / "acks", lambda: JOURNAL)
    for name in ("a", 'b"\n', "\N{SNOWMAN}" * 300):
        log.write("shop", name, b"{}", first=name != "a")
    found, reader = read(tmp_path / "acks")
    assert [ack.delivery_id for ack in found] == ["a", 'b"\n', "\N{SNOWMAN}" * 300]
    assert [ack.first for ack in found] == [False, True, True]
    assert {ack.content for ack in found} == {acks.content(b"{}")}
    assert (reader.files, reader.torn, reader.strangers) == (1, 0, 0)


def test_many_threads_write_whole_lines(tmp_path: Path) -> None:
    log = acks.Log(tmp_path, lambda: JOURNAL)
    crowd = [
        threading.Thread(target=lambda n=n: [log.write("shop", f"{n}-{i}" * 50, b"x", True) for i in range(200)])
        for n in range(8)
    ]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()
    found, reader = read(tmp_path)
    assert len({ack.delivery_id for ack in found}) == 1600
    assert reader.torn == 0


def test_a_fork_has_a_file_of_its_own_and_a_kill_loses_nothing(tmp_path: Path) -> None:
    log = acks.Log(tmp_path, lambda: JOURNAL)
    log.write("shop", "parent", b"", True)
    child = os.fork()
    if not child:
        log.write("shop", "child", b"", True)
        os.kill(os.getpid(), 9)
    os.waitpid(child, 0)
    log.write("shop", "parent again", b"", True)
    found, reader = read(tmp_path)
    assert {ack.delivery_id for ack in found} == {"parent", "child", "parent again"}
    assert reader.files == 2


def test_half_a_line_spoils_no_other(tmp_path: Path) -> None:
    log = acks.Log(tmp_path, lambda: JOURNAL)
    log.write("shop", "one", b"", True)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes() + b'[17,"shop","tw\n' + b"[]\n" + b'[1e99,"shop","x","",true]\n')
    log.write("shop", "three", b"", True)
    found, reader = read(tmp_path)
    assert [ack.delivery_id for ack in found] == ["one", "three"]
    assert reader.torn == 3


def test_a_disk_that_takes_half_a_line_is_told_and_the_next_line_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = acks.Log(tmp_path, lambda: JOURNAL)
    log.write("shop", "one", b"", True)
    whole = os.write
    monkeypatch.setattr(os, "write", lambda file, data: whole(file, data[:10]))
    with pytest.raises(OSError, match="cut short"):
        log.write("shop", "two", b"", True)
    monkeypatch.undo()
    log.write("shop", "three", b"", True)
    found, reader = read(tmp_path)
    assert [ack.delivery_id for ack in found] == ["one", "three"]
    assert reader.torn == 1


def test_another_databases_log_is_not_ours(tmp_path: Path) -> None:
    acks.Log(tmp_path, lambda: "f" * 32).write("shop", "theirs", b"", True)
    found, reader = read(tmp_path)
    assert (found, reader.files, reader.strangers) == ([], 0, 1)


def test_a_new_hour_has_a_new_file_and_old_ones_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = datetime.now(UTC) - timedelta(days=3)
    past = tmp_path / f"{old:%Y%m%d%H}.{JOURNAL}.gone-1.acks"
    other = tmp_path / "somebody-elses-file.txt"
    for path in (past, other):
        path.write_text("x\n")
    log = acks.Log(tmp_path, lambda: JOURNAL)
    log.write("shop", "one", b"", True)
    assert past.exists()
    monkeypatch.setenv("ACKS_KEEP_DAYS", "2")
    log._hour -= 1  # as if the hour had turned
    log.write("shop", "two", b"", True)
    assert not past.exists()
    assert other.exists()
    assert [ack.delivery_id for ack in read(tmp_path)[0]] == ["one", "two"]

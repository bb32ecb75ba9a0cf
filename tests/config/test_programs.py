from __future__ import annotations

import os
import signal
from pathlib import Path

import psutil
import pytest

from config.embedded import programs

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs servers as another account")


def test_a_package_that_is_missing_is_named() -> None:
    with pytest.raises(programs.CannotStart, match="no_such_package is not installed; run `make install`"):
        programs.packaged("no_such_package", "bin", "server")


def test_a_program_that_fails_says_what_it_said() -> None:
    with pytest.raises(programs.CannotStart, match=r"ls failed: .*no-such-file"):
        programs.complete(["ls", "/no-such-file"])


def test_a_full_log_makes_room_and_is_kept(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    log.write_bytes(b"x" * (programs.LOG_KEEP_BYTES + 1))
    programs.launch(["true"], log=log).wait()
    assert log.stat().st_size == 0
    assert (tmp_path / "server.log.1").stat().st_size > programs.LOG_KEEP_BYTES


def test_a_server_gets_what_it_is_given_and_none_of_our_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPORT", "1")
    programs.launch(["sh", "-c", "cat; echo , ${PGPORT-nothing}"], log=tmp_path / "server.log", given="secret").wait()
    assert programs.last_words(tmp_path / "server.log") == "secret, nothing"


def test_a_process_that_heeds_no_signal_is_named() -> None:
    with pytest.raises(programs.CannotStart, match=f"process {os.getpid()} does not end"):
        programs.end(os.getpid(), alive=lambda: True, signals=[(signal.SIGWINCH, 0)])


def test_a_process_that_is_gone_already_is_ended() -> None:
    child = psutil.Popen(["true"])
    child.wait()
    programs.end(child.pid, alive=lambda: True, signals=[(signal.SIGTERM, 0)])


def test_a_pid_of_another_program_is_not_taken_for_the_server(tmp_path: Path) -> None:
    assert not programs.is_alive(os.getpid(), program="postgres", folder=tmp_path)


def test_a_server_on_its_way_out_is_alive_until_it_is_off_the_process_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = programs.launch(["sh", "-c", "exec sleep 60", str(tmp_path)], log=tmp_path / "server.log")
    monkeypatch.setattr(psutil.Process, "cmdline", lambda self: [])  # as the kernel says of one that is ending

    def alive() -> bool:
        return programs.is_alive(child.pid, program="sh", folder=tmp_path)

    assert alive()
    programs.end(child.pid, alive=alive, signals=[(signal.SIGTERM, 10)])
    assert child.returncode == -signal.SIGTERM


@as_root
def test_only_passing_through_is_granted_above_a_servers_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    folder = programs.own(private / "server")
    assert private.stat().st_mode & 0o777 == 0o701
    assert folder.stat().st_mode & 0o777 == 0o700
    assert folder.owner() == programs.ACCOUNT_NAME
    assert f"{private} may now be passed through" in capsys.readouterr().err


@as_root
def test_a_package_installed_under_a_strict_umask_can_be_run(tmp_path: Path) -> None:
    package = tmp_path / "package"
    (package / "bin").mkdir(parents=True)
    server, library = package / "bin" / "server", package / "library.so"
    for path, mode in ((server, 0o700), (library, 0o600), (package / "bin", 0o700), (package, 0o700)):
        path.touch()
        path.chmod(mode)
    programs.let_run(server, package)
    assert server.stat().st_mode & 0o777 == 0o705
    assert library.stat().st_mode & 0o777 == 0o604
    assert package.stat().st_mode & 0o777 == 0o705

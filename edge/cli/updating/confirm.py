"""The self-check at each boot: a proven slot is marked good at once, a new one once its appliance works as before."""

from __future__ import annotations

import logging

from edge.cli.updating.board import Board, moment
from edge.cli.updating.trial import Record, Verdict, at_boot, failing, passed, told
from edge.errors import UpdateError

LOG = logging.getLogger(__name__)

PATIENCE_SECONDS = 300.0
"""How long a version on trial has in each of its boots."""
STEADY_SECONDS = 20.0
"""How long all must be well, with the same process: a service that ends again and again is well now and then."""
PAUSE_SECONDS = 2.0


def confirm(board: Board, patience_seconds: float = PATIENCE_SECONDS) -> bool:
    """Whether this slot is proven now. Where it is not, the machine has been asked to start anew.

    Raises UpdateError where the boot loader cannot be asked or told.
    """
    boot, before = board.boot(), board.load()
    record, verdict = at_boot(before, boot, moment(board))
    if verdict is not Verdict.TRIAL:
        if verdict is Verdict.FELL_BACK:
            board.mark_active()  # or the slot that failed has its turn again when all tries are used up
            LOG.warning("%s", told(record, boot))
        board.mark_good()
        if record != before:
            _keep(board, record)
        board.tell(told(record, boot))
        return True
    _keep(board, record)
    board.tell(told(record, boot))
    assert record.trial is not None
    LOG.info("version %s in slot %s is on trial, start %d", boot.version, boot.slot, record.trial.boots)
    wrong = _watch(board, record.trial.wanted, patience_seconds)
    if wrong:
        LOG.error("version %s failed its self-check: %s; starting anew", boot.version, wrong)
        _keep(board, failing(record, wrong))
        board.restart()
        return False
    board.mark_good()
    _keep(board, passed(record, boot))
    board.tell("")
    LOG.info("version %s in slot %s works and is marked good", boot.version, boot.slot)
    return True


def _watch(board: Board, wanted: tuple[str, ...], patience_seconds: float) -> str:
    """"" once all that is wanted has been well for a while; else what is wrong when patience ends."""
    ends, well_since, process, wrong = board.seconds() + patience_seconds, 0.0, None, ""
    while True:
        look = board.look()
        now = board.seconds()
        wrong = "; ".join(look.words[each] for each in wanted if not look.passed[each])
        if wrong or look.process != process:
            well_since, process = now, look.process
        if not wrong and now - well_since >= STEADY_SECONDS:
            return ""
        if now >= ends:
            return wrong or "the service does not stay up"
        board.wait(PAUSE_SECONDS)


def _keep(board: Board, record: Record) -> None:
    """A disk that refuses must not keep a board from coming up: the boot loader counts by itself."""
    try:
        board.save(record)
    except UpdateError as error:
        LOG.error("%s", error)

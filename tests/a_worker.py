"""A worker over made-up sweeps, run as a process of its own: python tests/a_worker.py URL FILE"""

import logging
import os
import sys
import types
from pathlib import Path

from flask import Flask, current_app

from cms.jobs import worker
from cms.queue import DEFAULT

URL, FILE = sys.argv[1], Path(sys.argv[2])
PARENT = os.getpid()


def _write(line: str) -> None:
    with FILE.open("a") as file:
        file.write(line + "\n")


def outbox(slot: int) -> None:
    _write(f"outbox {slot} forked={os.getpid() != PARENT} app={current_app.name}")


def pending_documents(slot: int) -> None:
    _write("tried")
    raise ValueError("cannot")


def seal(slot: int) -> None:
    hog = bytearray(2 * 2**30)
    _write(f"seal {len(hog)}")


sweeps = types.ModuleType("cms.jobs.sweeps")
sweeps.__dict__.update(outbox=outbox, pending_documents=pending_documents, seal=seal, hit=lambda *_: _write("callback"))
sys.modules["cms.jobs.sweeps"] = sweeps

worker.log_to_stderr("worker")
worker.BEAT_SECONDS = 2
logging.getLogger().setLevel(logging.WARNING)
worker.run("worker", DEFAULT, Flask("police"), URL)
_write("stopped")

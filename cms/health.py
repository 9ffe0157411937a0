"""GET /healthz: down only when a complaint could not be taken in; degraded when something follows later."""

import os
import shutil
import sqlite3
from typing import Any, cast

import redis
from flask import Blueprint, Flask, current_app, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from cms.queue import ALIVE, LAST_SWEEP, TICK, connect
from cms.settings import Settings

FREE_BYTES = 50 * 2**20
ESSENTIAL = ("database", "disk")

blueprint = Blueprint("health", __name__)


def health(settings: Settings) -> dict[str, Any]:
    parts = {"database": _database(settings), "disk": _disk(settings), **_queue(settings)}
    last_sweep = parts.pop("last_sweep")
    failing = [name for name, state in parts.items() if state != "ok"]
    status = "ok" if not failing else "degraded"
    if any(name in failing for name in ESSENTIAL):
        status = "down"
    return {"status": status, "degraded": failing, **parts, "last_sweep": last_sweep, "version": settings.version}


@blueprint.get("/healthz")
def healthz() -> ResponseReturnValue:
    answer = health(current_app.extensions["cms_settings"])
    return jsonify(answer), 503 if answer["status"] == "down" else 200


def register(app: Flask, settings: Settings) -> None:
    app.extensions.setdefault("cms_settings", settings)
    app.register_blueprint(blueprint)


def _database(settings: Settings) -> str:
    if settings.sqlite_path is not None:
        return _sqlite(settings)
    engine = create_engine(settings.database_url, poolclass=NullPool, connect_args={"connect_timeout": 2})
    try:
        with engine.connect() as conn:
            conn.execute(text("SELECT 1"))
    except SQLAlchemyError:
        return "failed"
    return "ok"


def _sqlite(settings: Settings) -> str:
    try:
        # mode=rw: looking must not create an empty database where one is missing.
        conn = sqlite3.connect(f"file:{settings.sqlite_path}?mode=rw", uri=True, timeout=0.05)
    except sqlite3.Error:
        return "failed"
    try:
        conn.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error:
        return "failed"
    finally:
        conn.close()
    return "ok"


def _disk(settings: Settings) -> str:
    try:
        free = shutil.disk_usage(settings.data_dir).free
    except OSError:
        return "failed"
    return "ok" if free >= FREE_BYTES and os.access(settings.data_dir, os.W_OK) else "failed"


def _queue(settings: Settings) -> dict[str, Any]:
    keys = {"worker": ALIVE + "worker", "renderer": ALIVE + "renderer", "tick": TICK, "last_sweep": LAST_SWEEP}
    conn = connect(settings.redis_url, timeout=0.04)
    try:
        found = dict(zip(keys, cast("list[bytes | None]", conn.mget(list(keys.values()))), strict=True))
    except redis.RedisError:
        return {"queue": "failed", **dict.fromkeys(("worker", "renderer", "tick"), "unknown"), "last_sweep": None}
    finally:
        conn.close()
    last = found.pop("last_sweep")
    states = {name: "ok" if value else "missing" for name, value in found.items()}
    return {"queue": "ok", **states, "last_sweep": last.decode() if last else None}

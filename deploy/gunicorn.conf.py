"""The web server: python3 app.py and the systemd unit start it the same way."""

import os

host, port = os.environ.get("CMS_HOST") or "127.0.0.1", os.environ.get("CMS_PORT") or "8000"
bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
workers = int(os.environ.get("CMS_WEB_WORKERS") or 2)
threads = 4
worker_class = "gthread"
preload_app = True
control_socket_disable = True
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
graceful_timeout = 10
timeout = 60
errorlog = "-"
loglevel = "warning"
forwarded_allow_ips = "127.0.0.1,::1"


def post_fork(server, worker):
    """A database connection made while the app was loaded must not be shared by the workers."""
    from cms.jobs.worker import forget_parents_connections

    forget_parents_connections(worker.app.wsgi())

"""CMS: the Complaint Monitoring System of a police range."""

from __future__ import annotations

from functools import partial

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from cms.settings import Settings


def create_app(settings: Settings | None = None) -> Flask:
    """Wire the application for these settings (default: from the environment)."""
    from cms import admin_views, audit, cli, database, health, i18n, public, queue, unit_of_work, web
    from cms.store import Store
    from cms.vault import Vault

    settings = settings or Settings.from_env()
    app = Flask("cms", root_path=None, template_folder="../templates", static_folder="../static")
    app.config.update(
        SECRET_KEY=settings.secret_key,
        TRUSTED_HOSTS=list(settings.trusted_hosts),
        MAX_CONTENT_LENGTH=2 * 1024 * 1024,
        MAX_FORM_MEMORY_SIZE=1024 * 1024,
        SQLALCHEMY_TRACK_MODIFICATIONS=False,
    )
    if settings.proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=settings.proxies, x_proto=settings.proxies, x_host=0
        )
    app.extensions["cms_settings"] = settings
    app.extensions["cms_vault"] = Vault(settings.secret_key)
    app.extensions["cms_store"] = Store(settings.data_dir / "documents")
    app.extensions["cms_batches"] = Store(settings.data_dir / "documents" / "batches")
    app.extensions["cms_hint"] = partial(queue.hint, settings)
    database.init_app(app, settings.database_url)
    audit.install()
    unit_of_work.install()
    i18n.init_app(app)
    web.init_app(app)
    public.init_app(app)
    admin_views.init_app(app)
    cli.init_app(app)
    health.register(app, settings)
    return app

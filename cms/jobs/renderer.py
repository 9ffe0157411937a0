"""The worker that makes PDFs: WeasyPrint, fonts and styles are loaded before it forks.

Start: python -m cms.jobs.renderer
"""

import gc
import os

from cms.jobs.worker import log_to_stderr, run
from cms.queue import RENDER
from cms.settings import Settings


def main() -> None:
    from cms import create_app, pdf

    log_to_stderr("renderer")
    settings = Settings.from_env()
    app = create_app(settings)
    import cms.jobs.sweeps  # noqa: F401  the forks inherit what is loaded here

    pdf.warm()
    gc.collect()
    gc.freeze()  # what is loaded stays for good: no fork needs to look through it, or to copy it
    run("renderer", RENDER, app, settings.redis_url)
    # WeasyPrint's clean-up trips over modules that are gone at a normal exit.
    os._exit(0)


if __name__ == "__main__":
    main()

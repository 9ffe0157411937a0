"""python3 app.py runs everything; a web server and the flask command find `app` here."""

import sys

if __name__ == "__main__":
    import bootstrap

    sys.exit(bootstrap.main(sys.argv[1:]))

from cms import create_app

app = create_app()

"""Messages to a real SMTP conversation and to files."""

import socketserver
import threading
from email import message_from_string
from email.header import decode_header

import pytest

from cms.notify import Files, Message, Smtp, gateway, mime


class Conversation(socketserver.StreamRequestHandler):
    """Enough of RFC 5321 to take one message, or to refuse it."""

    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

    def handle(self) -> None:
        self.say("220 here")
        while line := self.rfile.readline().decode().strip():
            verb = line.upper().split(" ")[0].split(":")[0]
            if verb == "DATA":
                self.take()
            elif verb == "QUIT":
                self.say("221 bye")
                return
            elif verb == "RCPT" and self.server.refuse:
                self.say("550 no such person")
            else:
                self.say("250 fine")

    def take(self) -> None:
        self.say("354 go on")
        lines = []
        while (line := self.rfile.readline().decode().rstrip("\r\n")) != ".":
            lines.append(line)
        self.server.received.append("\n".join(lines))
        self.say("250 taken")


@pytest.fixture
def server():
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Conversation) as running:
        running.daemon_threads = True
        running.refuse, running.received = False, []
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


def message(**changes):
    said = {"key": "reminder:7:LATE", "to": "sho@example.org", "subject": "विलंबित: HSR-2026-000001-8", "body": "देखें।"}
    return Message(**(said | changes))


def test_a_message_goes_out_with_its_own_identity(server):
    smtp = Smtp(f"smtp://127.0.0.1:{server.server_address[1]}", "cms@example.org")
    for _ in range(2):
        smtp.send(message(attachment=("HSR.pdf", b"%PDF-1.7")))
    mails = [message_from_string(text) for text in server.received]
    assert {m["Message-ID"] for m in mails} == {"<reminder-7-LATE@cms>"}
    subject = "".join(part.decode(code or "ascii") if isinstance(part, bytes) else part for part, code in decode_header(mails[0]["Subject"]))
    assert subject == "विलंबित: HSR-2026-000001-8"
    assert [p.get_filename() for p in mails[0].walk() if p.get_filename()] == ["HSR.pdf"]


def test_a_refusal_is_an_error_that_the_outbox_keeps(server):
    server.refuse = True
    with pytest.raises(Exception, match="no such person"):
        Smtp(f"smtp://127.0.0.1:{server.server_address[1]}", "cms@example.org").send(message())


def test_files_are_one_per_key_and_never_leave_the_folder(tmp_path):
    files = Files(tmp_path / "mail", "cms@example.org")
    for _ in range(2):
        files.send(message(key="../../etc/passwd"))
    assert [p.name for p in (tmp_path / "mail").iterdir()] == ["..-..-etc-passwd.eml"]


@pytest.mark.parametrize("subject", ["a\nBcc: x@example.org", "a\r\nTo: x@example.org"])
def test_no_header_is_smuggled_in(subject):
    with pytest.raises(ValueError, match="linefeed"):
        mime(message(subject=subject), "cms@example.org")


def test_settings_choose_the_way_out(tmp_path):
    assert isinstance(gateway(tmp_path, None, "x@example.org"), Files)
    assert isinstance(gateway(tmp_path, "smtp://h:25", "x@example.org"), Smtp)

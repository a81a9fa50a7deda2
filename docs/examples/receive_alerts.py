"""A webhook that prints what it is posted: `python receive_alerts.py PORT`. Needs Python alone."""

import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer


class Receiver(BaseHTTPRequestHandler):
    """Answers 200 once an alert is dealt with; with any 5xx it would come again."""

    def do_POST(self) -> None:
        """Take one post in: it may be one that was posted before."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        for alert in body["alerts"]:
            said = (alert["status"], alert["fingerprint"], alert["annotations"]["summary"])
            print(*said, flush=True)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing of each post."""


if __name__ == "__main__":
    HTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver).serve_forever()

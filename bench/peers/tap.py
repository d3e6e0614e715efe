"""Runs the unmodified published Singer tap against the simulated account instead of freshdesk.com."""

import atexit
import os
import re
import resource
import sys

import requests

ORIGIN = os.environ["ORIGIN"]
send = requests.Session.send


def send_to_origin(self, request, **options):
    request.url = re.sub(r"^https://[^/]+\.freshdesk\.com", ORIGIN, request.url)
    return send(self, request, **options)


requests.Session.send = send_to_origin


def report_cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(f"CPU {used.ru_utime + used.ru_stime}", file=sys.stderr)


atexit.register(report_cpu)

from tap_freshdesk import main  # noqa: E402

main()

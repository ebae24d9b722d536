"""Calls the tasks of a worker in the ways that programs do, and says so when all answers were right."""

import sys

from celery import chain
from celery_tasks import add, app, charge, refuse

SECONDS = 30


def equal(seen, wished, what):
    if seen != wished:
        sys.exit("%s: %r instead of %r" % (what, seen, wished))


equal(app.control.ping(timeout=2), [{"celery@shop": {"ok": "pong"}}], "answers to ping")
equal(add.delay(2, 3).get(timeout=SECONDS), 5, "a task's result")
equal(chain(add.s(1, 2), add.s(4)).apply_async().get(timeout=SECONDS), 7, "a chain's result")
many = [add.delay(i, i) for i in range(100)]
equal([task.get(timeout=SECONDS) for task in many], [2 * i for i in range(100)], "a hundred results")
equal(charge.delay("o-1").get(timeout=SECONDS), "o-1 charged at attempt 3", "a retried task")
equal(add.apply_async((5, 5), countdown=0.5, priority=3).get(timeout=SECONDS), 10, "a task for later")
try:
    refuse.delay("o-2").get(timeout=SECONDS)
    sys.exit("a task that fails gave a result")
except ValueError as failed:
    equal(str(failed), "no such order: o-2", "a task's failure")
print("held: celery")

"""The tasks of a small shop. BROKER is the broker's URL."""

import os

from celery import Celery

app = Celery("celery_tasks", broker=os.environ["BROKER"], backend="rpc://")
app.conf.update(task_acks_late=True, worker_prefetch_multiplier=4, task_queue_max_priority=5)


@app.task
def add(x, y):
    return x + y


@app.task(bind=True, max_retries=3)
def charge(self, order):
    if self.request.retries < 2:
        raise self.retry(countdown=0.1)
    return "%s charged at attempt %d" % (order, self.request.retries + 1)


@app.task
def refuse(order):
    raise ValueError("no such order: " + order)

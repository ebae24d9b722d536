"""Six patterns of messaging by pika. Arguments: port, name of the pattern, a prefix for all names. Ends with 0 if all held."""

import sys
import threading

import pika

port, pattern, prefix = int(sys.argv[1]), sys.argv[2], sys.argv[3]
parameters = pika.ConnectionParameters("127.0.0.1", port)


def equal(found, expected, what):
    if found != expected:
        sys.exit("%s: expected %r, found %r" % (what, expected, found))


def receive(channel, queue, count):
    """The next messages of a queue, each acknowledged."""
    got = []
    for method, _, body in channel.consume(queue, inactivity_timeout=20):
        if method is None:
            sys.exit("%s: of %d messages only %r came" % (queue, count, got))
        channel.basic_ack(method.delivery_tag)
        got.append((method.routing_key, body.decode()))
        if len(got) == count:
            break
    channel.cancel()
    return got


def work_queue(channel):
    queue = prefix + "tasks"
    channel.queue_declare(queue, durable=True)
    workers = [pika.BlockingConnection(parameters).channel() for _ in range(2)]
    done = [[], []]
    for number, worker in enumerate(workers):
        worker.basic_qos(prefetch_count=1)

        def work(ch, method, _, body, number=number):
            done[number].append(body)
            ch.basic_ack(method.delivery_tag)

        worker.basic_consume(queue, work)
    for i in range(10):
        channel.basic_publish("", queue, b"task %d" % i, pika.BasicProperties(delivery_mode=2))
    for _ in range(400):
        for worker in workers:
            worker.connection.process_data_events(0.05)
        if sum(map(len, done)) == 10:
            break
    equal(sorted(done[0] + done[1]), [b"task %d" % i for i in range(10)], "tasks done")
    equal(all(done), True, "both workers worked")


def publish_subscribe(channel):
    exchange = prefix + "logs"
    channel.exchange_declare(exchange, "fanout")
    queues = [channel.queue_declare("", exclusive=True).method.queue for _ in range(3)]
    for queue in queues:
        channel.queue_bind(queue, exchange)
    channel.basic_publish(exchange, "", b"to all")
    for queue in queues:
        equal(receive(channel, queue, 1), [("", "to all")], "what " + queue + " got")


def routing(channel):
    exchange = prefix + "direct"
    channel.exchange_declare(exchange, "direct")
    errors = channel.queue_declare("", exclusive=True).method.queue
    everything = channel.queue_declare("", exclusive=True).method.queue
    channel.queue_bind(errors, exchange, "error")
    for severity in ("info", "error"):
        channel.queue_bind(everything, exchange, severity)
    for severity in ("info", "error", "debug"):
        channel.basic_publish(exchange, severity, severity.encode())
    equal(receive(channel, errors, 1), [("error", "error")], "errors")
    equal(receive(channel, everything, 2), [("info", "info"), ("error", "error")], "everything")
    equal(channel.queue_declare(errors, passive=True).method.message_count, 0, "errors left")


def topics(channel):
    exchange = prefix + "topics"
    channel.exchange_declare(exchange, "topic")
    kernel = channel.queue_declare("", exclusive=True).method.queue
    critical = channel.queue_declare("", exclusive=True).method.queue
    channel.queue_bind(kernel, exchange, "kern.#")
    channel.queue_bind(critical, exchange, "*.critical")
    for key in ("kern.critical", "kern.a.b", "cron.critical", "cron.info", "kern"):
        channel.basic_publish(exchange, key, key.encode())
    equal([key for key, _ in receive(channel, kernel, 3)], ["kern.critical", "kern.a.b", "kern"], "kern.#")
    equal([key for key, _ in receive(channel, critical, 2)], ["kern.critical", "cron.critical"], "*.critical")


def rpc(channel):
    queue = prefix + "rpc"
    channel.queue_declare(queue)
    ready = threading.Event()

    def serve():
        connection = pika.BlockingConnection(parameters)
        server = connection.channel()

        def answer(ch, method, properties, body):
            ch.basic_publish(
                "",
                properties.reply_to,
                b"%d" % (int(body) * 2),
                pika.BasicProperties(correlation_id=properties.correlation_id),
            )
            ch.basic_ack(method.delivery_tag)

        server.basic_consume(queue, answer)
        ready.set()
        server.start_consuming()

    threading.Thread(target=serve, daemon=True).start()
    ready.wait(20)
    replies = []
    # Replies without a queue of one's own.
    channel.basic_consume(
        "amq.rabbitmq.reply-to", lambda ch, m, p, body: replies.append((p.correlation_id, body)), auto_ack=True
    )
    for i in range(3):
        channel.basic_publish(
            "",
            queue,
            b"%d" % i,
            pika.BasicProperties(reply_to="amq.rabbitmq.reply-to", correlation_id="c%d" % i),
        )
    for _ in range(400):
        channel.connection.process_data_events(0.05)
        if len(replies) == 3:
            break
    equal(replies, [("c0", b"0"), ("c1", b"2"), ("c2", b"4")], "replies")


def confirms(channel):
    queue = prefix + "confirmed"
    channel.queue_declare(queue, durable=True)
    channel.confirm_delivery()
    for i in range(20):
        channel.basic_publish("", queue, b"%d" % i, pika.BasicProperties(delivery_mode=2), mandatory=True)
    equal(len(receive(channel, queue, 20)), 20, "confirmed messages")
    try:
        channel.basic_publish("", prefix + "no-such-queue", b"lost", mandatory=True)
        sys.exit("a mandatory message without a queue was not returned")
    except pika.exceptions.UnroutableError as returned:
        equal(returned.messages[0].body, b"lost", "what was returned")


connection = pika.BlockingConnection(parameters)
{
    "work-queue": work_queue,
    "publish-subscribe": publish_subscribe,
    "routing": routing,
    "topics": topics,
    "rpc": rpc,
    "confirms": confirms,
}[pattern](connection.channel())
connection.close()
print("held: " + pattern)

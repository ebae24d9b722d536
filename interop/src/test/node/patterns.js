// Six patterns of messaging by amqplib. Arguments: port, name of the pattern, a prefix for all names. Ends with 0 if all held.
'use strict';
const assert = require('node:assert');
const amqplib = require('amqplib');

const [port, pattern, prefix] = process.argv.slice(2);
const url = `amqp://guest:guest@127.0.0.1:${port}`;

/** The next messages of a queue, each acknowledged. */
function receive(channel, queue, count) {
  return new Promise((resolve, reject) => {
    const got = [];
    const late = setTimeout(() => reject(new Error(`${queue}: of ${count} messages came ${got}`)), 20000);
    let tag;
    channel
      .consume(queue, (message) => {
        channel.ack(message);
        got.push(`${message.fields.routingKey}=${message.content}`);
        if (got.length === count) {
          clearTimeout(late);
          setImmediate(() => channel.cancel(tag).then(() => resolve(got), reject));
        }
      })
      .then((ok) => (tag = ok.consumerTag), reject);
  });
}

async function anonymous(channel) {
  return (await channel.assertQueue('', { exclusive: true })).queue;
}

const patterns = {
  async 'work-queue'(connection) {
    const queue = prefix + 'tasks';
    const publisher = await connection.createChannel();
    await publisher.assertQueue(queue, { durable: true });
    const done = [[], []];
    let acknowledged = 0;
    const all = new Promise((resolve) => {
      done.forEach(async (mine) => {
        const worker = await connection.createChannel();
        await worker.prefetch(1);
        await worker.consume(queue, (message) => {
          mine.push(message.content.toString());
          setTimeout(() => {
            worker.ack(message);
            acknowledged++;
            if (acknowledged === 10) resolve();
          }, 5);
        });
        if (mine === done[1]) {
          for (let i = 0; i < 10; i++) publisher.sendToQueue(queue, Buffer.from(`task ${i}`), { persistent: true });
        }
      });
    });
    await all;
    assert.deepStrictEqual(done.flat().sort(), [...Array(10).keys()].map((i) => `task ${i}`));
    assert.ok(done[0].length > 0 && done[1].length > 0, 'both workers worked');
  },

  async 'publish-subscribe'(connection) {
    const channel = await connection.createChannel();
    const exchange = prefix + 'logs';
    await channel.assertExchange(exchange, 'fanout', { durable: false });
    const queues = [await anonymous(channel), await anonymous(channel)];
    for (const queue of queues) await channel.bindQueue(queue, exchange, '');
    channel.publish(exchange, '', Buffer.from('to all'));
    for (const queue of queues) assert.deepStrictEqual(await receive(channel, queue, 1), ['=to all']);
  },

  async routing(connection) {
    const channel = await connection.createChannel();
    const exchange = prefix + 'direct';
    await channel.assertExchange(exchange, 'direct', { durable: false });
    const errors = await anonymous(channel);
    const everything = await anonymous(channel);
    await channel.bindQueue(errors, exchange, 'error');
    for (const severity of ['info', 'error']) await channel.bindQueue(everything, exchange, severity);
    for (const severity of ['info', 'error', 'debug']) channel.publish(exchange, severity, Buffer.from(severity));
    assert.deepStrictEqual(await receive(channel, errors, 1), ['error=error']);
    assert.deepStrictEqual(await receive(channel, everything, 2), ['info=info', 'error=error']);
    assert.strictEqual((await channel.checkQueue(errors)).messageCount, 0);
  },

  async topics(connection) {
    const channel = await connection.createChannel();
    const exchange = prefix + 'topics';
    await channel.assertExchange(exchange, 'topic', { durable: false });
    const kernel = await anonymous(channel);
    const critical = await anonymous(channel);
    await channel.bindQueue(kernel, exchange, 'kern.#');
    await channel.bindQueue(critical, exchange, '*.critical');
    for (const key of ['kern.critical', 'kern.a.b', 'cron.critical', 'cron.info', 'kern']) {
      channel.publish(exchange, key, Buffer.from('x'));
    }
    assert.deepStrictEqual(await receive(channel, kernel, 3), ['kern.critical=x', 'kern.a.b=x', 'kern=x']);
    assert.deepStrictEqual(await receive(channel, critical, 2), ['kern.critical=x', 'cron.critical=x']);
  },

  async rpc(connection) {
    const queue = prefix + 'rpc';
    const server = await connection.createChannel();
    await server.assertQueue(queue, { durable: false });
    await server.consume(queue, (request) => {
      const answer = Buffer.from(String(2 * Number(request.content)));
      server.sendToQueue(request.properties.replyTo, answer, { correlationId: request.properties.correlationId });
      server.ack(request);
    });
    const client = await connection.createChannel();
    const replies = [];
    const all = new Promise((resolve) => {
      client.consume(
        'amq.rabbitmq.reply-to',
        (reply) => {
          replies.push(`${reply.properties.correlationId}=${reply.content}`);
          if (replies.length === 3) resolve();
        },
        { noAck: true },
      );
    });
    for (let i = 0; i < 3; i++) {
      const options = { replyTo: 'amq.rabbitmq.reply-to', correlationId: `c${i}` };
      client.sendToQueue(queue, Buffer.from(String(i)), options);
    }
    await all;
    assert.deepStrictEqual(replies, ['c0=0', 'c1=2', 'c2=4']);
  },

  async confirms(connection) {
    const queue = prefix + 'confirmed';
    const channel = await connection.createConfirmChannel();
    await channel.assertQueue(queue, { durable: true });
    const returned = new Promise((resolve) => channel.on('return', resolve));
    for (let i = 0; i < 20; i++) channel.sendToQueue(queue, Buffer.from(String(i)), { persistent: true });
    await channel.waitForConfirms();
    assert.strictEqual((await channel.checkQueue(queue)).messageCount, 20);
    channel.sendToQueue(prefix + 'no-such-queue', Buffer.from('lost'), { mandatory: true });
    await channel.waitForConfirms();
    assert.strictEqual((await returned).content.toString(), 'lost');
  },
};

async function main() {
  const connection = await amqplib.connect(url);
  const deadline = setTimeout(() => {
    console.error(`${pattern} did not end within 60 s`);
    process.exit(1);
  }, 60000);
  await patterns[pattern](connection);
  clearTimeout(deadline);
  await connection.close();
  console.log(`held: ${pattern}`);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});

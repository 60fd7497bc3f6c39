"""A worker whose connection is always served: the work is done in a thread of its own.

It asks for a heartbeat each minute, whatever the broker proposes, as some libraries do.
"""

import functools
import os
import signal
import sys
import threading
import time

import pika

SECONDS_PER_DOT = int(os.environ.get("TASK_UNIT_MS", "1000")) / 1000


def done(channel, tag):
    print("Done", flush=True)
    channel.basic_ack(tag)


def work(connection, channel, tag, body):
    time.sleep(body.count(b".") * SECONDS_PER_DOT)
    connection.add_callback_threadsafe(functools.partial(done, channel, tag))


def main():
    parameters = pika.URLParameters(os.environ["AMQP_ADDR"])
    parameters.heartbeat = 60
    connection = pika.BlockingConnection(parameters)
    channel = connection.channel()
    channel.queue_declare(queue="task_queue", durable=True)
    channel.basic_qos(prefetch_count=1)

    def received(channel, method, _, body):
        print(f"Received '{body.decode(errors='replace')}'", flush=True)
        arguments = (connection, channel, method.delivery_tag, body)
        threading.Thread(target=work, args=arguments, daemon=True).start()

    channel.basic_consume(queue="task_queue", on_message_callback=received)
    # As an exception, Ctrl-C may come in the middle of pika's own work: with 1.4.4 an acknowledgement was sent twice.
    stop = functools.partial(connection.add_callback_threadsafe, channel.stop_consuming)
    signal.signal(signal.SIGINT, lambda *_: stop())
    print("Waiting for messages. To exit press CTRL+C", flush=True)
    channel.start_consuming()
    connection.close()


try:
    main()
except pika.exceptions.AMQPError as error:
    sys.exit(f"{type(error).__name__}: {error}")

# Mistake: sleeps on the connection's only thread. Its heartbeats are slow, so the broker does not notice for minutes.
#
# Finding: none: it agreed to an interval that is longer than the check
# Told: answers connection.close (code 320) while it works

import os
import sys
import time

import pika

SECONDS_PER_DOT = int(os.environ.get("TASK_UNIT_MS", "1000")) / 1000


def received(channel, method, _, body):
    print(f"Received '{body.decode(errors='replace')}'", flush=True)
    time.sleep(body.count(b".") * SECONDS_PER_DOT)
    print("Done", flush=True)
    channel.basic_ack(method.delivery_tag)


def main():
    parameters = pika.URLParameters(os.environ["AMQP_ADDR"])
    parameters.heartbeat = 60
    connection = pika.BlockingConnection(parameters)
    channel = connection.channel()
    channel.queue_declare(queue="task_queue", durable=True)
    channel.basic_qos(prefetch_count=1)
    channel.basic_consume(queue="task_queue", on_message_callback=received)
    print("Waiting for messages. To exit press CTRL+C", flush=True)
    try:
        channel.start_consuming()
    except KeyboardInterrupt:
        connection.close()


try:
    main()
except pika.exceptions.AMQPError as error:
    sys.exit(f"{type(error).__name__}: {error}")

# With a correlation id and a message id of 16 bytes each, which are no text
import os
import uuid

import pika

parameters = pika.URLParameters(os.environ["AMQP_ADDR"])
with pika.BlockingConnection(parameters) as connection:
    channel = connection.channel()
    channel.queue_declare(queue="hello", durable=True)
    properties = pika.BasicProperties(
        correlation_id=uuid.uuid4().bytes, message_id=uuid.uuid4().bytes
    )
    channel.basic_publish("", "hello", b"Hello World!", properties)
    print("Sent 'Hello World!'")

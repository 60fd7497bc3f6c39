# new_task.py, with pika, in the style of RabbitMQ's own tutorials
import os
import sys

import pika

connection = pika.BlockingConnection(pika.ConnectionParameters(
    host=os.environ['RABBITMQ_HOST'], port=int(os.environ['RABBITMQ_PORT'])))
channel = connection.channel()

channel.queue_declare(queue='task_queue', durable=True)

message = ' '.join(sys.argv[1:]) if len(sys.argv) > 1 else 'Hello World!'
channel.basic_publish(exchange='',
                      routing_key='task_queue',
                      body=message,
                      properties=pika.BasicProperties(
                          delivery_mode=pika.DeliveryMode.Persistent))
print(f" [x] Sent {message!r}")
connection.close()

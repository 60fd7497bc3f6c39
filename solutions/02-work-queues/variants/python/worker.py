# worker.py, with pika, in the style of RabbitMQ's own tutorials
import os
import time

import pika

unit = int(os.environ.get('TASK_UNIT_MS', '1000')) / 1000
connection = pika.BlockingConnection(pika.ConnectionParameters(
    host=os.environ['RABBITMQ_HOST'], port=int(os.environ['RABBITMQ_PORT'])))
channel = connection.channel()

channel.queue_declare(queue='task_queue', durable=True)
print(' [*] Waiting for messages. To exit press CTRL+C')


def callback(ch, method, properties, body):
    print(f" [x] Received {body}")
    time.sleep(body.count(b'.') * unit)
    print(" [x] Done")
    ch.basic_ack(delivery_tag=method.delivery_tag)


channel.basic_qos(prefetch_count=1)
channel.basic_consume(queue='task_queue', on_message_callback=callback)

channel.start_consuming()

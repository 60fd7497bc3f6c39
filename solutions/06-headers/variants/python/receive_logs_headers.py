# receive_logs_headers.py, with pika, in the style of RabbitMQ's own tutorials
import os
import re
import sys

import pika


def typed(value):
    return int(value) if re.fullmatch(r'-?[0-9]{1,18}', value) else value


pairs = sys.argv[2:]
if sys.argv[1:2] not in (['all'], ['any']) or not all('=' in pair for pair in pairs):
    sys.exit("Usage: %s all|any KEY=VALUE..." % sys.argv[0])
binding = {name: typed(value) for name, value in (pair.split('=', 1) for pair in pairs)}
binding['x-match'] = sys.argv[1]

connection = pika.BlockingConnection(pika.ConnectionParameters(
    host=os.environ['RABBITMQ_HOST'], port=int(os.environ['RABBITMQ_PORT'])))
channel = connection.channel()

channel.exchange_declare(exchange='header_logs', exchange_type='headers')

result = channel.queue_declare(queue='', exclusive=True)
queue_name = result.method.queue

channel.queue_bind(exchange='header_logs', queue=queue_name, arguments=binding)

print(' [*] Waiting for logs. To exit press CTRL+C')


def callback(ch, method, properties, body):
    print(f" [x] {body}")


channel.basic_consume(queue=queue_name, on_message_callback=callback, auto_ack=True)

channel.start_consuming()

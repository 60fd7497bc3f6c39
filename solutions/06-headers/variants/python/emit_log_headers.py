# emit_log_headers.py, with pika, in the style of RabbitMQ's own tutorials
import os
import re
import sys

import pika


def typed(value):
    return int(value) if re.fullmatch(r'-?[0-9]{1,18}', value) else value


arguments = sys.argv[1:]
end = arguments.index('--') if '--' in arguments else len(arguments)
pairs, words = arguments[:end], arguments[end + 1:]
if not all('=' in pair for pair in pairs):
    sys.exit("Usage: %s KEY=VALUE... -- WORDS..." % sys.argv[0])
headers = {name: typed(value) for name, value in (pair.split('=', 1) for pair in pairs)}
message = ' '.join(words) or 'Hello World!'

connection = pika.BlockingConnection(pika.ConnectionParameters(
    host=os.environ['RABBITMQ_HOST'], port=int(os.environ['RABBITMQ_PORT'])))
channel = connection.channel()

channel.exchange_declare(exchange='header_logs', exchange_type='headers')

channel.basic_publish(exchange='header_logs', routing_key='', body=message,
                      properties=pika.BasicProperties(headers=headers))
print(f" [x] Sent {message}")
connection.close()

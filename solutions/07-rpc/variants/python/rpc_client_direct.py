# rpc_client_direct.py, with pika: direct reply-to
import os
import sys
import uuid

import pika

n = sys.argv[1]
corr_id = str(uuid.uuid4())
reply = None


def on_response(ch, method, props, body):
    global reply
    if props.correlation_id == corr_id and reply is None:
        reply = (props.headers or {}, body)


connection = pika.BlockingConnection(pika.ConnectionParameters(
    host=os.environ['RABBITMQ_HOST'], port=int(os.environ['RABBITMQ_PORT'])))
channel = connection.channel()
channel.queue_declare(queue='rpc_queue')

channel.basic_consume(queue='amq.rabbitmq.reply-to',
                      on_message_callback=on_response,
                      auto_ack=True)

print(f" [x] Requesting fib({n})")
channel.basic_publish(exchange='',
                      routing_key='rpc_queue',
                      properties=pika.BasicProperties(
                          reply_to='amq.rabbitmq.reply-to',
                          correlation_id=corr_id),
                      body=n)
while reply is None:
    connection.process_data_events(time_limit=None)
connection.close()

headers, body = reply
if headers.get('error'):
    sys.exit(body.decode())
print(f" [.] Got {body}")

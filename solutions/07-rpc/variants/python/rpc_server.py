# rpc_server.py, with pika, in the style of RabbitMQ's own tutorials
import os

import pika

connection = pika.BlockingConnection(pika.ConnectionParameters(
    host=os.environ['RABBITMQ_HOST'], port=int(os.environ['RABBITMQ_PORT'])))
channel = connection.channel()

channel.queue_declare(queue='rpc_queue')


def fib(n):
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a


def on_request(ch, method, props, body):
    headers = None
    try:
        n = int(body)
        if not 0 <= n <= 90:
            raise ValueError("n must be between 0 and 90")
        print(f" [.] fib({n})")
        response = str(fib(n))
    except ValueError as error:
        headers = {'error': True}
        response = str(error)

    if props.reply_to:
        ch.basic_publish(exchange='',
                         routing_key=props.reply_to,
                         properties=pika.BasicProperties(correlation_id=props.correlation_id,
                                                         headers=headers),
                         body=response)
    ch.basic_ack(delivery_tag=method.delivery_tag)


channel.basic_qos(prefetch_count=1)
channel.basic_consume(queue='rpc_queue', on_message_callback=on_request)

print(" [x] Awaiting RPC requests")
channel.start_consuming()

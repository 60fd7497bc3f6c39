# As rpc_client.py, with a correlation id of 16 bytes that are no text
import os
import sys
import uuid

import pika


class FibonacciRpcClient(object):

    def __init__(self):
        self.connection = pika.BlockingConnection(pika.ConnectionParameters(
            host=os.environ['RABBITMQ_HOST'], port=int(os.environ['RABBITMQ_PORT'])))
        self.channel = self.connection.channel()

        self.channel.queue_declare(queue='rpc_queue')
        result = self.channel.queue_declare(queue='', exclusive=True)
        self.callback_queue = result.method.queue

        self.channel.basic_consume(
            queue=self.callback_queue,
            on_message_callback=self.on_response,
            auto_ack=True)

        self.response = None
        self.error = False
        self.corr_id = None

    def on_response(self, ch, method, props, body):
        if self.corr_id == props.correlation_id and self.response is None:
            self.error = bool(props.headers and props.headers.get('error'))
            self.response = body

    def call(self, n):
        self.response = None
        self.corr_id = uuid.uuid4().bytes
        self.channel.basic_publish(
            exchange='',
            routing_key='rpc_queue',
            properties=pika.BasicProperties(
                reply_to=self.callback_queue,
                correlation_id=self.corr_id,
            ),
            body=str(n))
        while self.response is None:
            self.connection.process_data_events(time_limit=None)
        self.connection.close()
        if self.error:
            sys.exit(self.response.decode())
        return int(self.response)


n = int(sys.argv[1])
fibonacci_rpc = FibonacciRpcClient()

print(f" [x] Requesting fib({n})")
response = fibonacci_rpc.call(n)
print(f" [.] Got {response}")

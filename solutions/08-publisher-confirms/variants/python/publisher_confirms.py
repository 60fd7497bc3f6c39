# publisher_confirms.py, with pika's asynchronous connection: its blocking one waits for each confirm in turn
import os
import sys
import uuid

import pika


class Publisher(object):

    def __init__(self, window, lines):
        self.window = window
        # Of each message: its id, its body, and whether it was published before.
        self.left = [[str(uuid.uuid4()), line, False] for line in lines]
        self.failed = False

    def run(self):
        while True:
            self.opened = False
            self.connection = pika.SelectConnection(
                pika.ConnectionParameters(
                    host=os.environ['RABBITMQ_HOST'], port=int(os.environ['RABBITMQ_PORT'])),
                on_open_callback=self.on_open,
                on_open_error_callback=self.on_end,
                on_close_callback=self.on_end)
            self.connection.ioloop.start()
            if not self.opened:
                sys.exit(f'no broker: {self.error!r}')
            if not self.left:
                return int(self.failed)

    def on_open(self, connection):
        self.opened = True
        connection.channel(on_open_callback=self.on_channel)

    def on_end(self, connection, error):
        self.error = error
        connection.ioloop.stop()

    def on_channel(self, channel):
        self.channel = channel
        channel.add_on_return_callback(self.on_return)
        channel.queue_declare('confirmed', durable=True, callback=self.on_declared)

    def on_declared(self, _):
        self.channel.confirm_delivery(self.on_confirm, callback=self.on_ready)

    def on_ready(self, _):
        self.tag = 0
        self.open = {}
        self.returned = set()
        self.publish_next()

    def publish_next(self):
        if not self.left:
            self.connection.close()
            return
        for message in self.left[:self.window]:
            message_id, body, again = message
            message[2] = True
            self.tag += 1
            self.open[self.tag] = message
            self.channel.basic_publish(
                exchange='',
                routing_key='confirmed',
                mandatory=True,
                properties=pika.BasicProperties(
                    message_id=message_id,
                    delivery_mode=2,
                    headers={'republished': True} if again else None),
                body=body)

    def on_return(self, channel, method, properties, body):
        self.returned.add(properties.message_id)

    def on_confirm(self, frame):
        confirm = frame.method
        for tag in sorted(self.open):
            if tag == confirm.delivery_tag or (confirm.multiple and tag < confirm.delivery_tag):
                self.settle(self.open.pop(tag), isinstance(confirm, pika.spec.Basic.Ack))
        if not self.open:
            self.publish_next()

    def settle(self, message, acked):
        self.left.remove(message)
        word = 'confirmed'
        if not acked:
            word = 'refused'
        elif message[0] in self.returned:
            word = 'returned'
        self.failed = self.failed or word != 'confirmed'
        print(f' [x] {word} {message[1]!r}')


mode = sys.argv[1] if len(sys.argv) > 1 else 'async'
window = {'one': 1, 'async': None}[mode] if mode != 'batch' else int(sys.argv[2])
lines = sys.stdin.buffer.read().split(b'\n')
if not lines[-1]:
    lines.pop()
sys.exit(Publisher(window, [line.removesuffix(b'\r') for line in lines]).run())

# receive.py
import os

import pika

# 声明连接 建立通道
connection = pika.BlockingConnection(pika.ConnectionParameters(
    host=os.environ['RABBITMQ_HOST'], port=int(os.environ['RABBITMQ_PORT'])))
channel = connection.channel()

# 声明队列
channel.queue_declare(queue='hello')


# 定义回调函数  这个函数决定了收到消息之后消费者会如何响应
# body 对应刚刚发送的字符串 Hello World
def callback(ch, method, properties, body):
    print("Received %r" % body)


# 消费事件
channel.basic_consume(queue='hello',
                      auto_ack=True,
                      on_message_callback=callback)

print('Waiting for messages. To exit press CTRL+C')

# 开始消费 -- 会持续运行
channel.start_consuming()

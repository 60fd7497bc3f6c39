# send.py
import os

import pika

#声明连接 建立通道
connection = pika.BlockingConnection(pika.ConnectionParameters(
    host=os.environ['RABBITMQ_HOST'], port=int(os.environ['RABBITMQ_PORT'])))
channel = connection.channel()

# 声明一个队列，在send和receive程序中都要声明
# 如果没有这个队列，就创建，有的话不会有任何影响
# 向不存在的队列中发送消息消息会被丢弃
channel.queue_declare(queue='hello')

# 向队列中发送消息，内容为Hello World!
channel.basic_publish(exchange='',
                      routing_key='hello',
                      body='Hello World!')
print("Sent 'Hello World!'")

# 关闭连接
connection.close()

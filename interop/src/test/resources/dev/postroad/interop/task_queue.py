# Example: sending a message to RabbitMQ in Python
import pika

connection = pika.BlockingConnection(pika.ConnectionParameters('localhost'))
channel = connection.channel()

channel.queue_declare(queue='task_queue', durable=True)
channel.basic_publish(exchange='',
                      routing_key='task_queue',
                      body='Process data #1',
                      properties=pika.BasicProperties(
                          delivery_mode=2,  # make message persistent
                      ))

connection.close()

package dev.postroad.interop;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.amqp.core.AnonymousQueue;
import org.springframework.amqp.core.Binding;
import org.springframework.amqp.core.BindingBuilder;
import org.springframework.amqp.core.DirectExchange;
import org.springframework.amqp.core.FanoutExchange;
import org.springframework.amqp.core.MessageListener;
import org.springframework.amqp.core.Queue;
import org.springframework.amqp.core.TopicExchange;
import org.springframework.amqp.rabbit.connection.CachingConnectionFactory;
import org.springframework.amqp.rabbit.connection.CorrelationData;
import org.springframework.amqp.rabbit.core.RabbitAdmin;
import org.springframework.amqp.rabbit.core.RabbitTemplate;
import org.springframework.amqp.rabbit.listener.SimpleMessageListenerContainer;
import org.springframework.amqp.rabbit.listener.adapter.MessageListenerAdapter;

/** Spring AMQP: declarations by its admin, listeners by its containers, sending and asking by its template. */
@ExtendWith(SharedServer.class)
class SpringAmqpIT {
    private static final long PATIENCE_SECONDS = 20;

    private final CachingConnectionFactory connections;
    private final RabbitAdmin admin;
    private final RabbitTemplate template;
    private final BlockingQueue<String> got = new LinkedBlockingQueue<>();
    private SimpleMessageListenerContainer container;

    SpringAmqpIT(Server server) {
        connections = new CachingConnectionFactory("127.0.0.1", server.amqpPort());
        connections.setPublisherConfirmType(CachingConnectionFactory.ConfirmType.CORRELATED);
        connections.setPublisherReturns(true);
        admin = new RabbitAdmin(connections);
        template = new RabbitTemplate(connections);
        template.setMandatory(true);
    }

    @BeforeEach
    void newContainer() {
        container = new SimpleMessageListenerContainer(connections);
    }

    @AfterEach
    void stop() {
        container.stop();
        connections.destroy();
    }

    private void listen(MessageListener listener, int consumers, Queue... queues) {
        container.setQueues(queues);
        container.setConcurrentConsumers(consumers);
        container.setMessageListener(listener);
        container.afterPropertiesSet();
        container.start();
    }

    private void collect(Queue... queues) {
        listen(
                message -> got.add(message.getMessageProperties().getConsumerQueue() + "="
                        + new String(message.getBody(), StandardCharsets.UTF_8)),
                1,
                queues);
    }

    private String next() throws InterruptedException {
        return got.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
    }

    private Queue anonymous() {
        Queue queue = new AnonymousQueue();
        admin.declareQueue(queue);
        return queue;
    }

    @Test
    void workersShareAQueue() throws InterruptedException {
        Queue queue = new Queue("spring-tasks", true);
        admin.declareQueue(queue);
        for (int i = 0; i < 10; i++) {
            template.convertAndSend("", queue.getName(), "task " + i);
        }
        listen(message -> got.add(new String(message.getBody(), StandardCharsets.UTF_8)), 2, queue);

        for (int i = 0; i < 10; i++) {
            assertThat(next()).startsWith("task ");
        }
        assertThat(got).isEmpty();
        container.stop();
        admin.deleteQueue(queue.getName());
    }

    @Test
    void everySubscriberGetsWhatIsPublished() throws InterruptedException {
        FanoutExchange exchange = new FanoutExchange("spring-news", false, true);
        admin.declareExchange(exchange);
        Queue one = anonymous();
        Queue two = anonymous();
        for (Queue queue : List.of(one, two)) {
            admin.declareBinding(BindingBuilder.bind(queue).to(exchange));
        }
        collect(one, two);
        template.convertAndSend(exchange.getName(), "", "news");

        assertThat(List.of(next(), next()))
                .containsExactlyInAnyOrder(one.getActualName() + "=news", two.getActualName() + "=news");
    }

    @Test
    void routingKeysDecideWhoGetsAMessage() throws InterruptedException {
        DirectExchange exchange = new DirectExchange("spring-logs", false, true);
        admin.declareExchange(exchange);
        Queue errors = anonymous();
        admin.declareBinding(BindingBuilder.bind(errors).to(exchange).with("error"));
        collect(errors);
        template.convertAndSend(exchange.getName(), "info", "no");
        template.convertAndSend(exchange.getName(), "error", "yes");

        assertThat(next()).isEqualTo(errors.getActualName() + "=yes");
        assertThat(got).isEmpty();
    }

    @Test
    void patternsOfTopicsDecideWhoGetsAMessage() throws InterruptedException {
        TopicExchange exchange = new TopicExchange("spring-topics", false, true);
        admin.declareExchange(exchange);
        Queue critical = anonymous();
        Binding binding = BindingBuilder.bind(critical).to(exchange).with("*.critical.#");
        admin.declareBinding(binding);
        collect(critical);
        template.convertAndSend(exchange.getName(), "kern.info", "no");
        template.convertAndSend(exchange.getName(), "kern.critical.a.b", "yes");

        assertThat(next()).isEqualTo(critical.getActualName() + "=yes");
        assertThat(got).isEmpty();
    }

    @Test
    void aRequestGetsItsReply() {
        Queue queue = anonymous();
        MessageListenerAdapter adapter = new MessageListenerAdapter(new Object() {
            @SuppressWarnings({"unused", "UnusedMethod"}) // called by the adapter
            public String handleMessage(String text) {
                return text + " " + text;
            }
        });
        listen(adapter, 1, queue);
        template.setReplyTimeout(Duration.ofSeconds(PATIENCE_SECONDS).toMillis());

        assertThat(template.convertSendAndReceive("", queue.getActualName(), "echo"))
                .isEqualTo("echo echo");
    }

    @Test
    void confirmsComeAndWhatHasNoQueueIsReturned() throws Exception {
        Queue queue = anonymous();
        CorrelationData stored = new CorrelationData("stored");
        template.convertAndSend("", queue.getActualName(), "kept", stored);
        CorrelationData homeless = new CorrelationData("homeless");
        template.convertAndSend("", "spring-no-such-queue", "lost", homeless);

        assertThat(stored.getFuture().get(PATIENCE_SECONDS, TimeUnit.SECONDS).ack())
                .isTrue();
        assertThat(homeless.getFuture().get(PATIENCE_SECONDS, TimeUnit.SECONDS).ack())
                .isTrue();
        assertThat(homeless.getReturned().getReplyCode()).isEqualTo(312);
        assertThat(template.receiveAndConvert(queue.getActualName())).isEqualTo("kept");
    }
}

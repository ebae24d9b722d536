package dev.postroad.protocols.amqp091;

/** Something that the engine has told a connection; happens on its event loop. */
interface Event {
    void happen();
}

package dev.postroad.engine;

/** What indexes say about the records they refer to, so that the journal knows which of its space is needed. */
interface Space {
    /** One more index refers to the record. */
    void retain(long recordPosition, int sizeBytes);

    /** One index less refers to it. */
    void release(long recordPosition, int sizeBytes);
}

# Patterns of messaging by the tools of librabbitmq. Arguments: port, name of the pattern. Ends with 0 if all held.
set -eu

B="--url=amqp://guest:guest@127.0.0.1:$1"
export B

# What amqp-consume runs for a message, which is its stdin.
printf '#!/bin/sh\ncat\necho\n' >line
printf '#!/bin/sh\namqp-publish "$B" -r t-replies -b $(( $(cat) * 2 ))\n' >double
chmod +x line double

equal() {
    [ "$1" = "$2" ] || { echo "expected '$2', found '$1'" >&2; exit 1; }
}

subscribe() {
    amqp-consume "$B" -e "$1" -r "$2" -c 1 cat >"$3" 2>>log &
}

# A subscriber that is only just binding its queue misses what is published before: so again until each has something.
publish_until() {
    exchange=$1 key=$2 body=$3
    shift 3
    tries=0
    for file in "$@"; do
        until [ -s "$file" ]; do
            tries=$((tries + 1))
            [ $tries -lt 200 ] || { echo "nothing came to $file: $(cat log)" >&2; exit 1; }
            amqp-publish "$B" -e "$exchange" -r "$key" -b "$body"
            sleep 0.1
        done
    done
}

case $2 in
    work-queue)
        amqp-declare-queue "$B" -d -q t-tasks
        for i in 1 2 3 4; do amqp-publish "$B" -p -r t-tasks -b task$i; done
        amqp-consume "$B" -q t-tasks -p 1 -c 2 ./line >one
        amqp-consume "$B" -q t-tasks -c 2 ./line >two
        equal "$(cat one two | tr '\n' ' ')" 'task1 task2 task3 task4 '
        if amqp-get "$B" -q t-tasks; then exit 1; fi
        amqp-delete-queue "$B" -q t-tasks
        ;;
    publish-subscribe)
        subscribe amq.fanout x one
        subscribe amq.fanout x two
        publish_until amq.fanout x news one two
        equal "$(cat one) $(cat two)" 'news news'
        ;;
    routing)
        subscribe amq.direct t-error errors
        amqp-publish "$B" -e amq.direct -r t-info -b no
        publish_until amq.direct t-error yes errors
        equal "$(cat errors)" yes
        ;;
    topics)
        subscribe amq.topic 't.*.critical' critical
        amqp-publish "$B" -e amq.topic -r t.kern.info -b no
        publish_until amq.topic t.kern.critical yes critical
        equal "$(cat critical)" yes
        ;;
    rpc)
        amqp-declare-queue "$B" -q t-rpc
        amqp-declare-queue "$B" -q t-replies
        amqp-publish "$B" -r t-rpc -t t-replies -b 21
        amqp-consume "$B" -q t-rpc -c 1 ./double
        equal "$(amqp-get "$B" -q t-replies)" 42
        amqp-delete-queue "$B" -q t-rpc
        amqp-delete-queue "$B" -q t-replies
        ;;
    published-is-there)
        amqp-declare-queue "$B" -d -q t-there
        seq 1 50 | amqp-publish "$B" -p -l -r t-there
        amqp-consume "$B" -q t-there -c 50 cat >all
        equal "$(cat all)" "$(seq 1 50)"
        amqp-delete-queue "$B" -q t-there
        ;;
esac
wait
echo "held: $2"

# A server on the port that clients of RabbitMQ expect, in a network of its own so that the port is free, and two programs
# against it. Arguments: Python, a program, a program, and the command that starts the server.
set -eu
python=$1 first=$2 second=$3
shift 3
ip link set lo up
mkfifo ready
"$@" >ready 2>server.log &
server=$!
trap 'kill -9 $server' EXIT
read -r line <ready || { cat server.log >&2; exit 1; }
echo "$line"
"$python" "$first"
"$python" "$second"

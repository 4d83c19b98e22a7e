#!/usr/bin/env bash
# Other people's Kafka clients against Cordboard's listener, and against a real Apache Kafka that Cordboard publishes to:
# kcat (librdkafka), kafka-python, kafkajs, Kafka's own console consumer and tools.
#
#   compat/kafka/run.sh [--only TEXT]...     CORDBOARD_BIN: the binary to try, else the development build is made and tried
#
# What is missing is installed and said so first; see tools.sh.
# Exit codes: 0 all played, 1 some failed, 77 not possible here (the line starting with SKIPPED says why).
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=compat/kafka/tools.sh
. compat/kafka/tools.sh

apache_kafka
kafka_python
kafkajs
need kcat kcat
need_cordboard
PYTHONPATH=compat/shared PYTHONDONTWRITEBYTECODE=1 exec "$CACHE/venv/bin/python" $HERE/driver/main.py "$CORDBOARD_BIN" "$CACHE" "$@"

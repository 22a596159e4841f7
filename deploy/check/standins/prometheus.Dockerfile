# Debian's Prometheus, where the official image has it.
FROM docker.io/library/python:3.13-slim-trixie
LABEL genlevel.standin=true
RUN apt-get update && apt-get install -y --no-install-recommends prometheus=2.* wget=1.* && rm -rf /var/lib/apt/lists/* \
    && rm -rf /etc/prometheus && install --directory --owner=65534 --group=65534 /prometheus
USER 65534:65534
ENTRYPOINT ["/usr/bin/prometheus"]
CMD ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"]

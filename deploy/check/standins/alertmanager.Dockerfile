# Debian's Alertmanager, where the official image has it.
FROM docker.io/library/python:3.13-slim-trixie
LABEL genlevel.standin=true
RUN apt-get update && apt-get install -y --no-install-recommends prometheus-alertmanager=0.* wget=1.* && rm -rf /var/lib/apt/lists/* \
    && rm -rf /etc/alertmanager && install --directory --owner=65534 --group=65534 /alertmanager
USER 65534:65534
ENTRYPOINT ["/usr/bin/prometheus-alertmanager"]
CMD ["--config.file=/etc/alertmanager/alertmanager.yml", "--storage.path=/alertmanager"]

